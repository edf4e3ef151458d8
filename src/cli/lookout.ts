import { withFlags } from "../command-line.ts";
import type { HostName } from "../contract/inventory-view.ts";
import type { HostOutcome } from "../engine/events.ts";
import { EXIT, exitCodeOf } from "../engine/exit-code.ts";
import { FleetView } from "../engine/fleet.ts";
import { Looks } from "../engine/looks.ts";
import { ConfigurationError, isAway } from "../errors.ts";
import type { MeshStatus } from "../status/mesh-status.ts";
import { isOfMesh, meshView } from "../status/mesh-view.ts";
import { statusOf } from "../status/status-of.ts";
import { type Loaded, limitOf } from "./load.ts";
import type { FileOptions, Verbosity } from "./options.ts";
import type { Remotes } from "./remotes.ts";
import type { Progress } from "./ui/progress.ts";

export interface LookFlags extends FileOptions, Verbosity {
  readonly limit?: string;
  readonly parallel: number;
}

/** One look: what it found, and how it ended for each reported host. */
export interface Look {
  readonly status: MeshStatus;
  readonly hosts: readonly StatusOutcome[];
  readonly exitCode: number;
  readonly durationMs: number;
}

type StatusOutcome = Pick<HostOutcome, "host" | "is" | "because" | "execs">;

/** Looks at every host of the mesh, as often as it is asked to. Changes nothing. */
export interface Lookout {
  readonly observed: readonly HostName[];
  look(): Promise<Look>;
}

/** Throws ConfigurationError when no host within the limit is part of the mesh. */
export function lookoutOf(
  { inventory, job }: Loaded,
  flags: LookFlags,
  remotes: Remotes,
  progress: Progress,
): Lookout {
  const limit = limitOf(flags.limit, inventory);
  const fleet = new FleetView(inventory, job);
  const observed = fleet.hosts.filter((host) => fleet.requests(host, isOfMesh).length > 0);
  const reported = observed.filter(limit);
  if (reported.length === 0) {
    throw new ConfigurationError("no host is part of the mesh here: see --limit and the playbook");
  }
  const looks = new Looks(fleet, remotes.of, {
    parallel: flags.parallel,
    touchedAtMs: () => Number.NEGATIVE_INFINITY,
  });
  return {
    observed,
    async look() {
      const startedAtMs = performance.now();
      await Promise.all(
        observed.map(async (host) => {
          const { beganAtMs, endedAtMs } = await looks.at(host, { steps: isOfMesh, isFurther: true });
          const durationMs = endedAtMs - beganAtMs;
          if (fleet.observation(host)?.is === "seen") progress.see({ event: "observed", host, durationMs });
        }),
      );
      const status = withFiles(statusOf(meshView(fleet, inventory, limit)), flags);
      const hosts = reported.map((host) => outcomeOf(host, fleet, status, remotes));
      const code = exitCodeOf(hosts);
      const exitCode = code === EXIT.asWanted && status.problems.length > 0 ? EXIT.drift : code;
      return { status, hosts, exitCode, durationMs: performance.now() - startedAtMs };
    },
  };
}

/** Commands of ours with the files that were named for this one. */
export function withFiles(
  status: MeshStatus,
  { inventory, playbook }: Pick<FileOptions, "inventory" | "playbook">,
): MeshStatus {
  const files = [
    ...(inventory ?? []).flatMap((file) => ["-i", file]),
    ...(playbook === undefined ? [] : ["-p", playbook]),
  ];
  const problems = status.problems.map((each) => ({ ...each, next: withFlags(each.next, files) }));
  return { ...status, problems };
}

function outcomeOf(host: HostName, fleet: FleetView, status: MeshStatus, remotes: Remotes): StatusOutcome {
  const { execs } = remotes.of(host);
  const observation = fleet.observation(host);
  if (observation?.is !== "seen") {
    const error = observation?.error;
    return { host, is: isAway(error) ? "unreachable" : "failed", because: error?.message, execs };
  }
  const broken = [...observation.facts].find(([, facts]) => facts.is === "broken");
  if (broken?.[1].is === "broken")
    return { host, is: "failed", because: `${broken[0]}: ${broken[1].because}`, execs };
  const problem = status.problems.find(({ hosts }) => hosts.includes(host));
  return { host, is: problem === undefined ? "as wanted" : "drift", because: problem?.what, execs };
}
