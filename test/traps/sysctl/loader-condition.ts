import { sh, type Trap } from "../trap.ts";

const directory = "/etc/systemd/system/systemd-sysctl.service.d";

const trap: Trap = {
  title: "a drop-in gives systemd-sysctl a condition that does not hold: the next boot reads no file",
  steps: "sysctl",
  plant: sh(
    `mkdir -p ${directory} && printf '[Unit]\\nConditionKernelCommandLine=apply-sysctl\\n' >${directory}/somebody.conf && systemctl daemon-reload`,
  ),
  told: [
    {
      setting: "systemd-sysctl.service",
      verdict: "blocked",
      because: /somebody\.conf:2 ConditionKernelCommandLine=apply-sysctl does not hold/,
    },
    { setting: "net.ipv4.tcp_fin_timeout", verdict: "unknown", because: /somebody\.conf:2/ },
  ],
  verifyCode: 5,
  outcome: { is: "refused", code: 5, because: /somebody\.conf:2/ },
  clear: sh(`rm -r ${directory} && systemctl daemon-reload`),
};
export default trap;
