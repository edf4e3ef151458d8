import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "/etc/sysctl.conf still has the old value, which sysctl --system reads last",
  steps: "sysctl",
  plant: sh(
    `cp -a /etc/sysctl.conf /root/ 2>/dev/null; echo 'net.ipv4.tcp_fin_timeout = 60' >>/etc/sysctl.conf`,
  ),
  told: [
    {
      setting: "net.ipv4.tcp_fin_timeout",
      verdict: "blocked",
      because: /\/etc\/sysctl\.conf:\d+ .*sysctl --system/,
    },
  ],
  outcome: { is: "refused", code: 5, because: /\/etc\/sysctl\.conf:\d+ / },
  clear: sh(`rm /etc/sysctl.conf; ! test -e /root/sysctl.conf || mv /root/sysctl.conf /etc/sysctl.conf`),
};
export default trap;
