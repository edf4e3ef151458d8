import type { Health, Service } from "../../contract/step.ts";
import { putBack } from "./changes.ts";
import type { FirewallDesired } from "./desired.ts";
import type { FirewallFacts } from "./facts.ts";
import { UNIT } from "./paths.ts";

/** The table, which cannot be down: its unit may fail to load it, and what is not kept goes by itself. */
export const service: Service<FirewallDesired, FirewallFacts> = {
  health({ unit, undo }): Health | undefined {
    if (typeof undo === "object") {
      return {
        is: "undecided",
        because: `the timer that takes back a change was not read: ${undo.unread}`,
      };
    }
    if (undo === "waiting") {
      const because = "the host has yet to take back what no new connection confirmed";
      return { is: "undecided", because };
    }
    if (unit.load === "not-found") return undefined;
    if (unit.active === "failed") return { is: "broken", because: `${UNIT} has failed` };
    return { is: "healthy" };
  },
  activate: () => [putBack],
};
