import { eventually, mustRun, zookeeper } from "../../e2e/backends.ts";
import { sh, type Trap } from "../trap.ts";

const path = "/services/order-api";

const trap: Trap = {
  title: "the service's path was taken out of ZooKeeper, which Synapse dies of until it has made it anew",
  steps: "watcher",
  plant: async ({ lab, host }) => {
    const restarts = () => mustRun(host, "systemctl show -P NRestarts meshctl-watcher");
    const before = await restarts();
    await zookeeper(lab.hosts[0]!, [`deleteall ${path}`, `rmr ${path}`]);
    await eventually("Synapse's death", restarts, (now) => now !== before);
  },
  told: [
    {
      setting: "meshctl-watcher.service",
      verdict: "not-in-force",
      because: /order-api failed ping|auto-restart/,
    },
  ],
  outcome: { is: "left alone" },
  // Its deaths are no later trap's.
  clear: sh("systemctl restart meshctl-watcher"),
};
export default trap;
