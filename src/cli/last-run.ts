import { readFileSync } from "node:fs";
import type { HostName } from "../contract/inventory-view.ts";
import { ConfigurationError } from "../errors.ts";
import { fileError } from "../inventory/file-error.ts";
import { hasChanged, type WrittenOutcome, writtenRun, writtenRuns } from "./journal.ts";

const CHANGING = ["provision", "restore", "reboot"];
const TERM = /^([!&]?)@(failed|changed)(?::(.+))?$/;
const FILE_TERM = /^([!&]?)@(.+)$/;

/**
 * A pattern of hosts in which `@failed` and `@changed` are replaced by the hosts of the last run that may have changed any,
 * or of the one that is named: `@failed:RUN`; `@FILE` by the names in a file, one a line. Throws ConfigurationError when
 * there is no such run, host or file.
 */
export function withLastRun(pattern: string): string {
  return pattern
    .split(",")
    .map((term) => {
      const [, how, which, run] = TERM.exec(term.trim()) ?? FILE_TERM.exec(term.trim()) ?? [];
      if (which === undefined) return term;
      const hosts = which === "failed" || which === "changed" ? hostsOf(which, run) : namesIn(which);
      return `${how}${hosts.join("|")}`;
    })
    .join(",");
}

function hostsOf(which: string, named: string | undefined): readonly HostName[] {
  const run = named ?? lastRun();
  const written = writtenRun(run);
  if (written?.summary === undefined)
    throw new ConfigurationError(`@${which}: nothing is written of how run ${run} ended: see "meshctl runs"`);
  const isMeant = (outcome: WrittenOutcome) =>
    which === "changed"
      ? hasChanged(outcome)
      : !["as wanted", "restored", "listed", "drift"].includes(outcome.outcome);
  const hosts = written.outcomes.filter(isMeant).map(({ host }) => host);
  if (hosts.length === 0) throw new ConfigurationError(`@${which}: no host ${which} in run ${run}`);
  return hosts;
}

/** Names in a file, parted by blanks, commas and line breaks; what follows "#" is none. */
function namesIn(path: string): readonly HostName[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigurationError(
      `@${path}: ${fileError(error)}; @failed and @changed are hosts of the last run, and @FILE those that a file names`,
    );
  }
  const names = text
    .replace(/#.*/g, "")
    .split(/[\s,]+/)
    .filter((name) => name !== "");
  if (names.length === 0) throw new ConfigurationError(`@${path}: it names no host`);
  return names;
}

function lastRun(): string {
  const run = writtenRuns().findLast((name) => CHANGING.includes(String(writtenRun(name)?.asked.command)));
  if (run === undefined)
    throw new ConfigurationError(
      "no run that changes hosts is written down on this machine yet, so there is nothing for @failed and @changed",
    );
  return run;
}
