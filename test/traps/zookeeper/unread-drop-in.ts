import { sh, type Trap } from "../trap.ts";

const directory = "/etc/systemd/system/zookeeper.service.d";

const trap: Trap = {
  title: "systemd has not read a drop-in yet; with its limit of open files it is welcome",
  steps: "zookeeper",
  plant: sh(`mkdir -p ${directory} && printf '[Service]\\nLimitNOFILE=10000\\n' >${directory}/limit.conf`),
  told: [{ setting: "zookeeper.service", verdict: "not-in-force", because: /has not read the files/ }],
  outcome: { is: "mended" },
  clear: sh(`rm -r ${directory} && systemctl daemon-reload`),
};
export default trap;
