import { dirname, join } from "node:path/posix";
import type { Need } from "../../daemon/access.ts";
import type { Needs } from "../../daemon/look-at-surroundings.ts";
import { RECORDS } from "../../daemon/place.ts";
import type { ParserFacts } from "./facts.ts";

/** Where the socket is of a server that does not tell: sid's MariaDB has another directory. */
const SOCKET = "/run/mysqld/mysqld.sock";

function runtimeOf(socket = SOCKET): string {
  return dirname(socket).replace(/^\/var(?=\/run\/)/, "");
}

/** What the server's user does with which path when it starts. */
export function needsOf(program: string, dataDirectory: string, paths: ParserFacts["paths"]): Needs {
  const data = dataDirectory.replace(/(?<=.)\/+$/, "");
  const at = (option: string) => {
    const path = paths?.get(option) ?? "";
    return path === "" || path.startsWith("(") ? undefined : path.startsWith("/") ? path : join(data, path);
  };
  const own = data;
  const files = (directory: string, ...names: readonly string[]): readonly Need[] =>
    names.map((name) => ({ path: join(directory, name), to: "write", own: directory }));
  const log = at("log-error");
  const init = at("init-file");
  const made = ["log-bin", "pid-file"]
    .flatMap((option) => at(option) ?? [])
    .map((path) => dirname(path).replace(/^\/var(?=\/run\/)/, ""))
    .filter((path) => path !== data && path !== runtimeOf(at("socket")));
  const runtime = runtimeOf(at("socket"));
  const directories = ["innodb-data-home-dir", "innodb-log-group-home-dir", "innodb-undo-directory"]
    .flatMap((option) => at(option) ?? [])
    .map((path) => path.replace(/(?<=.)\/+$/, ""))
    .filter((path) => path !== data);
  return {
    access: [
      { path: program, to: "execute" },
      { path: data, to: "enter", own, mustBeThere: true },
      { path: data, to: "write", own },
      ...files(data, "ibdata1", "ib_logfile0", "aria_log_control", "aria_log.00000001", "mysql"),
      { path: join(data, "mysql/*"), to: "read", own },
      ...directories.flatMap((path): readonly Need[] => [
        { path, to: "enter", own: path, mustBeThere: true },
        { path, to: "write", own: path },
        ...files(path, "ibdata1", "ib_logfile0"),
      ]),
      // One that is not there is made.
      ...(log === undefined
        ? []
        : ([
            { path: dirname(log), to: "pass", mustBeThere: true },
            { path: log, to: "write" },
            { path: dirname(log), to: "write", unlessThere: log },
          ] as const)),
      ...(at("tmpdir") === undefined
        ? []
        : at("tmpdir")!
            .split(":")
            .map((path) => ({ path, to: "write", mustBeThere: true }) as const)),
      // What is below /run goes with the unit that it was made for.
      ...made.map((path) => ({ path, to: "write", mustBeThere: !path.startsWith("/run/") }) as const),
      ...(init === undefined ? [] : ([{ path: init, to: "read", mustBeThere: true }] as const)),
      { path: runtime, to: "write" },
    ],
    places: [
      ...[data, ...directories, RECORDS].map((path) => ({ path, isData: true })),
      ...(log === undefined ? [] : [{ path: dirname(log), isData: false }]),
    ],
    made: [...new Set([runtime, ...made])].filter((path) => path.startsWith("/run/")),
    room: [data],
    packages: "(?:mariadb|mysql)-(?:server|common).*|galera-\\d",
  };
}
