import type { UnitFact } from "../../daemon/unit.ts";
import type { HaproxyConfig } from "../../haproxy/config.ts";
import type { ServerState } from "../../haproxy/server-state.ts";
import type { Answer } from "../../reader/answer.ts";
import type { NamesInDns } from "../../reader/reader.ts";
import type { ProgramFacts } from "../../smartstack/program.ts";
import { quotable } from "../../terminal-text.ts";
import type { KeptBackends } from "./backends.ts";

/** What was read of a host. */
export interface WatcherFacts extends ProgramFacts {
  /** Units of a Synapse of before. */
  readonly replaced: ReadonlyMap<string, UnitFact>;
  readonly install: InstallerResult | undefined;
  readonly reload: InstallerResult | undefined;
  /** Files that wait for the installer. */
  readonly waiting: readonly string[];
  /** Last backends of each service, as a restarted Synapse would begin with. */
  readonly kept: ReadonlyMap<string, KeptBackends>;
  /** Unread: something is there and did not answer, or not to the end. */
  readonly haproxy: HaproxyFacts | { readonly unreachable: string; readonly isUnread?: boolean };
  /** Undefined when no service has a path. */
  readonly registry: RegistryFacts | { readonly unreachable: string } | undefined;
  /** Of each service that DNS tells: what it says of the names. */
  readonly dns: ReadonlyMap<string, Answer<NamesInDns>>;
}

/** One line of the installer: what came of it. */
interface InstallerResult {
  /** "ok", "invalid", "refused" or "failed". */
  readonly outcome: string;
  /** sha256 of haproxy.cfg, or for a reload the file's description. */
  readonly digest: string;
  readonly message: string;
  /** Of a reload: HAProxy's worker when it ended; undefined when none answered. */
  readonly worker?: number | undefined;
  /** Of an installation: the servers that were left out of haproxy.cfg. */
  readonly leftOut?: readonly LeftOut[];
}

/** A server that the installer left out. */
interface LeftOut {
  /** SERVICE/SERVER. */
  readonly server: string;
  /** "unresolved", "outside" (its name leads where no backend may be), "policy" or "refused" (by HAProxy). */
  readonly code: string;
}

export interface HaproxyFacts {
  /** Of the worker. */
  readonly pid: number;
  readonly description: string;
  readonly servers: readonly ServerState[];
  /** What this start of HAProxy was loaded with last; absent when that is not on record. */
  readonly loaded: Answer<HaproxyConfig>;
}

interface RegistryFacts {
  /** The member that answered. */
  readonly member: string;
  /** Service → data of each child; undefined when the path does not exist. */
  readonly children: ReadonlyMap<string, ReadonlyMap<string, string> | undefined>;
}

/** Of an installation: its line. */
export function installResult(line: string | undefined): InstallerResult | undefined {
  return installerResult(line, (names) => ({ leftOut: names.split(" ").filter(Boolean).map(leftOut) }));
}

export function reloadResult(line: string | undefined): InstallerResult | undefined {
  return installerResult(line, (pid) => ({ worker: Number(pid) || undefined }));
}

function installerResult(
  line: string | undefined,
  more: (field: string) => Partial<InstallerResult>,
): InstallerResult | undefined {
  if (line === undefined || line === "") return undefined;
  const [outcome, digest, message, last] = line.replace(/\n$/, "").split("\t");
  return { outcome: outcome!, digest: digest ?? "", message: quotable(message ?? ""), ...more(last ?? "") };
}

/** "SERVICE/SERVER=CODE"; an older installer left out only what does not resolve, and says no code. */
function leftOut(text: string): LeftOut {
  const [server = "", code = "unresolved"] = text.split("=");
  return { server, code };
}
