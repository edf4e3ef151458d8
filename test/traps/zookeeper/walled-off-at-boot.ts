import { sh, type Trap } from "../trap.ts";

const because =
  /\/etc\/rc\.local:4 drops what comes to port 2181 of zookeeper\.service \(rc-local\.service runs it\): take it out there/;

const trap: Trap = {
  title: "a script of the next boot has a packet filter that lets nobody in but SSH",
  steps: "zookeeper",
  plant: sh(`cat >/etc/rc.local <<'END'
#!/bin/sh
# hardening
nft add table inet lockdown
nft add chain inet lockdown input '{ type filter hook input priority 0; policy drop; }'
nft add rule inet lockdown input tcp dport 22 accept
exit 0
END
chmod 0755 /etc/rc.local`),
  told: [{ setting: "next start of zookeeper.service", verdict: "blocked", because }],
  outcome: { is: "refused", code: 5, because },
  clear: sh("rm /etc/rc.local; systemctl daemon-reload"),
};
export default trap;
