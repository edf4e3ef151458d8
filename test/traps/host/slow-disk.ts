import { eventually } from "../../e2e/backends.ts";
import { atHost, sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "the disk is too slow for the ZooKeeper that is to run on it",
  steps: "preflight",
  // Nothing slows a lab host's disk alone: what is asked for is what no disk can do. Where ZooKeeper runs it is asked
  // instead, and tells whole milliseconds.
  plant: sh("systemctl stop zookeeper"),
  told: [
    { setting: "disk latency", verdict: "blocked", because: /^a flush takes .* the median of 10 writes/ },
  ],
  outcome: { is: "refused", code: 5, because: /disk latency: a flush takes/ },
  inventory: (yaml) => atHost(yaml, "kvm-03", "preflight: { flush_latency_max: 0ms }"),
  // It may have led: the others choose anew, and every watcher connects again.
  clear: async (world) => {
    await sh("systemctl start zookeeper")(world);
    await eventually(
      "the mesh's verdict",
      async () => (await world.run("verify", "--steps", "zookeeper,watcher")).code,
      (code) => code === 0,
      60_000,
    );
  },
};
export default trap;
