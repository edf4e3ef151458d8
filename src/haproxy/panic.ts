import { isFollowed, type Service } from "../contract/mesh.ts";
import { saysBackup, uncheckedOptions } from "./check-words.ts";

/**
 * What a service does while fewer of its servers than its threshold are up by their checks: a proxy short of CPU, or a
 * pause that all backends share, fails checks of servers that are well. Its requests go to a second back end then, which
 * has all of them, unchecked; each front end counts both for every request.
 */
export interface PanicSettings {
  /** The second back end. */
  readonly name: string;
  /** Share of the servers, in percent. */
  readonly percent: number;
  /** Lines of the front end. */
  readonly rules: readonly string[];
  /** Lines of the second back end but its servers. */
  readonly backend: readonly string[];
}

/** No service's name holds a colon; backend-policy.rb, drop-refused-servers.pl and halve-new-servers.pl know it too. */
const panicName = (service: string): string => `${service}:panic`;

/** `backend` are the lines of the service's own back end. Undefined where nothing is to be done. */
export function panicSettings(service: Service, backend: readonly string[]): PanicSettings | undefined {
  const { name, panicPercent: percent = 0, check, servers, lines } = service;
  // What has a backup knows what to do, and what nobody checks is never down.
  const defaults = backend.filter((line) => line.startsWith("default-server "));
  const options = isFollowed(service) ? [] : servers.map((server) => server.options);
  const hasBackup = [...defaults, ...options, lines?.server].some((words) => saysBackup(words ?? ""));
  if (percent === 0 || check.off || hasBackup) return undefined;
  return {
    name: panicName(name),
    percent,
    rules: stepsOf(percent).map(
      ({ up, of }) =>
        `use_backend ${panicName(name)} if { nbsrv(${name}) le ${up} } { nbsrv(${panicName(name)}) ge ${of} }`,
    ),
    backend: backend.map((line) => (line.startsWith("default-server ") ? uncheckedOptions(line) : line)),
  };
}

/** Up to how many servers each number has a line of its own; from there on the next is half as much again. */
const EACH_UP_TO = 7;
const MOST = 500;

/**
 * HAProxy 1.5 compares a number with a constant only: "at most `up` are up, of at least `of`". Every step is below the
 * threshold; with many servers the numbers between two steps are told by the lower one.
 */
export function stepsOf(percent: number): readonly { readonly up: number; readonly of: number }[] {
  const steps: { up: number; of: number }[] = [];
  for (let up = 0; up < MOST; up = up < EACH_UP_TO ? up + 1 : Math.floor(up * 1.5))
    steps.push({ up, of: Math.floor((100 * up) / percent) + 1 });
  return steps;
}
