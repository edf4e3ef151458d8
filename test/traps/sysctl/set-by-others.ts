import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "a unit's script, a drop-in of another service, tmpfiles.d and udev each set a key at boot",
  steps: "sysctl",
  plant:
    sh(`printf '#!/bin/sh\\n. /etc/tuning.conf\\n' >/usr/local/sbin/tune && chmod 0755 /usr/local/sbin/tune
printf 'for key in fin; do sysctl -w net/ipv4/tcp_fin_timeout=60; done\\n' >/etc/tuning.conf
printf '[Service]\\nType=oneshot\\nExecStart=/usr/local/sbin/tune\\n[Install]\\nWantedBy=multi-user.target\\n' >/etc/systemd/system/tune.service
install -d /etc/systemd/system/systemd-journald.service.d
printf '[Service]\\nExecStartPost=-/bin/sh -c "echo 1024 >/proc/sys/net/core/somaxconn"\\n' >/etc/systemd/system/systemd-journald.service.d/tune.conf
printf 'w /proc/sys/net/ipv4/tcp_max_syn_backlog - - - - 512\\n' >/etc/tmpfiles.d/tune.conf
install -d /etc/udev/rules.d
printf 'SUBSYSTEM=="net", SYSCTL{net/ipv4/tcp_tw_reuse}="0"\\n' >/etc/udev/rules.d/90-tune.rules
systemctl daemon-reload && systemctl enable --quiet tune`),
  told: [
    {
      setting: "net.ipv4.tcp_fin_timeout",
      verdict: "blocked",
      because: /^\/etc\/tuning\.conf:1 sets .*, and tune\.service starts it/,
    },
    {
      setting: "net.core.somaxconn",
      verdict: "blocked",
      because: /tune\.conf:2 sets .*, and systemd-journald\.service starts it/,
    },
    {
      setting: "net.ipv4.tcp_max_syn_backlog",
      verdict: "blocked",
      because: /^\/etc\/tmpfiles\.d\/tune\.conf:1 sets .* to "512"/,
    },
    {
      setting: "net.ipv4.tcp_tw_reuse",
      verdict: "blocked",
      because: /^\/etc\/udev\/rules\.d\/90-tune\.rules:1 sets .* to "0", and udev applies it/,
    },
  ],
  outcome: { is: "refused", code: 5, because: /\/etc\/udev\/rules\.d\/90-tune\.rules:1 / },
  clear: sh(`systemctl disable --quiet tune
rm -rf /usr/local/sbin/tune /etc/tuning.conf /etc/systemd/system/tune.service /etc/systemd/system/systemd-journald.service.d/tune.conf /etc/tmpfiles.d/tune.conf /etc/udev/rules.d/90-tune.rules
systemctl daemon-reload`),
};
export default trap;
