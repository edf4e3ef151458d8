import { type FileFact, fileFacts } from "../../evidence/file.ts";
import { fieldOf, requiredFieldOf, rowsOf, saidOf } from "../../evidence/probe-output.ts";
import { type UnitFact, unitFacts } from "../../evidence/unit.ts";
import { ProbeNotUnderstood, type ProbeOutput } from "../../step.ts";
import { type OptionRecord, persistedOptions, type Reader } from "./option-files.ts";
import { MARIADB, MYSQL, type Server } from "./server.ts";

export interface MysqlFacts {
  /** The drop-in of either server, by path. */
  readonly dropIns: ReadonlyMap<string, FileFact>;
  /** Undefined when no server is installed. */
  readonly installed: InstalledFacts | undefined;
}

export interface InstalledFacts {
  readonly server: Server;
  readonly unit: UnitFact;
  /** Whether systemd has a start, stop or restart of it still to do. */
  readonly hasJob: boolean;
  /** ExecStart= and Environment= as systemd shows them, and lines of the environment files. */
  readonly unitOptions: string;
  readonly process:
    | { readonly pid: number; readonly seconds: number; readonly commandLine: string }
    | undefined;
  readonly options: readonly OptionRecord[];
  readonly reader: Reader;
  /** What SET PERSIST left and the server will load, and where. */
  readonly persisted: ReadonlyMap<string, string>;
  readonly persistedIn: string;
  /** What the server's own option parser said. */
  readonly parser: {
    readonly version: string;
    readonly groups: ReadonlySet<string>;
    /** Name with "_" → value. */
    readonly values: ReadonlyMap<string, number>;
    readonly errors: readonly string[];
    readonly exitCodes: readonly number[];
  };
  /** Variables and status of the running server; undefined when it was not asked or did not answer. */
  readonly live: ReadonlyMap<string, string> | undefined;
  readonly liveError: string | undefined;
  /** Who listens on the socket that answered; 0 when it could not be told. */
  readonly answeredBy: { readonly pid: number; readonly socket: string } | undefined;
  /** The last lines that a server which does not come up wrote. */
  readonly errors: readonly string[];
}

export function mysqlFacts(output: ProbeOutput): MysqlFacts {
  const name = requiredFieldOf(output, "server");
  const dropIns = fileFacts(output);
  for (const { dropIn } of [MARIADB, MYSQL]) {
    if (!dropIns.has(dropIn)) throw new ProbeNotUnderstood(`nothing was printed of ${dropIn}`);
  }
  const server = [MARIADB, MYSQL].find((candidate) => candidate.name === name);
  if (server === undefined && name !== "none") throw new ProbeNotUnderstood(`there is no server "${name}"`);
  return { dropIns, installed: server === undefined ? undefined : installedFacts(output, server) };
}

function installedFacts(output: ProbeOutput, server: Server): InstalledFacts {
  const unit = unitFacts(output).get(server.unit);
  if (unit === undefined) throw new ProbeNotUnderstood(`nothing was printed of ${server.unit}`);
  const [user, groups, protectSystem] = rowsOf(output, "user")[0] ?? [];
  const [pid, seconds, commandLine] = rowsOf(output, "process")[0] ?? [];
  const [answeringPid, socket] = rowsOf(output, "answered_by")[0] ?? [];
  const parser = rowsOf(output, "parser");
  const said = (what: string) => parser.filter(([kind]) => kind === what).map((row) => row[1] ?? "");
  const values = new Map(
    parser
      .filter(([kind]) => kind === "value")
      .map(([, variable, value]) => [variable!.replaceAll("-", "_"), Number(value)]),
  );
  const [persistedIn, persisted] = rowsOf(output, "persisted")[0] ?? [];
  const live = new Map(rowsOf(output, "live").map(([variable, value]) => [variable!, value ?? ""]));
  return {
    server,
    unit,
    hasJob: (fieldOf(output, "job") ?? "") !== "",
    unitOptions: rowsOf(output, "unit_options")
      .map(([text]) => text ?? "")
      .join("\n"),
    process:
      pid === undefined
        ? undefined
        : { pid: Number(pid), seconds: Number(seconds), commandLine: commandLine ?? "" },
    options: rowsOf(output, "conf").map(optionRecord),
    reader: {
      user: user ?? "mysql",
      groups: (groups ?? "").split(" "),
      readOnlyEtc: protectSystem === "full" || protectSystem === "strict",
    },
    // The parser itself shows only those that the server takes as options: the others are set once it has started.
    persisted: values.get("persisted_globals_load") === 0 ? new Map() : persistedOptions(persisted ?? "{}"),
    persistedIn: persistedIn ?? "",
    parser: {
      version: /\bVer (\S+)/.exec(said("version")[0] ?? "")?.[1] ?? "",
      groups: new Set((said("groups")[0] ?? "").split(" ")),
      values,
      errors: said("error"),
      exitCodes: said("exit").map(Number),
    },
    live: live.size === 0 ? undefined : live,
    liveError: saidOf(output, "live_error"),
    answeredBy: socket === undefined ? undefined : { pid: Number(answeringPid) || 0, socket },
    errors: rowsOf(output, "error").map(([line]) => line ?? ""),
  };
}

function optionRecord([is, path, third, text]: readonly string[]): OptionRecord {
  switch (is) {
    case "file": {
      const [mode, owner, group] = (third ?? "").split(" ");
      return { is, path: path!, access: { mode: mode ?? "", owner: owner ?? "", group: group ?? "" } };
    }
    case "line":
      return { is, path: path!, line: Number(third), text: text ?? "" };
    case "directory":
    case "end":
      return { is, path: path! };
    default:
      throw new ProbeNotUnderstood(`a "conf" record of kind "${is}"`);
  }
}
