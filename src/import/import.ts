import { maskForeignSecrets } from "../foreign-secrets.ts";
import { type HaproxyConfig, parseHaproxyConfig } from "../haproxy/config.ts";
import { compareProblems } from "./effect.ts";
import { haproxyPart } from "./haproxy-part.ts";
import { type NerveFile, readNerve } from "./nerve.ts";
import { proxiesOf } from "./proxies.ts";
import { type Entry, entryOf, type LeftOut } from "./service.ts";
import { mapOf, readSynapse, type SynapseFile } from "./synapse.ts";
import { comment, yaml } from "./yaml.ts";

export interface GivenFile {
  readonly path: string;
  readonly text: string;
  /** Files of its `service_conf_dir`: name without ending → text. */
  readonly services?: ReadonlyMap<string, string>;
}

/** What a file of people who have SmartStack may be. Throws SyntaxError where it is JSON and is none. */
function kindOf({ text, services }: GivenFile) {
  if (!/^\s*\{/.test(text)) return { is: "haproxy", config: parseHaproxyConfig(text) } as const;
  // Commas before a closing bracket are what people's files have, and YAML's readers take.
  const json = parse(text);
  const more = [...(services ?? [])].map(([name, each]) => [name, parse(each)] as const);
  const all = { ...mapOf(json), services: { ...mapOf(mapOf(json).services), ...Object.fromEntries(more) } };
  const isNerve =
    "instance_id" in mapOf(json) || Object.values(all.services).some((each) => "checks" in mapOf(each));
  if (isNerve) return { is: "nerve", file: readNerve(all) } as const;
  const given = mapOf(json);
  return { is: "synapse", file: readSynapse("services" in given || more.length > 0 ? all : given) } as const;
}

function parse(text: string): unknown {
  return JSON.parse(text.replace(/,(\s*[}\]])/g, "$1"));
}

/**
 * A commented inventory of what the files hold: what was taken, what has no place and why, what it would change. Pure; no
 * file is silently another one.
 */
export function imported(files: readonly GivenFile[]): string {
  const notes: string[] = [];
  const services = new Map<string, { entry: Entry; notes: string[] }>();
  const nerves: NerveFile[] = [];
  const members: string[] = [];
  let haproxy: Entry = {};
  const usual = new Set<string>();
  const say = (path: string, leftOut: readonly LeftOut[]) =>
    notes.push(...leftOut.map(({ what, because }) => `${path}: ${what}: no place, ${because}`));
  for (const file of files) {
    const found = kindOf(file);
    if (found.is === "nerve") {
      nerves.push(found.file);
      members.push(...found.file.members);
      say(file.path, found.file.leftOut);
      continue;
    }
    const config: HaproxyConfig = found.is === "haproxy" ? found.config : found.file.config;
    const synapse: SynapseFile | undefined = found.is === "synapse" ? found.file : undefined;
    members.push(...(synapse?.members ?? []));
    say(file.path, synapse?.leftOut ?? []);
    const part = haproxyPart(config);
    haproxy = { ...haproxy, ...part.parameters };
    say(file.path, part.leftOut);
    for (const line of part.added) usual.add(`global: with "${line}"`);
    const { proxies, alone } = proxiesOf(config);
    for (const name of alone)
      say(file.path, [
        {
          what: `backend ${name}`,
          because: "no front end has it by default: a service is one front end with one back end",
        },
      ]);
    for (const proxy of proxies) {
      if (proxy.servers.length === 0 && !synapse?.paths.has(proxy.name)) continue;
      const { entry, leftOut } = entryOf(proxy, part);
      const path = synapse?.paths.get(proxy.name);
      if (
        entry === undefined ||
        !/^[A-Za-z0-9][\w.-]*$/.test(proxy.name) ||
        (entry.servers === undefined && path === undefined)
      ) {
        const reason = leftOut[0] ?? {
          what: proxy.name,
          because: "its name or its servers are none of meshctl's",
        };
        say(file.path, [{ what: `service ${proxy.name} (${reason.what})`, because: reason.because }]);
        continue;
      }
      if (services.has(proxy.name)) {
        say(file.path, [{ what: `service ${proxy.name}`, because: "another file has one of that name" }]);
        continue;
      }
      const whole = path === undefined ? entry : { path, ...entry };
      services.set(proxy.name, {
        entry: whole,
        notes: [
          ...leftOut.map(({ what, because }) => `no place: ${what}: ${because}`),
          ...compareProblems(proxy, proxy.name, whole, part.parameters).flatMap((each) => {
            if (!USUAL.test(each)) return [`changes: ${each}`];
            usual.add(each);
            return [];
          }),
        ],
      });
    }
  }
  return written({ notes, services, haproxy, nerves, members: [...new Set(members)], usual: [...usual] });
}

/** What meshctl gives services anyway: told once, not at each. */
const USUAL =
  /^(front|back) end: with "(log global|option (httplog|tcplog|dontlognull|redispatch|clitcpka|srvtcpka)|cookie meshctl-probe|ignore-persist .*)"$/;

