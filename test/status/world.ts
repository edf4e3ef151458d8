import type { Mesh, Service } from "../../src/contract/mesh.ts";
import { judge } from "../../src/evidence/verdict.ts";
import type { MeshView } from "../../src/status/mesh-view.ts";
import { haproxy } from "../../src/steps/haproxy/index.ts";
import { watcher } from "../../src/steps/watcher/index.ts";
import { zookeeper } from "../../src/steps/zookeeper/index.ts";
import { mesh } from "../haproxy/mesh.ts";
import * as proxyHost from "../steps/haproxy/host.ts";
import * as registrarHost from "../steps/registrar/world.ts";
import * as watcherHost from "../steps/watcher/world.ts";
import * as member from "../steps/zookeeper/world.ts";

type Role = Parameters<typeof member.member>[3];

/** A mesh as a person would describe it: what is not said is as wanted. */
export interface MeshModel {
  /** Member → what it does. */
  readonly members?: Readonly<Record<string, Role | "stopped" | "unseen">>;
  /** Proxy → how its watcher and its HAProxy differ from what is wanted. */
  readonly proxies?: Readonly<
    Record<string, { watcher?: watcherHost.World; haproxy?: proxyHost.ProbeFields } | "unseen">
  >;
  readonly service?: Partial<Service>;
  /** Hosts whose registrar is to register it. */
  readonly registrars?: readonly string[];
  readonly limit?: (host: string) => boolean;
}

const unseen = { is: "unseen", because: "no route to host" } as const;

type Entry<M> = M extends ReadonlyMap<infer K, infer V> ? [K, V] : never;

const THREE = { "zk-1": "follower", "zk-2": "leader", "zk-3": "follower" } as const;

type Members = NonNullable<MeshModel["members"]>;

function ofMembers(members: Members) {
  const ids = Object.fromEntries(Object.keys(members).map((name, index) => [name, index + 1]));
  const names = Object.keys(members);
  const fleet = member.fleetOf(
    names,
    Object.fromEntries(
      Object.entries(members).map(([name, role]) => {
        if (role === "unseen") return [name, "unseen"];
        const model = member.member(
          member.desiredFor(names, name),
          name,
          ids,
          role === "stopped" ? "silent" : role,
        );
        if (role !== "stopped") return [name, model];
        const { runs: _, ...stopped } = model;
        return [name, stopped];
      }),
    ),
  );
  return { fleet, evidence: evidenceOf(zookeeper, fleet) };
}

let three: ReturnType<typeof ofMembers> | undefined;

/** Three members that serve, as most meshes here have them: judged once. */
function serving() {
  three ??= ofMembers(THREE);
  return three;
}

type Proxies = NonNullable<MeshModel["proxies"]>;

function ofProxies(proxies: Proxies, service: MeshModel["service"]) {
  const desired = proxyHost.desired({ watched: true, services: [watcherHost.service(service)] });
  const fleet: MeshView["haproxy"] = new Map(
    Object.entries(proxies).map(([name, proxy]): Entry<MeshView["haproxy"]> => {
      if (proxy === "unseen") return [name, { ...unseen, desired }];
      const facts = proxyHost.factsOf(desired, proxy.haproxy);
      return [name, { is: "seen", desired, facts, host: proxyHost.hostFacts(desired) }];
    }),
  );
  return { fleet, evidence: evidenceOf(haproxy, fleet) };
}

const alike = new Map<string, ReturnType<typeof ofProxies>>();

/** Proxies whose HAProxy is as wanted, as most meshes here have them: judged once for each set of names. */
function asWanted(proxies: Proxies, service: MeshModel["service"]) {
  const isPlain = Object.values(proxies).every((proxy) => proxy !== "unseen" && proxy.haproxy === undefined);
  if (!isPlain || service !== undefined) return ofProxies(proxies, service);
  const names = JSON.stringify(Object.keys(proxies));
  const made = alike.get(names) ?? ofProxies(proxies, service);
  alike.set(names, made);
  return made;
}

function evidenceOf(
  step: typeof zookeeper | typeof haproxy | typeof watcher,
  fleet: MeshView["zookeeper" | "haproxy" | "watcher"],
): MeshView["evidence"] {
  return [...fleet].flatMap(([name, each]) => {
    if (each.is === "unseen") return [];
    const self = { name, desired: each.desired, facts: each.facts, host: each.host, claims: new Map() };
    // biome-ignore lint/suspicious/noExplicitAny: each step is given its own fleet
    const { readings } = step.assess(self as any, fleet as any);
    return readings.map((reading) => ({ host: name, step: step.name, evidence: judge(reading) }));
  });
}

export function viewOf({
  members = THREE,
  proxies = { a: {}, b: {}, c: {} },
  ...model
}: MeshModel): MeshView {
  const isReported = model.limit ?? (() => true);
  const service = watcherHost.service(model.service);
  const { fleet: memberFleet, evidence: memberEvidence } = members === THREE ? serving() : ofMembers(members);
  const wantedWatcher = watcherHost.desired({ services: [service] });
  const watcherFleet: MeshView["watcher"] = new Map(
    Object.entries(proxies).map(([name, proxy]): Entry<MeshView["watcher"]> => {
      if (proxy === "unseen") return [name, { ...unseen, desired: wantedWatcher }];
      const facts = watcherHost.seen(wantedWatcher, proxy.watcher);
      const host = watcherHost.host(facts, proxy.watcher);
      return [name, { is: "seen", desired: wantedWatcher, facts, host }];
    }),
  );
  const { fleet: haproxyFleet, evidence: haproxyEvidence } = asWanted(proxies, model.service);
  const evidence = [...memberEvidence, ...haproxyEvidence, ...evidenceOf(watcher, watcherFleet)].filter(
    ({ host }) => isReported(host),
  );
  const away = [...memberFleet, ...haproxyFleet].filter(([, each]) => each.is === "unseen");
  return {
    mesh: { ...mesh([service], Object.keys(proxies)), ensemble: [] } satisfies Mesh,
    zookeeper: memberFleet,
    haproxy: haproxyFleet,
    watcher: watcherFleet,
    registrar: new Map(
      (model.registrars ?? []).map(
        (name): Entry<MeshView["registrar"]> => [name, { ...unseen, desired: registrarHost.desired() }],
      ),
    ),
    unseen: new Map(away.map(([name]) => [name, unseen.because])),
    evidence,
    hostOf: new Map([
      ["10.0.0.21", "app-1"],
      ["10.0.0.2", "zk-1"],
    ]),
    isReported,
  };
}
