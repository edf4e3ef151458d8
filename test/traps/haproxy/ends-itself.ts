import { sh, type Trap } from "../trap.ts";

const path = "/etc/systemd/system/haproxy.service.d/zzz-somebody.conf";

const trap: Trap = {
  title: "a drop-in has systemd end it every hour",
  steps: "haproxy,watcher",
  plant: sh(`printf '[Service]\\nRuntimeMaxSec=1h\\n' >${path} && systemctl daemon-reload`),
  told: [
    {
      setting: "next start of haproxy.service",
      verdict: "blocked",
      because: /zzz-somebody\.conf:2 RuntimeMaxSec=1h ends haproxy\.service again and again/,
    },
  ],
  outcome: { is: "refused", code: 5, because: /zzz-somebody\.conf:2 RuntimeMaxSec=/ },
  clear: sh(`rm ${path} && systemctl daemon-reload`),
};
export default trap;
