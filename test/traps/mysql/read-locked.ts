import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "a session that was forgotten holds the read lock of all tables",
  steps: "mysql",
  plant:
    sh(`systemd-run --quiet --collect --unit=trap-session mariadb -e 'FLUSH TABLES WITH READ LOCK; SELECT SLEEP(3600)'
for _ in $(seq 100); do mariadb -N -e 'SHOW PROCESSLIST' | grep -q 'User sleep' && break; sleep 0.1; done`),
  told: [
    {
      setting: "next start of mariadb.service",
      verdict: "proven",
      because: /no session can write to mariadb\.service: one holds the read lock of all tables/,
    },
  ],
  verifyCode: 0,
  outcome: { is: "left alone" },
  clear:
    sh(`mariadb -N -e "SELECT CONCAT('KILL ', ID) FROM information_schema.PROCESSLIST WHERE STATE = 'User sleep'" | mariadb
systemctl stop trap-session 2>/dev/null || true`),
};
export default trap;
