import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "our drop-in is world-writable, which MySQL ignores, MariaDB's tools deny and its server honours",
  steps: "mysql",
  plant: sh("chmod 0666 /etc/mysql/*.conf.d/zz-meshctl.cnf"),
  told: [{ setting: /zz-meshctl\.cnf$/, verdict: "different", because: /0666/ }],
  outcome: { is: "mended" },
};
export default trap;
