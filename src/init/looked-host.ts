import type { Listener } from "../contract/host.ts";
import type { NamedHost } from "./named-host.ts";

/** What a look at a bare host tells that an inventory goes by. */
export interface Seen {
  /** "Debian GNU/Linux 12 (bookworm)" */
  readonly system: string;
  /** Whether meshctl supports the release; else how `allow_os` would name it. */
  readonly supported: true | { readonly allow: string };
  /** As systemd-detect-virt names it; "" when it could not be told. */
  readonly virtualization: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Of what PID 1 starts. */
  readonly hardOpenFiles: number;
  /** Median of ten flushed writes below /var/lib; or why there is none. */
  readonly flush: { readonly ms: number } | { readonly because: string };
  readonly listeners: readonly Listener[];
  readonly database: "MariaDB" | "MySQL" | undefined;
  readonly haproxy: boolean;
  readonly zookeeper: boolean;
}

export interface LookedHost extends NamedHost {
  readonly address: string;
  /** Undefined where nobody looked; a reason where the look failed. */
  readonly seen: Seen | { readonly because: string } | undefined;
}

export function seenOf({ seen }: LookedHost): Seen | undefined {
  return seen === undefined || "because" in seen ? undefined : seen;
}
