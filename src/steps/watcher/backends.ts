import type { LabelRule } from "../../contract/mesh.ts";
import { type BackendPolicy, refusalOf } from "../../haproxy/backend-policy.ts";
import { CANARY } from "../../haproxy/canary.ts";
import { isPicked } from "../../inventory/labels.ts";

/** A server as Synapse knows it. */
export interface Backend {
  readonly name: string | undefined;
  readonly host: string;
  readonly port: number;
  /** What it adds to the service's options in HAProxy, "weight 10" for one; words parted by single blanks. */
  readonly options?: string | undefined;
}

/** Why a child is left out. */
export interface Refused {
  readonly refused: string;
  /** A backend that says of itself what it must not. Anything else may be no backend at all. */
  readonly isBackend: boolean;
}

/** Backends that Synapse had last, of the service that had this path. */
export interface KeptBackends {
  readonly path: string;
  /** By which the service picked them, if it did. */
  readonly labels?: unknown;
  readonly backends: readonly Backend[];
}

/** The name Synapse gives a server in HAProxy (`construct_name` in lib/synapse/config_generator/haproxy.rb). */
export function serverName({ name, host, port }: Backend): string {
  return name ? `${name}_${host}:${port}` : `${host}:${port}`;
}

/** What `meshctl probe` registers is served while others are, and never instead of them: see synapse-patches.rb. */
export function withoutCanaries(backends: readonly Backend[]): readonly Backend[] {
  return backends.filter(({ name }) => name !== CANARY);
}

/** Whether it asks for no requests: HAProxy has it, in maintenance. */
export function isDisabled({ options }: Backend): boolean {
  return options?.split(" ").includes("disabled") ?? false;
}

/** Whether a child is one of those that a service picks. One that is not understood is told by what backendOf says. */
export function isOwn(data: string, rules: readonly LabelRule[] | undefined): boolean {
  if (rules === undefined) return true;
  try {
    const decoded: unknown = JSON.parse(data);
    return !isRecord(decoded) || isPicked(rules, isRecord(decoded.labels) ? decoded.labels : {});
  } catch {
    return true;
  }
}

/** What Synapse makes of a child's data. */
export function backendOf(data: string, policy: BackendPolicy, service: string): Backend | Refused {
  let decoded: unknown;
  try {
    decoded = JSON.parse(data);
  } catch {
    return notUnderstood("its data is no JSON");
  }
  if (!isRecord(decoded)) return notUnderstood("its data has no host and port");
  const backend = backendIn(decoded);
  if ("refused" in backend) return backend;
  const refused = refusalOf(policy, service, backend);
  if (refused !== undefined) return { refused, isBackend: true };
  const options = backend.options?.split(" ").filter(Boolean).join(" ");
  return { ...backend, options: options === "" ? undefined : options };
}

/** The last backends of every service that synapse-patches.rb wrote down, allowed today or not. */
export function keptBackends(text: string): ReadonlyMap<string, KeptBackends> {
  let decoded: unknown;
  try {
    decoded = JSON.parse(text);
  } catch {
    return new Map();
  }
  if (!isRecord(decoded)) return new Map();
  return new Map(
    Object.entries(decoded).flatMap(([service, entry]): [string, KeptBackends][] => {
      if (!isRecord(entry) || typeof entry.path !== "string" || !Array.isArray(entry.backends)) return [];
      const backends = entry.backends.filter(isRecord).flatMap((record) => {
        const backend = backendIn(record);
        if ("refused" in backend) return [];
        // As Ruby's "%" wants them.
        return [{ ...backend, options: backend.options?.replaceAll("%%", "%") }];
      });
      const { path, labels } = entry;
      return [
        [service, { path, ...(labels === undefined ? {} : { labels }), backends: withoutCanaries(backends) }],
      ];
    }),
  );
}

/** A backend with its options as it wrote them. The same rules of types as in synapse-patches.rb. */
function backendIn(record: Record<string, unknown>): Backend | Refused {
  const { host, port, name, haproxy_server_options: options } = record;
  if (host === undefined || port === undefined) return notUnderstood("its data has no host and port");
  if (typeof host !== "string") return notUnderstood("its host is no text");
  const isNumber = typeof port === "string" || typeof port === "number";
  if (!isNumber || !/^[1-9]\d{0,4}$/.test(String(port)) || Number(port) > 65_535) {
    return notUnderstood("its port is none of 1–65535");
  }
  if (name != null && name !== false && typeof name !== "string") return notUnderstood("its name is no text");
  return {
    host,
    port: Number(port),
    name: typeof name === "string" && name !== "" ? name : undefined,
    options: typeof options === "string" ? options : undefined,
  };
}

function notUnderstood(refused: string): Refused {
  return { refused, isBackend: false };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
