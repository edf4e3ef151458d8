import { sh, type Trap } from "../trap.ts";

const directory = "/etc/systemd/system/zookeeper.service.d";

const trap: Trap = {
  title: "the start ended with 0 and the unit is active, but no JVM runs",
  steps: "zookeeper",
  plant:
    sh(`mkdir -p ${directory} && printf '[Service]\\nType=oneshot\\nRemainAfterExit=yes\\nExecStart=\\nExecStart=/bin/true\\nRestart=no\\n' >${directory}/old.conf
    systemctl daemon-reload; systemctl stop zookeeper; systemctl start zookeeper && systemctl is-active zookeeper`),
  told: [
    { setting: "role", verdict: "missing", because: /does not run/ },
    {
      setting: "zookeeper.service",
      verdict: "not-in-force",
      because: /active, exited.*old\.conf changes the unit/,
    },
  ],
  outcome: { is: "refused", code: 1, because: /old\.conf/ },
  clear: sh(`rm -r ${directory}; systemctl daemon-reload`),
};
export default trap;
