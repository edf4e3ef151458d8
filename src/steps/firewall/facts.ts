import { type FileFact, fileFacts } from "../../evidence/file.ts";
import { fieldOf, rowsOf } from "../../evidence/probe-output.ts";
import { type UnitFact, unitFacts } from "../../evidence/unit.ts";
import { ProbeNotUnderstood, type ProbeOutput } from "../../step.ts";
import { DROP_IN, NFTABLES, RULES, UNIT, UNIT_FILE } from "./paths.ts";

/** What the probe read of a host. */
export interface FirewallFacts {
  readonly files: { readonly rules: FileFact; readonly unit: FileFact; readonly dropIn: FileFact };
  readonly unit: UnitFact;
  /** Debian's own. */
  readonly nftables: UnitFact;
  readonly kernel: KernelFacts;
  /** Who is connected to ZooKeeper's ports now. */
  readonly peers:
    | readonly { readonly port: number; readonly address: string }[]
    | { readonly unread: string };
  /** What puts the table of before back is "waiting", or has lost its timer and is "forgotten"; undefined: nothing is. */
  readonly undo: "waiting" | "forgotten" | undefined;
}

export type KernelFacts =
  /** Without nft nothing can be loaded, and nobody can tell what is. */
  | { readonly is: "no nft" }
  | { readonly is: "unread"; readonly because: string }
  | {
      readonly is: "read";
      /** meshctl's table as nft lists it, in both of its languages; undefined when there is none. */
      readonly table: { readonly text: string; readonly json: string } | undefined;
      /** All tables, as JSON, without what their sets hold. */
      readonly ruleset: string;
    };

export function firewallFacts(output: ProbeOutput): FirewallFacts {
  const files = fileFacts(output);
  const units = unitFacts(output);
  const file = (path: string) => files.get(path) ?? lacking(path);
  const unit = (name: string) => units.get(name) ?? lacking(name);
  const undo = fieldOf(output, "undo");
  return {
    files: { rules: file(RULES), unit: file(UNIT_FILE), dropIn: file(DROP_IN) },
    unit: unit(UNIT),
    nftables: unit(NFTABLES),
    kernel: kernelFacts(output),
    peers: peerFacts(output),
    undo: undo === undefined ? undefined : undo === "waiting" ? "waiting" : "forgotten",
  };
}

function lacking(what: string): never {
  throw new ProbeNotUnderstood(`nothing was printed of ${what}`);
}

function kernelFacts(output: ProbeOutput): KernelFacts {
  const [state, because] = rowsOf(output, "nft")[0] ?? lacking("nft");
  if (state === "missing") return { is: "no nft" };
  if (state !== "read") return { is: "unread", because: because?.trim() || "nft said nothing" };
  const [text, json] = rowsOf(output, "table")[0] ?? [];
  return {
    is: "read",
    table: text === undefined ? undefined : { text, json: json ?? "" },
    ruleset: fieldOf(output, "ruleset") ?? "",
  };
}

function peerFacts(output: ProbeOutput): FirewallFacts["peers"] {
  const [state, because] = rowsOf(output, "peers")[0] ?? lacking("the connections");
  if (state !== "read") return { unread: because?.trim() || "ss said nothing" };
  return rowsOf(output, "peer").map(([port, address]) => ({
    port: Number(port),
    // "[fe80::1%eth0]" as ss has it.
    address: address!.replace(/^\[|\]$/g, "").split("%", 1)[0]!,
  }));
}
