import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "somebody throttled HAProxy in an incident and forgot it: it gets a tenth of a processor",
  steps: "haproxy",
  plant: sh("systemctl set-property --runtime haproxy.service CPUQuota=10% && systemctl daemon-reload"),
  told: [
    {
      setting: "next start of haproxy.service",
      verdict: "proven",
      because: /CPUQuota= of haproxy\.service leaves 10% of a processor, and haproxy\.service is slowed down/,
    },
  ],
  verifyCode: 0,
  outcome: { is: "left alone" },
  clear: sh(
    "systemctl set-property --runtime haproxy.service CPUQuota=; rm -rf /run/systemd/system.control/haproxy.service.d; systemctl daemon-reload",
  ),
};
export default trap;
