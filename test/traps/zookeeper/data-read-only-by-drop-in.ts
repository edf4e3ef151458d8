import { sh, type Trap } from "../trap.ts";

const DROP_IN = "/etc/systemd/system/zookeeper.service.d/hardening.conf";

const trap: Trap = {
  title: "a drop-in makes its data read-only for it, at its next start",
  steps: "zookeeper",
  plant: sh(
    `mkdir -p ${DROP_IN.replace(/\/[^/]*$/, "")} && printf '[Service]\\nReadOnlyPaths=/var/lib/zookeeper/data/version-2\\n' >${DROP_IN} && systemctl daemon-reload`,
  ),
  told: [
    {
      setting: "readable by zookeeper",
      verdict: "blocked",
      because: /ReadOnlyPaths= of zookeeper\.service keeps \S+\/version-2 read-only/,
    },
  ],
  outcome: { is: "refused", code: 5, because: /hardening\.conf:2 ReadOnlyPaths=/ },
  clear: sh(`rm ${DROP_IN} && systemctl daemon-reload`),
};
export default trap;
