import type { Listener } from "../contract/host.ts";

/** A listening socket as `ss -Hltnp` shows it. */
export interface Socket extends Listener {
  /** Address and port in ss's own words. */
  readonly local: string;
  /** Of the processes that have it open. */
  readonly pids: readonly number[];
  /** Their names. */
  readonly users: ReadonlyMap<number, string>;
}

/** Of what `ss -Hltnp` printed. */
export function socketsOf(text: string): readonly Socket[] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const [, , , local = "", , ...users] = line.trim().split(/\s+/);
      const who = users.join(" ");
      return {
        local,
        ...socketOf(local),
        process: /"([^"]*)"/.exec(who)?.[1] ?? "",
        ...holdersIn(who),
      };
    });
}

/** Of `users:(("haproxy",pid=388,fd=7),…)`. A process chooses its name. */
function holdersIn(who: string): Pick<Socket, "pids" | "users"> {
  const users = new Map(
    [...who.matchAll(/\("((?:[^"\\]|\\.)*)",pid=(\d+),/g)].map(
      ([, name, pid]) => [Number(pid), name!] as const,
    ),
  );
  return { pids: [...who.matchAll(/\bpid=(\d+)/g)].map(([, pid]) => Number(pid)), users };
}

/** `ss` prints "127.0.0.1:8080", "[::1]:22", "*:2181", "127.0.0.1%lo:53". A wildcard becomes "0.0.0.0" or "::". */
function socketOf(local: string): { readonly address: string; readonly port: number } {
  const colon = local.lastIndexOf(":");
  const [address] = local
    .slice(0, colon)
    .replace(/^\[(.*)\]$/, "$1")
    .split("%", 1) as [string];
  return { address: address === "*" ? "::" : address, port: Number(local.slice(colon + 1)) };
}
