import { sh, type Trap } from "../trap.ts";

/** The unit's own name, which is Debian's MariaDB's or MySQL's: `mysql.service` is an alias of the former. */
const unit = "$(systemctl show -P Id mysql)";

const trap: Trap = {
  title: "its unit has less memory than the pool that is asked for",
  steps: "mysql",
  plant: sh(`systemctl set-property "${unit}" MemoryMax=400M`),
  told: [
    {
      setting: /^next start of (?:mariadb|mysql)\.service$/,
      verdict: "blocked",
      because: /MemoryMax=400M of (?:mariadb|mysql)\.service is less than the 456M/,
    },
  ],
  outcome: { is: "refused", code: 1, because: /MemoryMax=400M/ },
  clear: sh(`rm -r "/etc/systemd/system.control/${unit}.d" && systemctl daemon-reload`),
};
export default trap;
