import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "our drop-in is readable by root alone: the server skips it without a word",
  steps: "mysql",
  plant: sh("chmod 0600 /etc/mysql/*.conf.d/zz-meshctl.cnf && systemctl restart mysql"),
  told: [
    { setting: /zz-meshctl\.cnf$/, verdict: "different", because: /0600/ },
    {
      setting: /^innodb_(log_file_size|redo_log_capacity)$/,
      verdict: "missing",
      because: /^nothing where \d+[MG] is wanted/,
    },
  ],
  outcome: { is: "mended" },
};
export default trap;
