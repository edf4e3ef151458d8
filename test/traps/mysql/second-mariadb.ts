import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title:
    "the host has a second MariaDB, and root's ~/.my.cnf sends every client there and has a table made of answers",
  steps: "mysql",
  // sid has MySQL.
  suites: ["bullseye", "bookworm", "trixie"],
  plant: sh(
    `install -d -o mysql -g mysql -m 0750 /srv/db2 &&
mariadb-install-db --no-defaults --user=mysql --datadir=/srv/db2 --skip-test-db >/dev/null 2>&1 &&
systemd-run --quiet --collect --unit=mariadb-second --uid=mysql --gid=mysql /usr/sbin/mariadbd --no-defaults \\
  --datadir=/srv/db2 --socket=/srv/db2/db2.sock --port=3307 --bind-address=127.0.0.1 --pid-file=/srv/db2/pid \\
  --innodb-buffer-pool-size=16M --innodb-log-file-size=8M &&
printf '[client]\\nsocket=/srv/db2/db2.sock\\n[mysql]\\ntable\\nvertical\\n' >/root/.my.cnf
for _ in $(seq 300); do test -S /srv/db2/db2.sock && break; sleep 0.2; done; test -S /srv/db2/db2.sock`,
    { timeoutMs: 120_000 },
  ),
  told: [],
  verifyCode: 0,
  outcome: { is: "left alone" },
  clear: sh("rm -f /root/.my.cnf; systemctl stop mariadb-second; rm -rf /srv/db2"),
};
export default trap;
