import { deregister, eventually, mustRun, register } from "../../e2e/backends.ts";
import type { Trap } from "../trap.ts";

const path = "/services/user-api";

const trap: Trap = {
  title: "nothing installs what Synapse writes: a backend came, and haproxy.cfg is not rewritten any more",
  steps: "watcher",
  plant: async ({ lab, host }) => {
    await mustRun(host, "systemctl stop meshctl-haproxy-install.path");
    await register(lab.hosts[0]!, path, { name: "late", host, port: 9002 });
    await eventually(
      "Synapse's candidate",
      () => mustRun(host, "cat /var/lib/meshctl-watcher/haproxy.cfg 2>/dev/null || true"),
      (text) => text.includes(`${host.address}:9002 `),
    );
  },
  told: [
    {
      setting: "meshctl-haproxy-install.path",
      verdict: "not-in-force",
      because: /what runs has inactive, not enabled, running/,
    },
    { setting: "Synapse's last candidate", verdict: "different", because: /^\S+ waits where/ },
    { setting: "service user-api", verdict: "different", because: /where .*late_[0-9.]+:9002.* is wanted/ },
  ],
  outcome: { is: "mended" },
  clear: ({ lab }) => deregister(lab.hosts[0]!, path, "late"),
};
export default trap;
