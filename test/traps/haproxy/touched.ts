import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "haproxy.cfg is merely touched: no reload may follow",
  steps: "haproxy,watcher",
  plant: sh(
    "touch /etc/haproxy/haproxy.cfg && systemctl show -P ExecMainStartTimestampMonotonic haproxy >/run/started",
  ),
  told: [],
  verifyCode: 0,
  outcome: { is: "left alone" },
  after: sh("systemctl show -P ExecMainStartTimestampMonotonic haproxy | cmp - /run/started"),
  clear: sh("rm -f /run/started"),
};
export default trap;
