import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "a slice above its unit has less memory than its heap",
  steps: "zookeeper",
  plant: sh(
    "mkdir -p /etc/systemd/system/zookeeper.service.d && printf '[Service]\\nSlice=apps-coordination.slice\\n' >/etc/systemd/system/zookeeper.service.d/slice.conf && printf '[Slice]\\nMemoryMax=200M\\n' >/etc/systemd/system/apps.slice && systemctl daemon-reload",
  ),
  told: [
    {
      setting: "next start of zookeeper.service",
      verdict: "blocked",
      because: /MemoryMax=200M of apps\.slice, which zookeeper\.service is in, is less/,
    },
  ],
  outcome: { is: "refused", code: 5, because: /MemoryMax=200M of apps\.slice/ },
  clear: sh(
    "rm -r /etc/systemd/system/zookeeper.service.d /etc/systemd/system/apps.slice && systemctl daemon-reload",
  ),
};
export default trap;
