import { sh, type Trap } from "../trap.ts";

const because = /system-generators\/hush .*the next boot does: systemctl daemon-reload/;
const path = "/etc/systemd/system-generators/hush";

const trap: Trap = {
  title: "a generator masks HAProxy at the next boot, and systemd has not run it yet",
  steps: "haproxy",
  plant: sh(
    `mkdir -p /etc/systemd/system-generators && printf '#!/bin/sh\\nln -s /dev/null $2/haproxy.service\\n' >${path} && chmod +x ${path}`,
  ),
  told: [
    {
      setting: "next start of haproxy.service",
      verdict: "unknown",
      because,
    },
  ],
  verifyCode: 5,
  outcome: { is: "refused", code: 5, because },
  clear: sh(`rm ${path} && systemctl daemon-reload`),
};
export default trap;
