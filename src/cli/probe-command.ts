import { randomBytes } from "node:crypto";
import { type Canary, isCanary, probeService, type ServiceProbe } from "../canary/prove-service.ts";
import type { HostName } from "../contract/inventory-view.ts";
import type { RegisteredService } from "../contract/mesh.ts";
import { EXIT, exitCodeOf } from "../engine/exit-code.ts";
import { runName } from "../engine/run-name.ts";
import { ConfigurationError } from "../errors.ts";
import type { Inventory } from "../inventory/inventory.ts";
import { didYouMean } from "../inventory/nearest-name.ts";
import type { ServiceStatus } from "../status/mesh-status.ts";
import { load } from "./load.ts";
import { type Look, type LookFlags, lookoutOf } from "./lookout.ts";
import { tells } from "./options.ts";
import { problemsOn } from "./probe-problems.ts";
import { isInteractive, remotesOf } from "./remotes.ts";
import { eventLine } from "./report/ndjson.ts";
import { type ProbeEnd, probeEvents } from "./report/probe-events.ts";
import { stopSignal, unlessStopped } from "./stop-signal.ts";
import { paintFor } from "./ui/paint.ts";
import { probeView } from "./ui/probe-view.ts";
import { Progress } from "./ui/progress.ts";
import { problemsView } from "./ui/status-view.ts";
import { widthOf } from "./ui/wrapped.ts";

export interface ProbeFlags extends LookFlags {
  readonly canaryHost?: string;
  readonly port: number;
  /** Seconds. */
  readonly timeout: number;
}

/** Probes one service or all, one after another, and shows it. Returns the exit code. */
export async function probeCommand(named: string | undefined, flags: ProbeFlags): Promise<number> {
  const loaded = await load(flags);
  const { inventory } = loaded;
  const services = servicesToProbe(named, inventory);
  const progress = new Progress(process.stderr, {
    paint: paintFor(process.stderr, flags.color),
    verbose: false,
  });
  const remotes = remotesOf(inventory, progress, isInteractive(flags), tells(flags, 1));
  const lookout = lookoutOf(loaded, flags, remotes, progress);
  const canaryHost = flags.canaryHost;
  if (canaryHost !== undefined && !lookout.observed.includes(canaryHost))
    throw new ConfigurationError(`--canary-host: ${canaryHost} is no host of the mesh`);
  const stop = stopSignal();
  const show = screenFor(flags, runName());
  const probes: ServiceProbe[] = [];
  let before: Look | undefined;
  let interrupted: ServiceProbe | undefined;
  let after: Look | undefined;
  try {
    progress.see({ event: "run", command: "probe", hosts: lookout.observed, steps: [] });
    before = await unlessStopped(lookout.look(), stop.signal);
    progress.end();
    if (before !== undefined) {
      const seen = before.hosts.filter(({ is }) => is !== "unreachable").map(({ host }) => host);
      const proxies = before.status.proxies.map(({ host }) => host).filter((host) => seen.includes(host));
      let last = before;
      for (const service of services) {
        if (stop.signal.aborted || proxies.length === 0) break;
        // What was registered may have left while the services before this one were probed.
        if (probes.length > 0) last = (await unlessStopped(lookout.look(), stop.signal)) ?? last;
        if (stop.signal.aborted) break;
        const status = last.status.services.find(({ name }) => name === service.name);
        const canary = canaryFor(canaryHost ?? proxies[0]!, inventory, flags.port);
        const refused = refusalOf(status);
        const probe =
          refused !== undefined
            ? { service: service.name, canary, proxies: [], refused }
            : await probeService({
                service,
                canary,
                proxies,
                members: inventory.mesh.ensemble.map(
                  ({ address }) => `${address}:${inventory.mesh.zookeeper.clientPort}`,
                ),
                auth: inventory.mesh.zookeeper.auth,
                nonce: randomBytes(12).toString("hex"),
                deadlineMs: flags.timeout * 1000,
                remoteOf: remotes.of,
                waiting: (until) => {
                  const because = `until the canary of ${service.name} is ${until} on every proxy`;
                  progress.see({ event: "waiting", host: canary.host, step: "probe", because });
                  show.waiting(service.name, canary, until);
                },
                stop: stop.signal,
              });
        progress.end();
        if (stop.signal.aborted) {
          interrupted = probe;
          break;
        }
        probes.push(probe);
        show.see(probe);
      }
      // Why, in the words of the proxies' own layers.
      if (!stop.signal.aborted && probes.some((probe) => isOpen(probe)))
        after = await unlessStopped(lookout.look(), stop.signal);
    }
  } finally {
    progress.end();
    stop.unwatch();
    await remotes.end();
  }
  const exitCode = stop.signal.aborted ? EXIT.interrupted : exitCodeFor(before, probes, named);
  show.end({ exitCode, before, after, probes, interrupted });
  return exitCode;
}

