import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "our drop-in has another name, not *.cnf: the server reads only those",
  steps: "mysql",
  plant: sh("cd /etc/mysql/m*.conf.d && mv zz-meshctl.cnf zz-meshctl.conf && systemctl restart mysql"),
  told: [
    {
      setting: /zz-meshctl\.cnf$/,
      verdict: "missing",
      because: /^nothing where [0-9a-f]{12} 0644 root:root is/,
    },
    {
      setting: /^innodb_(log_file_size|redo_log_capacity)$/,
      verdict: "missing",
      because: /^nothing where \d+[MG]/,
    },
  ],
  outcome: { is: "mended" },
  clear: sh("rm /etc/mysql/m*.conf.d/zz-meshctl.conf"),
};
export default trap;
