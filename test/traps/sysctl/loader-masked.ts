import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "systemd-sysctl is masked: files and kernel are right, and the next boot reads no file",
  steps: "sysctl",
  plant: sh("systemctl mask --quiet systemd-sysctl"),
  told: [
    { setting: "systemd-sysctl.service", verdict: "blocked", because: /systemctl unmask systemd-sysctl/ },
    { setting: "net.ipv4.tcp_fin_timeout", verdict: "unknown", because: /no file is read at boot/ },
  ],
  verifyCode: 5,
  outcome: { is: "refused", code: 5, because: /systemctl unmask systemd-sysctl/ },
  clear: sh("systemctl unmask --quiet systemd-sysctl"),
};
export default trap;
