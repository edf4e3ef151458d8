import type { HostName } from "../contract/inventory-view.ts";
import { inParallel } from "../engine/observe.ts";
import type { Remote } from "../remote/remote.ts";
import { tells } from "./options.ts";
import { isInteractive, type ReachedHosts, remotesOf } from "./remotes.ts";
import { paintFor } from "./ui/paint.ts";
import { Progress } from "./ui/progress.ts";

interface OnHosts {
  readonly json?: boolean;
  readonly color: boolean;
  readonly verbose?: number;
  readonly parallel: number;
}

/** What the work gives for each host, in their order; sessions are ended whatever comes of it. */
export async function onHosts<T>(
  inventory: ReachedHosts,
  hosts: readonly HostName[],
  flags: OnHosts,
  work: (remote: Remote, host: HostName) => Promise<T>,
): Promise<readonly { readonly host: HostName; readonly result: T }[]> {
  const progress = new Progress(process.stderr, {
    paint: paintFor(process.stderr, flags.color),
    verbose: false,
  });
  const remotes = remotesOf(inventory, progress, isInteractive(flags), tells(flags, 1));
  const results = new Map<HostName, T>();
  try {
    await inParallel(hosts, flags.parallel, async (host) => {
      results.set(host, await work(remotes.of(host), host));
    });
  } finally {
    progress.end();
    await remotes.end();
  }
  return hosts.map((host) => ({ host, result: results.get(host)! }));
}
