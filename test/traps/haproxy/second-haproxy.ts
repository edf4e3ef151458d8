import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "a second HAProxy, started by hand, has the ports in the unit's place",
  steps: "haproxy,watcher",
  plant: sh(
    `systemctl stop haproxy; sed '/chroot/d; /stats socket/d' /etc/haproxy/haproxy.cfg >/root/other.cfg && systemd-run --quiet --unit=other-haproxy haproxy -db -f /root/other.cfg; sleep 1`,
  ),
  told: [
    {
      setting: "user-api front end",
      verdict: "blocked",
      because: /a HAProxy that haproxy\.service did not start/,
    },
  ],
  outcome: { is: "refused", code: 5, because: /did not start/ },
  clear: sh("systemctl stop other-haproxy"),
};
export default trap;
