import { fieldOf, rowsOf } from "../../evidence/probe-output.ts";
import { invocationOf } from "../../evidence/unit.ts";
import { loadedConfig } from "../../haproxy/loaded.ts";
import { type ServerState, serverState } from "../../haproxy/server-state.ts";
import type { HaproxyConfig } from "../../mesh/haproxy-config.ts";
import { type ProgramFacts, programFacts } from "../../smartstack/program.ts";
import { ProbeNotUnderstood, type ProbeOutput } from "../../step.ts";
import { quotable } from "../../terminal-text.ts";
import { type KeptBackends, keptBackends } from "./backends.ts";
import { SYNAPSE } from "./program.ts";

/** What the probe read of a host. */
export interface WatcherFacts extends ProgramFacts {
  readonly install: InstallerResult | undefined;
  readonly reload: InstallerResult | undefined;
  /** Files that wait for the installer. */
  readonly waiting: readonly string[];
  /** Last backends of each service, as a restarted Synapse would begin with. */
  readonly kept: ReadonlyMap<string, KeptBackends>;
  readonly haproxy: HaproxyFacts | { readonly unreachable: string };
  /** Undefined when no service has a path. */
  readonly registry: RegistryFacts | { readonly unreachable: string } | undefined;
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
  /** What this start of HAProxy was loaded with last; undefined when that is not on record. */
  readonly loaded: HaproxyConfig | undefined;
}

interface RegistryFacts {
  /** The member that answered. */
  readonly member: string;
  /** Service → data of each child; undefined when the path does not exist. */
  readonly children: ReadonlyMap<string, ReadonlyMap<string, string> | undefined>;
}

export function watcherFacts(output: ProbeOutput): WatcherFacts {
  return {
    ...programFacts(output, SYNAPSE),
    install: installerResult(fieldOf(output, "install"), (names) => ({
      leftOut: names.split(" ").filter(Boolean).map(leftOut),
    })),
    reload: installerResult(fieldOf(output, "reload"), (pid) => ({ worker: Number(pid) || undefined })),
    waiting: rowsOf(output, "waiting").map(([name]) => name!),
    kept: keptBackends(fieldOf(output, "kept") ?? ""),
    haproxy: haproxyFacts(output),
    registry: registryFacts(output),
  };
}

function installerResult(
  line: string | undefined,
  more: (field: string) => Partial<InstallerResult>,
): InstallerResult | undefined {
  if (line === undefined || line === "") return undefined;
  const [outcome, digest, message, last] = line.split("\t");
  return { outcome: outcome!, digest: digest ?? "", message: quotable(message ?? ""), ...more(last ?? "") };
}

/** "SERVICE/SERVER=CODE"; an older installer left out only what does not resolve, and says no code. */
function leftOut(text: string): LeftOut {
  const [server = "", code = "unresolved"] = text.split("=");
  return { server, code };
}

function haproxyFacts(output: ProbeOutput): WatcherFacts["haproxy"] {
  const [state, first, second] = rowsOf(output, "haproxy")[0] ?? [];
  if (state === undefined) throw new ProbeNotUnderstood(`"haproxy" was not printed`);
  if (state !== "ok") return { unreachable: first ?? "" };
  const record = fieldOf(output, "loaded");
  const loaded = loadedConfig(
    record === undefined ? { is: "absent" } : { is: "value", value: record },
    invocationOf(output, "haproxy.service"),
  );
  return {
    pid: Number(first),
    description: second ?? "",
    servers: rowsOf(output, "server").map(serverState),
    loaded: loaded.is === "value" ? loaded.value : undefined,
  };
}

function registryFacts(output: ProbeOutput): WatcherFacts["registry"] {
  const [state, detail] = rowsOf(output, "registry")[0] ?? [];
  if (state === undefined) return undefined;
  if (state !== "ok") return { unreachable: detail ?? "" };
  const children = new Map<string, Map<string, string> | undefined>();
  for (const [service, is] of rowsOf(output, "path")) {
    children.set(service!, is === "present" ? new Map() : undefined);
  }
  for (const [service, name, data] of rowsOf(output, "child")) {
    children.get(service!)?.set(decodeHex(name), decodeHex(data));
  }
  return { member: detail ?? "", children };
}

function decodeHex(hex: string | undefined): string {
  return Buffer.from(hex ?? "", "hex").toString("utf8");
}
