import type { UnitFact } from "../../daemon/unit.ts";
import type { FileFact } from "../../evidence/file.ts";
import { NotUnderstood } from "../../reader/answer.ts";
import type { ProgramFacts } from "../../smartstack/program.ts";

/** What was read of a host. */
export interface RegistrarFacts extends ProgramFacts {
  /** Units of a Nerve of before. */
  readonly replaced: ReadonlyMap<string, UnitFact>;
  /** Nerve's name of an instance → why its health check fails on this host, "" when it is well. */
  readonly failing: ReadonlyMap<string, string>;
  /** Instances whose check was not made to its end, and why. */
  readonly unreadChecks?: ReadonlyMap<string, string>;
  /** Instance → the node that the running Nerve made of it last; none of one that it has never registered. */
  readonly nodes: ReadonlyMap<string, NerveNode>;
  /** A run has stopped Nerve for a while, and systemd is to start it again by itself. */
  readonly isDrained?: boolean;
  /** Why those could not be told. */
  readonly unreadNodes?: string;
  /** The file with what Nerve registers with. */
  readonly credentials?: FileFact;
  /** Who may do what with the services' paths, those above them and the nodes below; undefined when it was not asked. */
  readonly acls?: Acls | { readonly unread: string } | undefined;
  /** Undefined when the host registers nothing. */
  readonly registry: RegistryFacts | { readonly unreachable: string } | undefined;
}

/** Path → "own:31 world:anyone:1", "absent" or "error -102". */
export type Acls = ReadonlyMap<string, string>;

interface NerveNode {
  readonly path: string;
  /** ZooKeeper session in which it was made, 16 hex digits. */
  readonly session: string;
  /** Nerve took it away again. */
  readonly left?: boolean;
}

interface RegistryFacts {
  /** The member that answered. */
  readonly member: string;
  readonly children: readonly RegisteredChild[];
}

export interface RegisteredChild {
  readonly service: string;
  readonly name: string;
  /** As the child holds it; undefined when it is not what Synapse understands. */
  readonly endpoint:
    | {
        readonly host: string;
        readonly port: number;
        readonly weight: number | undefined;
        /** What it says of itself in HAProxy; "" for nothing. */
        readonly options: string;
        readonly labels: Readonly<Record<string, unknown>>;
      }
    | undefined;
  /** Session that it ends with, 16 hex digits; undefined when it is not ephemeral. */
  readonly owner: string | undefined;
}

/** The nodes that Nerve wrote down; `text` is undefined where it wrote nothing. Throws NotUnderstood. */
export function nerveNodes(text: string | undefined): ReadonlyMap<string, NerveNode> {
  if (text === undefined || text === "") return new Map();
  const nodes = parseJson(text);
  if (typeof nodes !== "object" || nodes === null)
    throw new NotUnderstood("Nerve's znode does not hold JSON");
  return new Map(Object.entries(nodes as Record<string, NerveNode>));
}

/** `owner` is as the registry tells it: zeros for a node that outlives its maker. */
export function registeredChild(
  service: string,
  { name, data, owner }: { readonly name: string; readonly data: Buffer; readonly owner: string },
): RegisteredChild {
  return {
    service,
    name,
    endpoint: endpointOf(data.toString()),
    owner: /^0*$/.test(owner) ? undefined : owner,
  };
}

function endpointOf(data: string): RegisteredChild["endpoint"] {
  const {
    host,
    port,
    weight,
    haproxy_server_options: options,
    labels,
  } = (parseJson(data) ?? {}) as Record<string, unknown>;
  if (typeof host !== "string" || typeof port !== "number") return undefined;
  return {
    host,
    port,
    weight: typeof weight === "number" ? weight : undefined,
    options: typeof options === "string" ? options : "",
    labels: typeof labels === "object" && labels !== null ? (labels as Record<string, unknown>) : {},
  };
}

/** Where a service's child is in ZooKeeper. */
export function nodePath({ path }: { readonly path: string }, child: string): string {
  return `${path}/${child}`;
}

/** Undefined when it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
