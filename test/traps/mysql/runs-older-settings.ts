import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "the files are right, but the server runs since before they changed, and cp -p hid it",
  steps: "mysql",
  plant: sh(
    `cd /etc/mysql/m*.conf.d && cp -p zz-meshctl.cnf /root/ && sed -Ei 's/^(innodb_(log_file_size|redo_log_capacity)).*/\\1 = 100663296/' zz-meshctl.cnf && systemctl restart mysql && cp -p /root/zz-meshctl.cnf .`,
  ),
  told: [
    {
      setting: /^innodb_(log_file_size|redo_log_capacity)$/,
      verdict: "not-in-force",
      because: /what runs has 96M, not \d+[MG]/,
    },
  ],
  outcome: { is: "mended" },
  after: sh("rm /root/zz-meshctl.cnf"),
};
export default trap;
