import { sh, type Trap } from "../trap.ts";

const directory = "/etc/systemd/system";
const unit = "zookeeper.service";

const trap: Trap = {
  title: "it is enabled, for another target than the one that boots",
  steps: "zookeeper",
  plant: sh(
    `mkdir -p ${directory}/rescue.target.wants && rm ${directory}/multi-user.target.wants/${unit} && ln -s ${directory}/${unit} ${directory}/rescue.target.wants/ && systemctl daemon-reload`,
  ),
  told: [{ setting: "starts at boot", verdict: "different", because: /wanted by rescue\.target only/ }],
  outcome: { is: "mended" },
  clear: sh(`rm -f ${directory}/rescue.target.wants/${unit} && systemctl daemon-reload`),
};
export default trap;
