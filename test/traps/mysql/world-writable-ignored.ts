import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "the server was started with our drop-in world-writable, and passed over it without an error",
  steps: "mysql",
  plant: sh("chmod 0666 /etc/mysql/mysql.conf.d/zz-meshctl.cnf && systemctl restart mysql"),
  told: [
    { setting: /zz-meshctl\.cnf$/, verdict: "different", because: /world-writable/ },
    { setting: "innodb_redo_log_capacity", verdict: "missing", because: /^nothing where \d+[MG] is wanted/ },
  ],
  outcome: { is: "mended" },
  // MariaDB honours it under systemd.
  suites: ["sid"],
};
export default trap;
