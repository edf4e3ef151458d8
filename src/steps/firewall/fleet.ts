import type { Fleet } from "../../step.ts";
import type { FirewallDesired } from "./desired.ts";
import type { FirewallFacts } from "./facts.ts";

export type FirewallFleet = Fleet<FirewallDesired, FirewallFacts>;
