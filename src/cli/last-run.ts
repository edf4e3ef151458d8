import { ConfigurationError } from "../errors.ts";
import type { HostName } from "../inventory/view.ts";
import { writtenEvents, writtenRuns } from "./journal.ts";

const CHANGING = ["provision", "restore"];
const TERM = /^(!?)@(failed|changed)(?::(.+))?$/;

interface Outcome {
  readonly host: HostName;
  readonly outcome: string;
  readonly changed: readonly unknown[];
  readonly unproven: readonly unknown[];
}

/**
 * A pattern of hosts in which `@failed` and `@changed` are replaced by the hosts of the last run that may have changed any,
 * or of the one that is named: `@failed:RUN`. Throws ConfigurationError when there is no such run or host.
 */
export function withLastRun(pattern: string): string {
  return pattern
    .split(",")
    .map((term) => {
      const [, not, which, run] = TERM.exec(term.trim()) ?? [];
      if (which === undefined) return term;
      const hosts = hostsOf(which, run);
      return hosts.map((host) => `${not}${host}`).join(",");
    })
    .join(",");
}

function hostsOf(which: string, named: string | undefined): readonly HostName[] {
  const run = named ?? lastRun();
  const summary = writtenEvents(run)?.findLast(({ event }) => event === "summary");
  if (summary === undefined)
    throw new ConfigurationError(`@${which}: nothing is written of how run ${run} ended: see "meshctl runs"`);
  const isMeant = ({ outcome, changed, unproven }: Outcome) =>
    which === "changed"
      ? changed.length + unproven.length > 0
      : !["as wanted", "restored", "listed", "drift"].includes(outcome);
  const hosts = (summary.hosts as readonly Outcome[]).filter(isMeant).map(({ host }) => host);
  if (hosts.length === 0) throw new ConfigurationError(`@${which}: no host ${which} in run ${run}`);
  return hosts;
}

function lastRun(): string {
  const run = writtenRuns().findLast((name) =>
    CHANGING.includes(String(writtenEvents(name)?.find(({ event }) => event === "asked")?.command)),
  );
  if (run === undefined)
    throw new ConfigurationError(
      "no run that changes hosts is written down on this machine yet, so there is nothing for @failed and @changed",
    );
  return run;
}
