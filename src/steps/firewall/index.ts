import type { HostName } from "../../contract/inventory-view.ts";
import type { Step } from "../../contract/step.ts";
import { AS_NEXT_SAYS } from "../../waves.ts";
import { assess } from "./assess.ts";
import { type FirewallDesired, firewallDesired } from "./desired.ts";
import type { FirewallFacts } from "./facts.ts";
import type { FirewallFleet } from "./fleet.ts";
import { lookAtFirewall } from "./look.ts";
import { type FirewallParameters, firewallParameters } from "./parameters.ts";
import { service } from "./service.ts";
import { wantedFiles } from "./situation.ts";

/** ZooKeeper's ports, closed to all who need them not, where the inventory asks for it (`mesh.firewall`). */
export const firewall: Step<FirewallParameters, FirewallDesired, FirewallFacts> = {
  name: "firewall",
  title: "Firewall (ZooKeeper's ports)",
  parameters: firewallParameters,
  desired: firewallDesired,

  claims: ({ rules }) => (rules === undefined ? {} : { packages: ["nftables"] }),

  files: ({ desired: { rules } }) => (rules === undefined ? [] : wantedFiles(rules)),

  look: lookAtFirewall,
  assess: ({ desired, facts, host }, fleet) => assess(desired, facts, host, fleet),
  next,
  serial: AS_NEXT_SAYS,
  service,
  needs: "self",
  // Longer than a host takes to put back what was not kept.
  settle: { deadlineMs: 150_000, stableMs: 0 },
};

/** The package goes to all at once; a table to one member after another, for the ensemble must not lose two by one mistake. */
function next(waiting: readonly HostName[], fleet: FirewallFleet): readonly HostName[] {
  const bare = waiting.filter((name) => {
    const member = fleet.get(name);
    return member?.is === "seen" && member.facts.kernel.is === "no nft";
  });
  return bare.length > 0 ? bare : waiting.slice(0, 1);
}
