import type { Step } from "../../contract/step.ts";
import { GEM_PATHS, gemProblems } from "../../smartstack/gem-parameters.ts";
import { rubyRequirements } from "../../smartstack/gem-set.ts";
import { everyone } from "../../waves.ts";
import { assess } from "./assess.ts";
import { isUnneeded, type WatcherDesired, watcherDesired } from "./desired.ts";
import type { WatcherFacts } from "./facts.ts";
import { renderedFiles } from "./files.ts";
import { lookAtWatcher } from "./look.ts";
import { type WatcherParameters, watcherParameters } from "./parameters.ts";
import { HAPROXY_CONFIG } from "./paths.ts";
import { service } from "./service.ts";
import { vitals } from "./vitals.ts";

/** Synapse: follows ZooKeeper and DNS, and is the one that writes haproxy.cfg, through an installer of ours. */
export const watcher: Step<WatcherParameters, WatcherDesired, WatcherFacts> = {
  name: "watcher",
  title: "Watcher (Synapse)",
  parameters: watcherParameters,
  localPaths: GEM_PATHS,

  problems: (parameters, _host, inventory) => gemProblems(parameters, inventory),

  desired: watcherDesired,

  // Ruby with Synapse, its threads and its libraries.
  claims: (desired, host, facts) =>
    isUnneeded(desired)
      ? {}
      : {
          packages: ["ruby"],
          memory: [{ bytes: 100 * 1024 * 1024, what: "Synapse" }],
          requires: rubyRequirements("Synapse", host, facts),
        },

  files: ({ desired, machine }) => (isUnneeded(desired) ? [] : renderedFiles(desired, machine)),

  // Each change of a backend does.
  rewritten: (desired) => (isUnneeded(desired) ? [] : [HAPROXY_CONFIG]),

  look: lookAtWatcher,
  assess,
  // Synapse may stop anywhere: HAProxy serves on with what it has.
  needs: "self",
  next: everyone,
  service,
  vitals,
  settle: { deadlineMs: 60_000, stableMs: 5_000 },
};
