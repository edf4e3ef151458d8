import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "a line that HAProxy refuses, and systemd tries it for ever: no look fits between two starts",
  steps: "haproxy,watcher",
  plant: sh(
    `mkdir -p /run/systemd/system/haproxy.service.d
printf '[Service]\\nRestartSec=20ms\\n' >/run/systemd/system/haproxy.service.d/zz-at-once.conf
echo no-such-keyword >>/etc/haproxy/haproxy.cfg
systemctl daemon-reload
systemctl restart --no-block haproxy
for _ in $(seq 150); do [ "$(systemctl show -P NRestarts haproxy)" -lt 8 ] || break; sleep 0.2; done`,
    { timeoutMs: 120_000 },
  ),
  told: [
    { step: "haproxy", setting: "settings", verdict: "pending", because: /no-such-keyword/ },
    { step: "watcher", setting: "haproxy.cfg", verdict: "different", because: /no-such-keyword/ },
  ],
  outcome: { is: "mended" },
  clear: sh("rm -r /run/systemd/system/haproxy.service.d; systemctl daemon-reload"),
};
export default trap;
