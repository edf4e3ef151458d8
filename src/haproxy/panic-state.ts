import { type HaproxyConfig, serversOf } from "./config.ts";
import { type PanicSettings, stepsOf } from "./panic.ts";
import { type Altered, orderOf, type ServerState, serversAltered } from "./server-state.ts";

/** Servers of a service that are up by their checks, of those that have a share of the requests. */
export interface Panic {
  readonly up: number;
  readonly of: number;
}

/** As HAProxy counts them: undefined while enough are up. `servers` are all of the worker's. */
export function panicOf(
  servers: readonly ServerState[],
  service: string,
  { name, percent }: PanicSettings,
): Panic | undefined {
  const counted = (backend: string) =>
    servers.filter(
      (server) => server.backend === backend && !/^(MAINT|DRAIN)/.test(server.status) && server.weight > 0,
    );
  const up = counted(service).filter(({ status }) => !status.startsWith("DOWN")).length;
  const of = counted(name).length;
  return stepsOf(percent).some((step) => up <= step.up && of >= step.of) ? { up, of } : undefined;
}

/** "1 of 4 servers is up by its checks, fewer than panic_threshold (50%): requests go to all of them". */
export function panicWords(panic: Panic | undefined, { percent }: PanicSettings): string | undefined {
  if (panic === undefined) return undefined;
  const { up, of } = panic;
  return (
    `${up} of ${of} server${of === 1 ? " is" : "s are"} up by their checks, fewer than panic_threshold (${percent}%): ` +
    `requests go to ${of === 1 ? "it all the same" : "all of them"}`
  );
}

/**
 * What somebody told the worker of servers of the second back end. One that is in maintenance there alone, or not there
 * alone, is so by hand where the file says otherwise, too: a watcher tells HAProxy first and writes the file then.
 */
export function panicAltered(
  servers: readonly ServerState[],
  {
    started,
    onDisk,
  }: { readonly started: HaproxyConfig | undefined; readonly onDisk: HaproxyConfig | undefined },
  service: string,
  { name: panic }: PanicSettings,
  isWatched: boolean,
): readonly Altered[] {
  const known = serversAltered(servers, started, panic, isWatched);
  const own = new Map(
    servers.filter(({ backend }) => backend === service).map(({ name, status }) => [name, status]),
  );
  const isOut = (status: string | undefined) => status?.startsWith("MAINT") === true;
  const written = new Map(
    onDisk === undefined ? [] : serversOf(onDisk, panic).map(({ name, disabled }) => [name, disabled]),
  );
  const others = servers.flatMap(({ backend, name, status }): Altered[] => {
    if (backend !== panic || known.some((each) => each.name === name)) return [];
    const [out, disabled] = [isOut(status), written.get(name)];
    if (!own.has(name) || out === isOut(own.get(name)) || disabled === undefined || out === disabled)
      return [];
    const undo = orderOf("set server", `${panic}/${name}`, "state", out ? "ready" : "maint");
    return [{ name, how: out ? "is in maintenance" : "is in use", undo }];
  });
  return [...known, ...others].map((each) => ({ ...each, name: `${panic}/${each.name}` }));
}
