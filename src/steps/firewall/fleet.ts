import type { Fleet } from "../../contract/step.ts";
import type { FirewallDesired } from "./desired.ts";
import type { FirewallFacts } from "./facts.ts";

export type FirewallFleet = Fleet<FirewallDesired, FirewallFacts>;
