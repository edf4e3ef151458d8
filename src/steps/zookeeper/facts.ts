import type { SurroundingsFacts } from "../../daemon/look-at-surroundings.ts";
import type { UnitFact } from "../../daemon/unit.ts";
import type { FileFact } from "../../evidence/file.ts";

/** A data directory (or log directory) as it is on disk. */
export interface DataFact {
  readonly directory: string;
  /** "none": no version-2. "new": marked as a member that may be empty. "blank": started, never in a quorum.
   * "holds": part of a quorum once, or not read. "lost": version-2 is there and empty. */
  readonly is: "none" | "new" | "blank" | "holds" | "lost";
  /** Whether transaction logs are there. */
  readonly hasLogs: boolean;
}

/** A ZooKeeper server, whoever started it. */
export interface ProcessFact {
  readonly pid: number;
  readonly sockets: readonly { readonly address: string; readonly port: number }[];
}

/** The unit's server. What was not read of it is empty. */
export interface ServerFact extends ProcessFact {
  readonly argv: readonly string[];
  /** Open jar files: paths, " (deleted)" behind those replaced since. */
  readonly jars: readonly string[];
  /** Where standard error leads; "journal" when that is the stream that systemd made for the unit. */
  readonly stderr: string;
}

interface Started {
  /** Path → sha256 of the file the process started with. */
  readonly digests: ReadonlyMap<string, string>;
  /** Whether the note of the start is gone, and these are the files that have not been changed since. */
  readonly isByTimes?: boolean;
}

/** What the server said, asked at `at`, "10.0.0.2:2181". */
interface Asked {
  readonly at: string;
  /** Four-letter word → answer. */
  readonly answers: ReadonlyMap<string, string>;
  /** Four-letter word → why it was not answered whole. */
  readonly failures: ReadonlyMap<string, string>;
}

/** What a member's changes go by. */
export type Basis = "unit file" | "myid" | "start record" | "data" | "process" | "sockets";

export interface ZookeeperFacts {
  readonly unit: UnitFact;
  readonly zooCfg: FileFact;
  /** The text of the file that zoo.cfg leaves its members to (dynamicConfigFile); undefined where it names none. */
  readonly dynamic?: string | undefined;
  readonly unitFile: FileFact;
  readonly myid: FileFact;
  /**
   * Mode and owner of a myid that ZooKeeper itself may not read; `myid` holds the id that the running server says of itself
   * then.
   */
  readonly closedMyid?: string | undefined;
  /** What its unit needs around it; undefined where there is no such unit. */
  readonly surroundings?: SurroundingsFacts | undefined;
  /** Undefined when no process of our unit runs. */
  readonly started: Started | undefined;
  /** The wanted directories first, then those that zoo.cfg and the server name. */
  readonly data: readonly DataFact[];
  /** The unit's server. */
  readonly process: ServerFact | undefined;
  /** Servers that the unit did not start. */
  readonly strangers: readonly ProcessFact[];
  /** Undefined when it was not asked: nothing listens at a port that is known. */
  readonly asked: Asked | undefined;
  /**
   * Of a member that looks for a quorum: the others' quorum and election ports, as "ADDRESS:PORT", and why it cannot
   * connect to one; "" when it can.
   */
  readonly peers?: ReadonlyMap<string, string> | undefined;
  /** What the unit's journal ends with, when it does not run: the complaint rather than its stack trace. */
  readonly lastWords: string;
  /** What was not read whole, and why. */
  readonly unread: ReadonlyMap<Basis, string>;
}
