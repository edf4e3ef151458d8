import type { Step } from "../../step.ts";
import { everyone } from "../../waves.ts";
import { assess } from "./assess.ts";
import { type WatcherDesired, watcherDesired } from "./desired.ts";
import { type WatcherFacts, watcherFacts } from "./facts.ts";
import { type WatcherParameters, watcherParameters } from "./parameters.ts";
import { isUnneeded } from "./switched-off.ts";

/** Synapse: follows ZooKeeper and is the one that writes haproxy.cfg, through an installer of ours. */
export const watcher: Step<WatcherParameters, WatcherDesired, WatcherFacts> = {
  name: "watcher",
  title: "Watcher (Synapse)",
  parameters: watcherParameters,

  problems({ build_host }, _host, inventory) {
    if (build_host === undefined || inventory.hosts.has(build_host)) return [];
    return [{ path: ["build_host"], message: `"${build_host}" is not a host of the inventory` }];
  },

  desired: watcherDesired,

  // Ruby with Synapse, its threads and its libraries.
  claims: (desired) =>
    isUnneeded(desired)
      ? {}
      : { packages: ["ruby"], memory: [{ bytes: 100 * 1024 * 1024, what: "Synapse" }] },

  probe({ clientPort, members, services }) {
    return {
      file: new URL("./probe.sh", import.meta.url),
      args: [
        String(clientPort),
        members.join(","),
        ...services.flatMap(({ name, path }) => (path === undefined ? [] : [name, path])),
      ],
    };
  },

  facts: watcherFacts,
  assess,
  // Synapse may stop anywhere: HAProxy serves on with what it has.
  next: everyone,
  settle: { deadlineMs: 60_000, stableMs: 5_000 },
};
