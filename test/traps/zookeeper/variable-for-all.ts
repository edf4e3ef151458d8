import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "systemd's own environment gives Java an option at the next start",
  steps: "zookeeper",
  plant: sh("systemctl set-environment JAVA_TOOL_OPTIONS=-Xmx16m"),
  told: [
    {
      setting: "next start of zookeeper.service",
      verdict: "blocked",
      because: /JAVA_TOOL_OPTIONS is set for every service .* systemctl unset-environment JAVA_TOOL_OPTIONS/,
    },
  ],
  outcome: { is: "refused", code: 5, because: /systemctl unset-environment JAVA_TOOL_OPTIONS/ },
  clear: sh("systemctl unset-environment JAVA_TOOL_OPTIONS"),
};
export default trap;
