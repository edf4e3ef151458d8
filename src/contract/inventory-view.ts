import type { HostName } from "../host-name.ts";
import type { Secret } from "../secret.ts";
import type { WaveRules } from "../waves.ts";
import type { Mesh } from "./mesh.ts";

export type { HostName };

/** What a step may know of a host: pure data from the inventory. */
export interface HostView {
  readonly name: HostName;
  /** The mesh address: an IP. */
  readonly address: string;
  /** The port that its SSH server is reached at, where the inventory says it. */
  readonly ssh?: { readonly port?: number | undefined } | undefined;
  /** Where the host stands, as it or a group of it declares; undefined where neither does. */
  readonly country?: Country | undefined;
  /** Every group that holds the host, also through other groups, in file order. */
  readonly groups: readonly string[];
  /**
   * Parameters of every step of the registry for this host, merged (playbook < group < host) and parsed by the
   * step's own schema, whether or not a play gives the step to the host. The watcher reads haproxy's here.
   * A step whose parameters do not parse for a host that no play gives it to is left out.
   */
  readonly parameters: ReadonlyMap<string, unknown>;
}

interface Country {
  /** Of ISO 3166-1: "DE". */
  readonly code: string;
  /** The place that says so: "prod.yaml:12". */
  readonly source: string;
}

/** What a step may know of the inventory. */
export interface InventoryView {
  /** As the user named it; of several the first. */
  readonly file: string;
  /** In file order. */
  readonly hosts: ReadonlyMap<HostName, HostView>;
  /** Groups flattened to hosts, in file order. */
  readonly groups: ReadonlyMap<string, readonly HostName[]>;
  /** What groups say about how their hosts are changed. */
  readonly rules?: ReadonlyMap<string, GroupRules>;
  readonly mesh: Mesh;
  readonly network: Network;
  /** Releases let in although they are not supported, for example ["sid"]: codenames or "id version". */
  readonly allowOs: readonly string[];
}

interface GroupRules extends WaveRules {
  readonly hosts: readonly HostName[];
}

/** How hosts reach package registries. */
export interface Network {
  /** URL of an HTTP proxy; it may hold a password. */
  readonly proxy: Secret | undefined;
  /** PEM text of certificate authorities that the hosts must trust for downloads. */
  readonly caCertificates: string | undefined;
}
