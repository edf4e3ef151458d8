import type { HostName } from "../contract/inventory-view.ts";
import { isAway } from "../errors.ts";
import type { Remote } from "../remote/remote.ts";
import type { Emit } from "./events.ts";
import { copyOf, isAdopted, type Kept, readKept } from "./kept.ts";
import { inParallel } from "./observe.ts";

interface ListContext {
  /** The run to list; undefined: all of them. */
  readonly of: string | undefined;
  readonly parallel: number;
  readonly remoteOf: (host: HostName) => Remote;
  readonly emit: Emit;
  /** Called for a host that answers and whose list cannot be read. */
  readonly fail: (host: HostName, step: string, because: string) => void;
}

/** What hosts keep of runs, and why the others could not be asked. */
interface Listed {
  readonly kept: Map<HostName, Kept>;
  readonly away: ReadonlyMap<HostName, Error>;
}

/** Reads what earlier runs replaced on hosts, and tells of it in the order of the hosts. Changes nothing. */
export async function list(hosts: readonly HostName[], context: ListContext): Promise<Listed> {
  const { of, emit, remoteOf, fail } = context;
  const kept = new Map<HostName, Kept>();
  const away = new Map<HostName, Error>();
  await inParallel(hosts, context.parallel, async (host) => {
    const beganAtMs = performance.now();
    try {
      kept.set(host, await readKept(remoteOf(host), of));
      emit({ event: "observed", host, durationMs: performance.now() - beganAtMs });
    } catch (error) {
      if (isAway(error)) {
        away.set(host, error);
        emit({ event: "unreachable", host, error });
      } else fail(host, "restore", (error as Error).message);
    }
  });
  for (const host of hosts) {
    for (const [run, files] of runsOf(kept.get(host), of)) {
      const told = files.map((file) => ({
        step: file.step,
        path: file.path,
        ...(isAdopted(file) ? { adopted: copyOf(run, file.path) } : {}),
      }));
      emit({ event: "kept", host, of: run, files: told });
    }
  }
  return { kept, away };
}

/** The runs that a host keeps something of, or the one that is asked for if it does. */
export function runsOf(kept: Kept | undefined, of: string | undefined) {
  return [...(kept?.runs ?? [])].filter(([run]) => of === undefined || run === of);
}
