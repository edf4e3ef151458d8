import type { HostName } from "../contract/inventory-view.ts";
import { ConfigurationError } from "../errors.ts";
import type { HostOutcome } from "./events.ts";
import { EXIT, exitCodeOf } from "./exit-code.ts";
import { FleetView } from "./fleet.ts";
import { list, runsOf } from "./list.ts";
import { Restoration } from "./restoration.ts";
import type { RunOptions } from "./run.ts";

export type RestoreOptions = Omit<RunOptions, "command"> & {
  /** The run whose files are to be put back; undefined only lists what can be. */
  readonly of: string | undefined;
};

/**
 * Lists what earlier runs replaced, or puts back what one of them did: step by step, as many hosts at a time as the
 * step allows, and with proof that every service is healthy with its old files. Returns the exit code that the
 * summary event carries. Throws ConfigurationError when there is nothing to do: no host is changed then.
 */
export async function restore(options: RestoreOptions): Promise<number> {
  const { emit, inventory, ledger, of, remoteOf, stop } = options;
  const startedAtMs = performance.now();
  const fleet = new FleetView(inventory, options.job);
  const order = fleet.order.filter(({ step }) => options.steps(step.name)).map(({ step }) => step);
  const hosts = [...inventory.hosts.keys()].filter(options.limit);
  emit({ event: "run", command: "restore", hosts, steps: order.map(({ name }) => name) });

  const fail = (host: HostName, step: string, because: string, output?: string) => {
    if (ledger.fail(host, `${step}: ${because}`)) emit({ event: "failed", host, step, because, output });
  };
  const { kept, away } = await list(hosts, { ...options, fail });
  const end = (concerned: readonly HostName[], done: Pick<HostOutcome, "is" | "because">): number => {
    const outcomes = concerned.map((host) => {
      const error = away.get(host);
      const left = ledger.isInterrupted(host)
        ? ({ is: "interrupted", because: "not everything was put back" } as const)
        : done;
      const is = error === undefined ? left : ({ is: "unreachable", because: error.message } as const);
      return ledger.outcome(host, is, remoteOf(host).execs);
    });
    const exitCode = stop.aborted ? EXIT.interrupted : exitCodeOf(outcomes);
    emit({ event: "summary", exitCode, hosts: outcomes, durationMs: performance.now() - startedAtMs });
    return exitCode;
  };
  if (of === undefined) return end(hosts, { is: "listed" });
  const concerned = hosts.filter((host) => runsOf(kept.get(host), of).length > 0 || !kept.has(host));
  if (concerned.length === 0) {
    throw new ConfigurationError(
      `no host keeps anything of run ${of}, or it is all as it was before: "meshctl restore" lists the runs`,
    );
  }

  const restoration = new Restoration({ ...options, of, fleet, order, kept, fail });
  const planned = await restoration.plan(concerned);
  if (!planned.some(({ plans }) => plans.size > 0)) {
    if (concerned.some(restoration.isOpen))
      emit({ event: "note", text: `All of it is as it was before run ${of} already.` });
    return end(concerned, { is: "restored" });
  }
  if (!stop.aborted && !(await options.confirm())) {
    emit({ event: "note", text: "Nothing was changed." });
    return end(concerned, { is: "drift", because: "not everything was put back" });
  }
  await restoration.carryOut(planned);
  return end(concerned, { is: "restored" });
}