/** What proves services without a path. */
const INSTEAD =
  "`meshctl verify --steps haproxy,watcher` makes a request through each front end of every proxy";

/** Throws ConfigurationError when there is none, or none of that name. */
function servicesToProbe(named: string | undefined, { mesh }: Inventory): readonly RegisteredService[] {
  const discovered = mesh.services.filter(
    (service): service is RegisteredService => service.discovery.by === "zookeeper",
  );
  if (named === undefined) {
    if (discovered.length === 0)
      throw new ConfigurationError(
        `no service of the inventory has a path: there is nothing to register a canary at. ${INSTEAD}`,
      );
    return discovered;
  }
  const found = discovered.filter(({ name }) => name === named);
  if (found.length > 0) return found;
  const other = mesh.services.find(({ name }) => name === named);
  if (other !== undefined) {
    const place = other.discovery.by === "dns" ? "come from DNS" : "stand in the inventory";
    throw new ConfigurationError(
      `${named} has no path: its servers ${place}, and a canary can be registered in ZooKeeper alone. ${INSTEAD}`,
    );
  }
  const names = discovered.map(({ name }) => name);
  throw new ConfigurationError(
    `there is no service '${named}'${didYouMean(named, names) || `; there are ${names.join(", ")}`}`,
  );
}

function canaryFor(host: HostName, { hosts }: Inventory, port: number): Canary {
  return { host, address: hosts.get(host)!.address, port };
}

/** Alone, the canary would take the place of the last backends that Synapse keeps, and be kept itself. */
function refusalOf(status: ServiceStatus | undefined): string | undefined {
  if (status === undefined || status.registered === undefined)
    return "the registrations cannot be read: see meshctl status";
  const others = status.backends.filter(({ name, origin }) => origin === "registered" && !isCanary(name));
  return others.length > 0
    ? undefined
    : "not probed: no backend is registered, and a canary alone would take the place of what Synapse keeps";
}

function isOpen({ proxies, failed, refused }: ServiceProbe): boolean {
  return (
    failed !== undefined || refused !== undefined || proxies.some(({ because }) => because !== undefined)
  );
}

/** A service that was named must be probed; of all services those with nothing registered may be left out. */
function exitCodeFor(
  before: Look | undefined,
  probes: readonly ServiceProbe[],
  named: string | undefined,
): number {
  const hosts = before?.hosts ?? [];
  const code = exitCodeOf(hosts.map(({ is }) => ({ is: is === "unreachable" ? is : "as wanted" })));
  if (code !== EXIT.asWanted) return code;
  const proved = probes.filter((probe) => !isOpen(probe)).length;
  const open = probes.filter(
    (probe) => isOpen(probe) && (named !== undefined || probe.refused === undefined),
  );
  return open.length > 0 || proved === 0 ? EXIT.drift : EXIT.asWanted;
}

interface ProbeScreen {
  waiting(service: string, canary: Canary, until: "served" | "gone"): void;
  see(probe: ServiceProbe): void;
  end(end: ProbeEnd): void;
}

function screenFor(flags: ProbeFlags, run: string): ProbeScreen {
  const { stdout, stderr } = process;
  if (flags.json) {
    const write = (event: Record<string, unknown>) => stdout.write(eventLine(run, event));
    return {
      waiting: (service, canary, until) => write({ event: "canary", service, ...canary, until }),
      see: () => {},
      end: (end) => probeEvents(end).forEach(write),
    };
  }
  const paint = paintFor(stdout, flags.color);
  const columns = widthOf(stdout, 120);
  return {
    waiting: () => {},
    see: (probe) => stdout.write(`${probeView(probe, { paint })}\n\n`),
    end: ({ exitCode, before, after, probes, interrupted }) => {
      if (exitCode === EXIT.interrupted) stderr.write(`\n${stoppedWords(interrupted)}\n`);
      const status = after?.status ?? (probes.length === 0 ? before?.status : undefined);
      const problems = status === undefined ? [] : problemsOn(status, probes);
      if (problems.length > 0)
        stdout.write(`${problemsView(problems, { paint, columns, verbose: false })}\n`);
    },
  };
}

/** What became of the canary when a probe was stopped. */
export function stoppedWords(probe: ServiceProbe | undefined): string {
  if (probe === undefined || probe.refused !== undefined || probe.failed !== undefined) return "Stopped.";
  const { canary, isLeft, service } = probe;
  return isLeft === true
    ? `Stopped; ${canary.host} did not say that the canary of ${service} is gone. It goes by itself within some seconds; meshctl status shows whether it has.`
    : "Stopped; the canary was taken away.";
}
