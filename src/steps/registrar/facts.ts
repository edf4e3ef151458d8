import { fieldOf, rowsOf } from "../../evidence/probe-output.ts";
import { NotUnderstood } from "../../reader/answer.ts";
import { type ProgramFacts, programFacts } from "../../smartstack/program.ts";
import type { ProbeOutput } from "../../step.ts";
import { quotable } from "../../terminal-text.ts";
import { NERVE } from "./program.ts";

/** What the probe read of a host. */
export interface RegistrarFacts extends ProgramFacts {
  /** Service → why its health check fails on this host, "" when it is well. */
  readonly failing: ReadonlyMap<string, string>;
  /** Service → the node that the running Nerve made of it. */
  readonly nodes: ReadonlyMap<string, NerveNode>;
  /** Undefined when the host registers nothing. */
  readonly registry: RegistryFacts | { readonly unreachable: string } | undefined;
}

interface NerveNode {
  readonly path: string;
  /** ZooKeeper session in which it was made, 16 hex digits. */
  readonly session: string;
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
    | { readonly host: string; readonly port: number; readonly weight: number | undefined }
    | undefined;
  /** Session that it ends with, 16 hex digits; undefined when it is not ephemeral. */
  readonly owner: string | undefined;
}

export function registrarFacts(output: ProbeOutput): RegistrarFacts {
  return {
    ...programFacts(output, NERVE),
    failing: new Map(
      rowsOf(output, "health").map(([service, , message]) => [service!, quotable(message ?? "")]),
    ),
    nodes: nerveNodes(decodeHex(fieldOf(output, "nodes"))),
    registry: registryFacts(output),
  };
}

function nerveNodes(text: string): ReadonlyMap<string, NerveNode> {
  if (text === "") return new Map();
  const nodes = parseJson(text);
  if (typeof nodes !== "object" || nodes === null)
    throw new NotUnderstood("what Nerve made is not written as JSON");
  return new Map(Object.entries(nodes as Record<string, NerveNode>));
}

function registryFacts(output: ProbeOutput): RegistrarFacts["registry"] {
  const [state, detail] = rowsOf(output, "registry")[0] ?? [];
  if (state === undefined) return undefined;
  if (state !== "ok") return { unreachable: detail ?? "" };
  const children = rowsOf(output, "child").map(
    ([service, name, data, owner]): RegisteredChild => ({
      service: service!,
      name: decodeHex(name),
      endpoint: endpointOf(decodeHex(data)),
      owner: owner === undefined || /^0*$/.test(owner) ? undefined : owner,
    }),
  );
  return { member: detail ?? "", children };
}

function endpointOf(data: string): RegisteredChild["endpoint"] {
  const { host, port, weight } = (parseJson(data) ?? {}) as Record<string, unknown>;
  if (typeof host !== "string" || typeof port !== "number") return undefined;
  return { host, port, weight: typeof weight === "number" ? weight : undefined };
}

/** Undefined when it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function decodeHex(hex: string | undefined): string {
  return Buffer.from(hex ?? "", "hex").toString("utf8");
}
