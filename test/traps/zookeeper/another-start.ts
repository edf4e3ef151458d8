import { sh, type Trap } from "../trap.ts";

const directory = "/etc/systemd/system/zookeeper.service.d";

const trap: Trap = {
  title: "a drop-in has the next boot start something else; what runs now is as wanted",
  steps: "zookeeper",
  plant: sh(
    `mkdir -p ${directory} && printf '[Service]\\nExecStart=\\nExecStart=/bin/sleep 1\\n' >${directory}/x.conf && systemctl daemon-reload`,
  ),
  told: [{ setting: "zookeeper.service", verdict: "blocked", because: /zookeeper\.service\.d\/x\.conf:3/ }],
  outcome: { is: "refused", code: 5, because: /x\.conf:2, \S+x\.conf:3 sets ExecStart=/ },
  clear: sh(`rm -r ${directory} && systemctl daemon-reload`),
};
export default trap;
