import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "a script of the next boot goes to the kernel's directory and writes what fits a pattern",
  steps: "sysctl",
  plant: sh(`cat >/etc/rc.local <<'END'
#!/bin/sh
cd /proc/sys/net/ipv4 && for each in tcp_fin_t*; do echo 60 >"$each"; done
END
chmod 0755 /etc/rc.local`),
  told: [
    {
      setting: "net.ipv4.tcp_fin_timeout",
      verdict: "proven",
      because: /\/etc\/rc\.local:2 names it, and rc-local\.service runs it/,
    },
  ],
  verifyCode: 0,
  outcome: { is: "left alone" },
  clear: sh("rm /etc/rc.local; systemctl daemon-reload"),
};
export default trap;
