import { quotable } from "../terminal-text.ts";

/** "[ALERT]    (360) : …" of HAProxy ≥ 2.4, "[ALERT] 325/191322 (446) : …" before. */
const ALERT = /^\[ALERT\]\s+(?:\S+ )?\((\d+)\) : (.*)$/;
/** Where in the program it was said. */
const PLACE = /^\[\S*\(\)\] /;
/** Alerts of a worker that does its job or is told to end, and what only follows from the alert before. */
const NO_REASON = new RegExp(
  [
    "^backend '.*' has no server available",
    "^sendmsg\\(\\)/writev\\(\\) failed in logger",
    "^Current worker .* exited with code 143",
    "^Some protocols failed to start",
    "^(config : )?(Error\\(s\\)|Fatal errors) found in configuration",
  ].join("|"),
);

/**
 * Why HAProxy last refused to start or to reload, in its own words; undefined when it said nothing. `lines` are its
 * journal, oldest first; what processes in `living` said is no reason.
 */
export function lastRefusal(lines: readonly string[], living: readonly number[]): string | undefined {
  const reasons = lines.map((line) => reasonIn(line, living));
  const last = reasons.findLastIndex((reason) => reason !== undefined);
  if (last < 0) return undefined;
  const before = reasons.lastIndexOf(undefined, last);
  return [...new Set(reasons.slice(before + 1, last + 1))].join("; ");
}

function reasonIn(line: string, living: readonly number[]): string | undefined {
  const [, pid, said] = ALERT.exec(line) ?? [];
  if (said === undefined || living.includes(Number(pid))) return undefined;
  const message = quotable(said.replace(PLACE, "").trimEnd().replace(/\.$/, ""));
  return NO_REASON.test(message) ? undefined : message;
}