interface Found {
  /** What all that is taken gets beside what the files say. */
  readonly usual: readonly string[];
  readonly notes: string[];
  readonly services: ReadonlyMap<string, { readonly entry: Entry; readonly notes: readonly string[] }>;
  readonly haproxy: Entry;
  readonly nerves: readonly NerveFile[];
  readonly members: readonly string[];
}

/** Addresses for documentation (RFC 5737), where the files name none. */
const placeholder = (at: number) => `192.0.2.${at}`;

function written({ notes, services, haproxy, nerves, members, usual }: Found): string {
  const lines = Object.values(haproxy)
    .flatMap((value) => (typeof value === "object" && value !== null ? Object.values(value).flat() : []))
    .join("\n");
  if (maskForeignSecrets(lines) !== lines)
    notes.push("passwords stand below as in the files: a line may be a reference instead, !env NAME");
  const hosts = new Map<string, { entry: Entry; note?: string }>();
  const ensemble: string[] = [];
  const needsEnsemble =
    [...services.values()].some(({ entry }) => entry.path !== undefined) || nerves.length > 0;
  const given = members.length === 0 && needsEnsemble ? ["zookeeper:2181"] : members;
  const ports = new Set(given.map((member) => /:(\d+)/.exec(member)?.[1] ?? "2181"));
  for (const [at, member] of given.entries()) {
    const host = member.replace(/[:/].*$/, "");
    const isIp = /^\d+\.\d+\.\d+\.\d+$/.test(host) && !host.startsWith("127.");
    const name = `zk-${at + 1}`;
    ensemble.push(name);
    hosts.set(name, {
      entry: { address: isIp ? host : placeholder(at + 1) },
      ...(isIp ? {} : { note: `the files call it ${host}: put its address here` }),
    });
  }
  const backends: string[] = [];
  for (const [at, nerve] of nerves.entries()) {
    const name =
      nerve.instance
        .toLowerCase()
        .replace(/[^a-z0-9.-]/g, "-")
        .replace(/^[^a-z0-9]+/, "") || `backend-${at + 1}`;
    const registered: Record<string, Entry> = {};
    for (const { name: own, path, entry } of nerve.registrations) {
      const service = [...services].find(([, each]) => each.entry.path === path)?.[0];
      if (service === undefined)
        notes.push(`${nerve.instance}: ${own}: no place, no service of these files has the path ${path}`);
      else registered[service] = entry;
    }
    const twin = [...hosts].find(([, { entry }]) => entry.address === nerve.address)?.[0];
    const registrar = { registrar: { services: registered } };
    backends.push(twin ?? name);
    if (twin !== undefined) hosts.set(twin, { entry: { ...hosts.get(twin)!.entry, ...registrar } });
    else
      hosts.set(name, {
        entry: { address: nerve.address ?? placeholder(101 + at), ...registrar },
        ...(nerve.address === undefined ? { note: "the file names no address: put the host's here" } : {}),
      });
  }
  hosts.set("proxy-1", {
    entry: { address: placeholder(201) },
    note: "a host with these front ends: put its name and address here, and its like below it",
  });
  const proxies: Entry = { hosts: ["proxy-1"], ...(Object.keys(haproxy).length === 0 ? {} : { haproxy }) };
  const port = [...ports][0];
  if (ports.size > 1)
    notes.push(
      `ZooKeeper's members with ports ${[...ports].join(", ")}: no place, all have one: ${port} here`,
    );
  return [
    "# Made by meshctl import. Look through it, put in the hosts, then: meshctl validate, meshctl plan.",
    ...(notes.length === 0
      ? []
      : ["#", "# What of the files has no place here:", ...notes.map((note) => comment(`  ${note}`))]),
    ...(usual.length === 0
      ? []
      : [
          "#",
          "# What changes for every service that has it not yet:",
          ...usual.map((each) => comment(`  ${each}`)),
        ]),
    "version: 1",
    "",
    "mesh:",
    ...(needsEnsemble ? ["  ensemble: zookeeper"] : []),
    "  proxies: proxies",
    ...(port === undefined || port === "2181" ? [] : [`  zookeeper: { client_port: ${port} }`]),
    "  # As the files have it. Without this line a server that freezes or vanishes is out within about a second.",
    "  fail_fast: false",
    ...(services.size === 0 ? [] : ["  services:"]),
    ...[...services].flatMap(([name, { entry, notes: own }]) => [
      ...own.map((note) => `    ${comment(note)}`),
      `    ${yaml(name)}:`,
      ...Object.entries(entry).map(([key, value]) => `      ${key}: ${yaml(value)}`),
    ]),
    "",
    "hosts:",
    ...[...hosts].flatMap(([name, { entry, note }]) => [
      ...(note === undefined ? [] : [`  ${comment(note)}`]),
      `  ${yaml(name)}: ${yaml(entry)}`,
    ]),
    "",
    "groups:",
    `  zookeeper: ${yaml(needsEnsemble ? ensemble : [])}`,
    ...(backends.length === 0 ? [] : [`  backends: ${yaml([...new Set(backends)])}`]),
    "  proxies:",
    `    hosts: ${yaml(proxies.hosts)}`,
    ...(proxies.haproxy === undefined
      ? []
      : ["    haproxy:", ...Object.entries(haproxy).map(([key, value]) => `      ${key}: ${yaml(value)}`)]),
    "",
  ].join("\n");
}
