import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "an old tuning script in /etc/rc.local sets the values of before at the end of every boot",
  steps: "sysctl",
  plant: sh(`cat >/etc/rc.local <<'END'
#!/bin/sh
# tuned for the big launch, do not touch
sysctl -q -w net.ipv4.tcp_fin_timeout=60
echo 1024 >/proc/sys/net/core/somaxconn
exit 0
END
chmod 0755 /etc/rc.local`),
  told: [
    {
      setting: "net.ipv4.tcp_fin_timeout",
      verdict: "blocked",
      because: /^\/etc\/rc\.local:3 sets .* to "60", and rc-local\.service runs it/,
    },
    { setting: "net.core.somaxconn", verdict: "blocked", because: /^\/etc\/rc\.local:4 sets .* to "1024"/ },
  ],
  outcome: { is: "refused", code: 5, because: /\/etc\/rc\.local:3 / },
  clear: sh("rm /etc/rc.local; systemctl daemon-reload"),
};
export default trap;
