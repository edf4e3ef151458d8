import type { UnitFact } from "../../daemon/unit.ts";
import type { FileFact } from "../../evidence/file.ts";
import type { Unread } from "./table.ts";

/** What was read of a host. */
export interface FirewallFacts {
  readonly files: { readonly rules: FileFact; readonly unit: FileFact; readonly dropIn: FileFact };
  readonly unit: UnitFact;
  /** Debian's own. */
  readonly nftables: UnitFact;
  readonly kernel: KernelFacts;
  /** Rules that nft does not list, or tells by names alone, in the words of iptables-save. Of a member alone. */
  readonly iptables: string | Unread;
  /** Who is connected to ZooKeeper's ports now. Nobody is asked for where the host is to have no table. */
  readonly peers: readonly { readonly port: number; readonly address: string }[] | Unread;
  /** What puts the table of before back is "waiting", or has lost its timer and is "forgotten"; undefined: nothing is. */
  readonly undo: "waiting" | "forgotten" | Unread | undefined;
}

export type KernelFacts =
  /** Without nft nothing can be loaded, and nobody can tell what is. */
  | { readonly is: "no nft" }
  | { readonly is: "unread"; readonly because: string }
  | {
      readonly is: "read";
      /** meshctl's table as nft lists it, in both of its languages; undefined when there is none. */
      readonly table: { readonly text: string; readonly json: string } | undefined;
      /** All tables, as JSON, without what their sets hold. Of a member alone. */
      readonly ruleset: string | Unread;
    };
