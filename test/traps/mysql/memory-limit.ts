import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "its unit has less memory than the pool that is asked for",
  steps: "mysql",
  plant: sh("systemctl set-property mariadb.service MemoryMax=400M"),
  told: [
    {
      setting: "next start of mariadb.service",
      verdict: "blocked",
      because: /MemoryMax=400M of mariadb\.service is less than the 456M/,
    },
  ],
  outcome: { is: "refused", code: 1, because: /MemoryMax=400M/ },
  clear: sh("rm -r /etc/systemd/system.control/mariadb.service.d && systemctl daemon-reload"),
};
export default trap;
