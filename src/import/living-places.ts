import { isIP } from "node:net";
import type * as z from "zod";
import { haproxyParameters } from "../haproxy/parameters.ts";
import type { HostName } from "../host-name.ts";
import { mysqlParameters } from "../steps/mysql/parameters.ts";
import { registrarParameters } from "../steps/registrar/parameters.ts";
import { sysctlParameters } from "../steps/sysctl/parameters.ts";
import { watcherParameters } from "../steps/watcher/parameters.ts";
import { zookeeperParameters } from "../steps/zookeeper/parameters.ts";
import { asksForEnsemble, type Found, type Placed, registeredOf } from "./found.ts";
import { changesOn, ensembleOf, type Living, type LivingHost, sharedOf } from "./living.ts";
import { placeholder } from "./places.ts";
import type { Entry } from "./service.ts";
import { takenOf } from "./taken.ts";
import { comment } from "./yaml.ts";

/** A member that only others' files name. */
function unreadHost(address: string, at: number): { readonly entry: Entry; readonly note: string } {
  return isIP(address) === 0
    ? {
        entry: { address: placeholder(at + 1) },
        note: `it was not read; the files call it ${address}: put its address here`,
      }
    : { entry: { address }, note: "ZooKeeper by the other hosts' files; it was not read" };
}

const PARAMETERS: Readonly<Record<string, z.ZodType>> = {
  haproxy: haproxyParameters,
  mysql: mysqlParameters,
  registrar: registrarParameters,
  sysctl: sysctlParameters,
  watcher: watcherParameters,
  zookeeper: zookeeperParameters,
};

