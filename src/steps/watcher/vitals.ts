import { isFollowed, pathOf, type Service } from "../../contract/mesh.ts";
import type { Vital, Vitals } from "../../contract/step.ts";
import { isCanary } from "../../haproxy/canary.ts";
import { servedConfig } from "../../haproxy/loaded.ts";
import { registrationVital, serverVitals, shownAfterMs } from "../../haproxy/vitals.ts";
import { serversInForce, wantedServers, whyUnknown } from "./backend-sets.ts";
import { isUnneeded, type WatcherDesired } from "./desired.ts";
import type { HaproxyFacts, WatcherFacts } from "./facts.ts";

/** Each server that this proxy has, and whether they are those that ZooKeeper or DNS tells. */
export function vitals(desired: WatcherDesired, facts: WatcherFacts): Vitals {
  const { haproxy } = facts;
  if (isUnneeded(desired)) return { is: "read", of: new Map(), shownAfterMs: 0 };
  if ("unreachable" in haproxy) return { is: "unread", because: haproxy.unreachable };
  const listed = (name: string) => {
    const service = desired.services.find((each) => each.name === name);
    return service === undefined ? undefined : wantedServers(service, desired, facts)?.names;
  };
  const of = new Map<string, Vital>([
    ...serverVitals(haproxy.servers, desired.settings.services, listed),
    ...desired.services.flatMap((service) => followVitals(service, desired, facts, haproxy)),
  ]);
  return { is: "read", of, shownAfterMs: shownAfterMs(desired.settings.services) };
}

/** Whether the proxy follows what tells the service's servers; where they register, whether any is. */
function followVitals(
  service: Service,
  desired: WatcherDesired,
  facts: WatcherFacts,
  haproxy: HaproxyFacts,
): readonly [string, Vital][] {
  if (!isFollowed(service)) return [];
  const follow = `HAProxy's servers of ${service.name}`;
  const registration = pathOf(service) === undefined ? [] : [registrationVital(service.name)];
  const names = [follow, ...registration];
  const isServed = hasBackEnd(haproxy, service.name);
  if (isServed === false) return [];
  if (isServed === undefined) {
    const because = "the configuration that HAProxy was loaded with is unknown";
    return names.map((name) => [name, { is: "unread", because }]);
  }
  const wanted = wantedServers(service, desired, facts);
  const unread: Vital = { is: "unread", because: whyUnknown(service, desired, facts) };
  const listed = wanted?.names.filter((name) => !isCanary(name)) ?? [];
  const served = serversInForce(haproxy, service.name).map(({ name }) => name);
  const differs = [
    ...listed.filter((name) => !served.includes(name)).map((name) => `${name} is missing`),
    ...served
      .filter((name) => !isCanary(name) && !listed.includes(name))
      .map((name) => `${name} is still served`),
  ];
  const follows: Vital =
    differs.length === 0
      ? { is: "well" }
      : {
          is: "bad",
          because: `are not those that ${service.discovery.by === "dns" ? "DNS" : "ZooKeeper"} lists: ${differs.join(", ")}`,
        };
  const registered: Vital =
    wanted?.because === undefined ? { is: "well" } : { is: "bad", because: `is gone: ${wanted.because}` };
  return [
    [follow, wanted === undefined ? unread : follows],
    ...registration.map((name): [string, Vital] => [name, wanted === undefined ? unread : registered]),
  ];
}

/**
 * Whether the worker knows the service at all: one that is new in the inventory is not this proxy's before its step. Undefined
 * where that was not read.
 */
function hasBackEnd({ servers, loaded, description }: HaproxyFacts, service: string): boolean | undefined {
  if (servers.some(({ backend }) => backend === service)) return true;
  const served = servedConfig(loaded, description);
  if (served.is !== "value") return undefined;
  return served.value.sections.some(({ kind, name }) => kind === "backend" && name === service);
}
