import { sh, type Trap } from "../trap.ts";

const starts =
  "systemctl show -P MainPID -P ExecMainStartTimestampMonotonic zookeeper haproxy meshctl-watcher mariadb mysql";

const trap: Trap = {
  title: "every configuration file is merely touched: nothing may be planned, and no restart may follow",
  // Not the units' files: systemd itself goes by time stamps (clock-of-files.ts).
  plant: sh(
    `touch /etc/sysctl.d/*.conf /etc/zookeeper/conf/zoo.cfg /var/lib/zookeeper/data/myid /etc/haproxy/haproxy.cfg /etc/meshctl/* /etc/mysql/*.conf.d/*.cnf && ${starts} >/run/started`,
  ),
  told: [],
  verifyCode: 0,
  outcome: { is: "left alone" },
  after: sh(`${starts} | cmp - /run/started && rm /run/started`),
};
export default trap;
