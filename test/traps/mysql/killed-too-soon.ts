import { sh, type Trap } from "../trap.ts";

const DROP_IN = "/etc/systemd/system/mariadb.service.d/trap-stop.conf";

const trap: Trap = {
  title: "a drop-in gives the database a second to stop: each stop is a crash",
  steps: "mysql",
  // MySQL's has a unit of another name.
  suites: ["bullseye", "bookworm", "trixie"],
  plant: sh(`mkdir -p "$(dirname ${DROP_IN})"
printf '[Service]\\nTimeoutStopSec=1\\nKillMode=process\\n' >${DROP_IN}
systemctl daemon-reload`),
  told: [
    {
      setting: "next start of mariadb.service",
      verdict: "proven",
      because:
        /trap-stop\.conf:2 TimeoutStopSec=1: mariadb\.service is killed before it has ended in order; .*:3 KillMode=process: mariadb\.service leaves processes behind/,
    },
  ],
  verifyCode: 0,
  outcome: { is: "left alone" },
  clear: sh(`rm ${DROP_IN}; rmdir "$(dirname ${DROP_IN})" 2>/dev/null || true; systemctl daemon-reload`),
};
export default trap;
