import { sh, type Trap } from "../trap.ts";

/** What Debian's ufw.service does of it, so that the lab needs no package and no netfilter. */
const UNIT = `[Unit]
DefaultDependencies=no
Before=network-pre.target
Wants=network-pre.target local-fs.target
After=local-fs.target systemd-sysctl.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c '. /etc/default/ufw; exec sysctl -e -q -p "$$IPT_SYSCTL"'
[Install]
WantedBy=multi-user.target`;

const trap: Trap = {
  title: "ufw has a sysctl file of its own, which it applies when it starts",
  steps: "sysctl",
  plant: sh(`install -d /etc/ufw
printf '# read by ufw\\nnet/ipv4/tcp_fin_timeout=60\\n' >/etc/ufw/sysctl.conf
printf 'ENABLED=yes\\n' >/etc/ufw/ufw.conf
printf 'IPT_SYSCTL=/etc/ufw/sysctl.conf\\n' >/etc/default/ufw
cat >/etc/systemd/system/ufw.service <<'END'
${UNIT}
END
systemctl daemon-reload && systemctl enable --quiet ufw`),
  told: [
    {
      setting: "net.ipv4.tcp_fin_timeout",
      verdict: "blocked",
      because: /^\/etc\/ufw\/sysctl\.conf:2 sets .* to "60", and ufw\.service reads it/,
    },
  ],
  outcome: { is: "refused", code: 5, because: /\/etc\/ufw\/sysctl\.conf:2 / },
  clear: sh(`systemctl disable --quiet ufw; systemctl stop ufw
rm -rf /etc/ufw /etc/default/ufw /etc/systemd/system/ufw.service; systemctl daemon-reload`),
};
export default trap;
