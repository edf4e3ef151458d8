import type { PortRange } from "../../evidence/port-ranges.ts";

export interface SysctlDesired {
  /** Key → value, without the reserved ports. */
  readonly settings: ReadonlyMap<string, string>;
  /** Ports to reserve at least; what others reserved stays reserved. */
  readonly reserve: readonly PortRange[];
  readonly adopt: boolean;
}
