import { sh, squat, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "an exporter listens on 9100, which the wider local range takes in and nothing reserves",
  steps: "sysctl",
  plant: ({ host }) => squat(host, "0.0.0.0", 9100),
  told: [
    {
      setting: "net.ipv4.ip_local_port_range",
      verdict: "proven",
      because: /^perl listens on 9100, within 1024–65023 and not reserved/,
    },
  ],
  verifyCode: 0,
  outcome: { is: "left alone" },
  clear: sh("systemctl stop squatter"),
};
export default trap;