/** Hosts that were read, in the roles that they have. */
export function livingPlaces(found: Found, { hosts, ssh, from }: Living): Placed {
  const { notes, services, nerves, members } = found;
  const entries = new Map<string, { entry: Entry; note?: string }>();
  for (const { name, address, ssh: reached } of hosts)
    entries.set(name, { entry: { address, ...(reached === undefined ? {} : { ssh: reached }) } });
  const give = (host: string, more: Entry) => {
    const known = entries.get(host);
    if (known === undefined || Object.keys(more).length === 0) return;
    entries.set(host, { ...known, entry: { ...known.entry, ...more } });
  };
  const groups: { name: string; hosts: readonly string[]; steps: Entry }[] = [];
  const group = (
    name: string,
    step: string,
    given: ReadonlyMap<HostName, Entry>,
    more: readonly string[] = [],
  ) => {
    const parameters = new Map<HostName, Entry>();
    for (const [host, entry] of given) {
      const { taken, refused } = takenOf(PARAMETERS[step]!, entry);
      // A default of a database's may be what its memory has no room for.
      const isLeft = step === "mysql" && refused.length > 0;
      const then = isLeft
        ? "the host is in no group of databases, and its server left alone"
        : "the default holds";
      notes.push(...refused.map((each) => `${host}: ${step}: ${each}: no place, ${then}`));
      if (!isLeft && taken !== undefined) parameters.set(host, taken);
    }
    const { common, own } = sharedOf(parameters);
    const names = [...new Set([...parameters.keys(), ...more])];
    if (names.length === 0) return;
    groups.push({ name, hosts: names, steps: Object.keys(common).length === 0 ? {} : { [step]: common } });
    for (const [host, entry] of own) {
      const known = entries.get(host)?.entry[step] as Entry | undefined;
      if (Object.keys(entry).length > 0) give(host, { [step]: { ...known, ...entry } });
    }
  };
  notes.unshift(...hosts.flatMap(({ unread }) => unread));

  const ensemble = ensembleOf(hosts);
  notes.push(...(ensemble?.notes ?? []));
  for (const { host, address } of ensemble?.members ?? [])
    if (!entries.has(host)) entries.set(host, unreadHost(address, entries.size));
  for (const { host, id } of ensemble?.members ?? []) if (id !== undefined) give(host, { zookeeper: { id } });
  const needsEnsemble = ensemble !== undefined || asksForEnsemble(found);
  if (ensemble === undefined && needsEnsemble) {
    for (const [at, member] of members.entries()) {
      const address = member.replace(/:\d+.*$/, "");
      entries.set(`zk-${at + 1}`, unreadHost(address, at));
    }
    groups.push({ name: "zookeeper", hosts: members.map((_, at) => `zk-${at + 1}`), steps: {} });
  } else {
    const names = ensemble?.members.map(({ host }) => host) ?? [];
    group("zookeeper", "zookeeper", ensemble?.parameters ?? new Map(), names);
    if (names.length === 0) groups.push({ name: "zookeeper", hosts: [], steps: {} });
  }

  const proxies = hosts.filter(({ programs }) => programs.some(({ program }) => program === "HAProxy"));
  const units = (host: LivingHost, program: string) =>
    host.programs.flatMap((each) => (each.program === program && each.unit !== undefined ? [each.unit] : []));
  group(
    "proxies",
    "haproxy",
    new Map(
      proxies.map(({ name, maxconn }): [HostName, Entry] => [
        name,
        { adopt: true, ...found.haproxy, maxconn: found.haproxy.maxconn ?? maxconn.most },
      ]),
    ),
  );
  if (found.haproxy.maxconn === undefined)
    for (const { name, maxconn } of proxies)
      if (!maxconn.isAsked)
        notes.push(
          `${name}: HAProxy does not answer at /run/haproxy/admin.sock and no file says its maxconn: ${maxconn.most} fits the host's open files`,
        );
  if (proxies.length === 0) groups.push({ name: "proxies", hosts: [], steps: {} });
  const watchers = proxies.flatMap((host): [HostName, Entry][] => {
    const replaces = units(host, "Synapse");
    return replaces.length === 0 ? [] : [[host.name, { replaces }]];
  });
  group("synapse", "watcher", new Map(watchers));
  const registrars = new Map<HostName, Entry>();
  for (const nerve of nerves) {
    const host = hosts.find(({ name }) => name === nerve.host)!;
    const replaces = units(host, "Nerve");
    const before = registrars.get(host.name)?.services as Entry | undefined;
    const registered = registeredOf(nerve, { services, notes });
    registrars.set(host.name, {
      ...(replaces.length === 0 ? {} : { replaces }),
      ...(nerve.instance === host.name ? {} : { formerly: nerve.instance }),
      services: { ...before, ...registered },
    });
    if (nerve.address === undefined && nerve.registrations.length > 0)
      notes.push(
        `${host.name}: Nerve registers the host by a name: no place, it is its mesh address here, ${host.address}, and the server is called otherwise`,
      );
    if (nerve.address !== undefined && nerve.address !== host.address)
      notes.push(
        `${host.name}: Nerve registers ${nerve.address}: no place, a host registers its mesh address, ${host.address} here`,
      );
    if (nerve.instance !== host.name)
      notes.push(
        `${host.name}: Nerve calls itself ${nerve.instance}: servers are called by their host here, ${host.name}_ADDRESS:PORT; for a moment both are there`,
      );
  }
  group("backends", "registrar", registrars);
  group(
    "databases",
    "mysql",
    new Map(
      hosts.flatMap(({ name, database }): [HostName, Entry][] =>
        database === undefined ? [] : [[name, database]],
      ),
    ),
  );
  group(
    "kernel",
    "sysctl",
    new Map(
      hosts.flatMap(({ name, kernel }): [HostName, Entry][] =>
        kernel.size === 0 ? [] : [[name, Object.fromEntries(kernel)]],
      ),
    ),
  );
  const kinds = [...new Set(hosts.map(({ virtualization }) => virtualization))].filter(
    (kind) => !["kvm", "none", ""].includes(kind),
  );
  // A mesh runs on them already.
  if (kinds.length > 0)
    groups.push({
      name: "everyone",
      hosts: hosts.map(({ name }) => name),
      steps: { preflight: { virtualization: ["kvm", "none", ...kinds] } },
    });
  const programs = hosts.flatMap(({ name, programs: own }) =>
    own.map(
      ({ program, pid, unit, files }) =>
        `${name}: ${program}, ${unit ?? "of no service of systemd's"}, process ${pid}: ${files.join(", ") || "no file on its command line"}`,
    ),
  );
  for (const { name, programs: own } of hosts)
    for (const { program, pid, unit } of own)
      if (unit === undefined && (program === "Synapse" || program === "Nerve"))
        notes.push(
          `${name}: ${program} is no service of systemd's: end it yourself when meshctl's runs, and what starts it: kill ${pid}`,
        );
  const usual: Readonly<Record<string, string>> = {
    ZooKeeper: "zookeeper.service",
    HAProxy: "haproxy.service",
  };
  for (const { name, programs: own } of hosts)
    for (const { program, unit } of own)
      if (usual[program] !== undefined && unit !== usual[program])
        notes.push(
          `${name}: ${program} runs as ${unit ?? "no service of systemd's"}, and meshctl's is ${usual[program]}: plan says what is in the way; end the other one when it is this host's turn`,
        );
  const { client = 2181, quorum = 2888, election = 3888 } = ensemble?.ports ?? {};
  return {
    ...found,
    head: [
      comment(
        `Made by meshctl import --from ${from}. Look through it, then: meshctl validate, meshctl plan.`,
      ),
      "#",
      "# What runs there:",
      ...(programs.length === 0
        ? ["#   nothing of SmartStack"]
        : programs.map((each) => comment(`  ${each}`))),
    ],
    changes: changesOn(hosts, ensemble),
    ssh: ["", ...ssh],
    needsEnsemble: true,
    ports: {
      ...(client === 2181 ? {} : { client_port: client }),
      ...(quorum === 2888 ? {} : { quorum_port: quorum }),
      ...(election === 3888 ? {} : { election_port: election }),
    },
    hosts: entries,
    groups,
  };
}
