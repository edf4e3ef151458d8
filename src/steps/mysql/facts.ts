import type { SurroundingsFacts } from "../../daemon/look-at-surroundings.ts";
import type { UnitFact } from "../../daemon/unit.ts";
import type { FileFact } from "../../evidence/file.ts";
import type { Line } from "../../reader/reader.ts";
import type { OptionRecord, Reader } from "./option-files.ts";
import type { Server } from "./server.ts";

export interface MysqlFacts {
  /** The drop-in of either server, by path. */
  readonly dropIns: ReadonlyMap<string, FileFact>;
  /** Undefined when no server is installed. */
  readonly installed: InstalledFacts | undefined;
  /** Where names of DNS that are behind proxies lead, as this host resolves them; without those that it does not. */
  readonly leadTo: ReadonlyMap<string, readonly string[]>;
}

export interface InstalledFacts {
  readonly server: Server;
  readonly unit: UnitFact;
  /** What the unit needs around it; undefined where there is no such unit. */
  readonly surroundings?: SurroundingsFacts | undefined;
  /** Whether systemd has a start, stop or restart of it still to do. */
  readonly hasJob: boolean;
  /** ExecStart= and Environment= as systemd shows them, and lines of the environment files. */
  readonly unitOptions: string;
  readonly process:
    | { readonly pid: number; readonly seconds: number; readonly commandLine: string }
    | undefined;
  readonly options: readonly OptionRecord[];
  /** Of what may give the server options: files and directories that were not read whole. */
  readonly unread: readonly { readonly path: string; readonly because: string }[];
  readonly reader: Reader;
  /** What SET PERSIST left and the server will load, and where. */
  readonly persisted: ReadonlyMap<string, string>;
  readonly persistedIn: string;
  readonly parser: ParserFacts;
  /** Statements that it carries out whenever it has started: lines that set one of our settings. Undefined without such a file. */
  readonly initFile?: { readonly path: string; readonly lines: readonly Line[] } | undefined;
  /** Variables and status of the running server, and by "event NAME" what one of its events sets; undefined when it was not asked or did not answer. */
  readonly live: ReadonlyMap<string, string> | undefined;
  readonly liveError: string | undefined;
  /** Whether somebody holds the read lock of all tables. */
  readonly isLocked?: boolean;
  /** Who listens on the socket that answered; 0 when nobody does any more. */
  readonly answeredBy:
    | {
        readonly pid: number;
        readonly socket: string;
        readonly unread?: string | undefined;
        /** Of another process than the service's: the unit that it belongs to. */
        readonly unit?: string | undefined;
      }
    | undefined;
  /** The last lines that a server which does not come up wrote. */
  readonly errors: readonly string[];
}

/** What the server's own option parser said. */
export interface ParserFacts {
  readonly version: string;
  readonly groups: ReadonlySet<string>;
  /** Name with "_" → value. */
  readonly values: ReadonlyMap<string, number>;
  readonly errors: readonly string[];
  readonly exitCodes: readonly number[];
  /** undefined where it does not tell. */
  readonly dataDirectory: string | undefined;
  /** Option, "log-error" …, and where it points; as it was given, so perhaps relative to the data. */
  readonly paths?: ReadonlyMap<string, string>;
  /** Each of OPTIONS_COMPARED as it said it. */
  readonly says?: ReadonlyMap<string, string>;
  /** Why it did not say all. */
  readonly unread: string | undefined;
}
