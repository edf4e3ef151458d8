import { sh, type Trap } from "../trap.ts";

const because =
  /\/etc\/trap-filter\/in\.nft:6 drops what comes to port 2181 of zookeeper\.service \(nftables\.service starts it\): take it out there/;

const trap: Trap = {
  title:
    "the packet filter of the next boot accepts by its policy, and its list, in a file of its own, ends with a drop",
  steps: "zookeeper",
  plant: sh(`mkdir -p /etc/trap-filter
cat >/etc/trap-filter/in.nft <<'END'
table inet trap {
  chain in {
    type filter hook input priority 0; policy accept;
    ct state established,related accept
    tcp dport 22 accept
    counter drop
  }
}
END
printf '#!/usr/sbin/nft -f\\ninclude "trap-filter/*.nft"\\n' >/etc/trap-filter.nft && chmod 0755 /etc/trap-filter.nft
printf '[Service]\\nType=oneshot\\nExecStart=/usr/sbin/nft -f /etc/trap-filter.nft\\n[Install]\\nWantedBy=sysinit.target\\n' \
  >/etc/systemd/system/nftables.service
systemctl daemon-reload && systemctl -q enable nftables`),
  told: [{ setting: "next start of zookeeper.service", verdict: "blocked", because }],
  outcome: { is: "refused", code: 5, because },
  clear:
    sh(`systemctl -q disable nftables; rm -r /etc/systemd/system/nftables.service /etc/trap-filter /etc/trap-filter.nft
systemctl daemon-reload`),
};
export default trap;
