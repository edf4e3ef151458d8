import { isIP } from "node:net";
import { labelName, labelValue } from "../inventory/labels.ts";
import { registration } from "../inventory/registrations.ts";
import { mayBeOne, membersIn } from "./members.ts";
import type { Entry, LeftOut } from "./service.ts";
import { listOf, mapOf } from "./synapse.ts";
import { takenOf } from "./taken.ts";

export interface NerveFile {
  readonly instance: string;
  /** Undefined where the file has no IP address. */
  readonly address: string | undefined;
  readonly members: readonly string[];
  /** Whether one of them has Nerve's own `weight`. */
  readonly weighs: boolean;
  readonly registrations: readonly { readonly name: string; readonly path: string; readonly entry: Entry }[];
  readonly leftOut: readonly LeftOut[];
}

const KNOWN = new Set(
  "host port reporter_type zk_hosts zk_path check_interval checks weight haproxy_server_options labels".split(
    " ",
  ),
);
const KNOWN_CHECK = new Set("type uri timeout rise fall open_timeout read_timeout name host port".split(" "));
/** Of the whole file, but what `readNerve` takes. */
const KNOWN_FILE = new Set(["instance_id", "services", "service_conf_dir"]);
/** Kinds of checks that have no place, and what to write. */
const NO_CHECK: ReadonlyMap<string, string> = new Map([
  [
    "rabbitmq",
    "it would put the broker's password into Nerve's file and leave a queue on the broker: by tcp here; RabbitMQ's management answers http, by check.http and check.port",
  ],
  ["base", "with it Nerve never registers the service: by tcp here"],
  ["undefined", "Nerve does not start with it: by tcp here"],
]);
const OTHER_CHECK = "the released Nerve has http, tcp and rabbitmq, and takes others from gems: by tcp here";

/** A nerve.conf.json: what a host registers. */
export function readNerve(json: Readonly<Record<string, unknown>>): NerveFile {
  const leftOut: LeftOut[] = [];
  const members = new Set<string>();
  const addresses = new Set<string>();
  const registrations: { name: string; path: string; entry: Entry }[] = [];
  for (const key of Object.keys(json))
    if (!KNOWN_FILE.has(key))
      leftOut.push({
        what: key,
        because:
          key === "heartbeat_path"
            ? "meshctl tells by Nerve's process and its registrations that it goes on"
            : "the released Nerve does not know it",
      });
  if (json.services !== undefined && mapOf(json.services) !== json.services)
    leftOut.push({ what: `services ${JSON.stringify(json.services)}`, because: "it is no map" });
  for (const [name, given] of Object.entries(mapOf(json.services))) {
    const service = mapOf(given);
    const leave = (what: string, because: string) => leftOut.push({ what: `${name}: ${what}`, because });
    const reporter = String(service.reporter_type ?? "zookeeper").toLowerCase();
    if (reporter !== "zookeeper" || typeof service.zk_path !== "string") {
      leave(
        "the whole registration",
        reporter === "zookeeper"
          ? `its zk_path is ${JSON.stringify(service.zk_path) ?? "not said"}`
          : `meshctl registers in ZooKeeper, at a path, and not by ${service.reporter_type}`,
      );
      continue;
    }
    const named = membersIn(service.zk_hosts);
    if (named === "several chroots") {
      leave(
        "the whole registration",
        `its zk_hosts have several chroots: ${JSON.stringify(service.zk_hosts)}`,
      );
      continue;
    }
    const path = `${named.chroot}${service.zk_path.replace(/\/+$/, "")}`;
    for (const key of Object.keys(service))
      if (!KNOWN.has(key))
        leave(key, "a registration has port, check, weight, backup, server_options and labels");
    if (!mayBeOne([...members], named.members))
      leave(
        `its ZooKeeper ${named.members.join(", ")}`,
        `the registrations before have ${[...members].join(", ")}, and a mesh has one ensemble`,
      );
    for (const member of named.members) members.add(member);
    if (isIP(String(service.host))) addresses.add(String(service.host));
    else leave(`host ${service.host}`, "a host registers its mesh address");
    const [first, ...more] = listOf(service.checks).map(mapOf);
    if (more.length > 0)
      leave(
        `${more.length} more checks (${more.map(({ type }) => type).join(", ")})`,
        "a registration has one check: the first is taken",
      );
    if (first === undefined)
      leave(
        "no checks",
        "Nerve registers it for as long as it runs itself: by tcp here, and out while that fails",
      );
    const check: Entry = { inter: seconds(service.check_interval, 500) };
    for (const key of Object.keys(first ?? {}))
      if (!KNOWN_CHECK.has(key))
        leave(`checks.${key}`, "a check has http, host, port, inter, timeout, rise and fall");
    for (const key of ["open_timeout", "read_timeout"])
      if (first?.[key] !== undefined && Number(first[key]) !== Number(first.timeout ?? 0.1))
        leave(`checks.${key} ${first[key]}`, `a check has one timeout: ${first.timeout ?? 0.1} seconds here`);
    if (first?.type === "http") check.http = String(first.uri ?? "/");
    else check.http = false;
    if (first !== undefined && first.type !== "http" && first.type !== "tcp")
      leave(`a check of type ${first.type}`, NO_CHECK.get(String(first.type)) ?? OTHER_CHECK);
    const asked = first?.host ?? service.host;
    if (asked !== service.host) {
      // Nerve resolves it on the host itself, where a name of its own is loopback.
      const at = asked === "localhost" ? "127.0.0.1" : String(asked);
      if (isIP(at) !== 0) check.host = at;
      else leave(`checks.host ${at}`, "a check is made at an IP address: at the host's mesh address here");
    }
    const checkPort = Number(first?.port ?? service.port);
    if (checkPort !== Number(service.port)) check.port = checkPort;
    check.timeout = seconds(first?.timeout, 100);
    check.rise = Number(first?.rise ?? 1);
    check.fall = Number(first?.fall ?? 1);
    const { weight, isBackup, rest } = optionsOf(String(service.haproxy_server_options ?? ""));
    const ownWeight = service.weight ?? weight;
    if (weight !== undefined && service.weight !== undefined && Number(weight) !== Number(service.weight))
      leave(
        `weight ${service.weight} beside haproxy_server_options weight ${weight}`,
        "a registration has one weight: Synapse goes by the second, and the first is taken",
      );
    const labels = Object.entries(mapOf(service.labels)).filter(([label, value]) => {
      const fits = labelName.safeParse(label).success && labelValue.safeParse(value).success;
      if (!fits) leave(`label ${label} ${JSON.stringify(value)}`, "a label is a word with one line of text");
      return fits;
    });
    const port = Number(service.port);
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      leave("the whole registration", `its port is ${JSON.stringify(service.port) ?? "not said"}`);
      continue;
    }
    for (const [what, value] of [
      ["check_interval", service.check_interval],
      ["checks.timeout", first?.timeout],
    ])
      if (value != null && Number(value) * 1000 < LEAST_MS)
        leave(`${what} ${value}`, "a check has 0.1 seconds at least");
    const { taken, refused } = takenOf(registration, {
      port,
      check,
      ...(ownWeight === undefined ? {} : { weight: Number(ownWeight) }),
      ...(isBackup ? { backup: true } : {}),
      ...(rest === "" ? {} : { server_options: rest }),
      ...(labels.length === 0 ? {} : { labels: Object.fromEntries(labels) }),
    });
    for (const each of refused) leave(each, "the default holds");
    if (taken !== undefined) registrations.push({ name, path, entry: taken });
  }
  if (addresses.size > 1)
    leftOut.push({
      what: `addresses ${[...addresses].join(", ")}`,
      because: "a host has one mesh address: the first is taken",
    });
  return {
    instance: String(json.instance_id ?? "nerve"),
    address: [...addresses][0],
    members: [...members],
    weighs: Object.values(mapOf(json.services)).some((each) => mapOf(each).weight !== undefined),
    registrations,
    leftOut,
  };
}

/** Options of a server line, with what a registration has keys for taken out. */
function optionsOf(options: string) {
  const words = options.split(/\s+/).filter(Boolean);
  const at = words.indexOf("weight");
  const weight = at === -1 ? undefined : words.splice(at, 2)[1];
  const backup = words.indexOf("backup");
  if (backup !== -1) words.splice(backup, 1);
  return { weight, isBackup: backup !== -1, rest: words.join(" ") };
}

/** What a registration's check has at least. */
const LEAST_MS = 100;

/** Nerve's seconds in milliseconds, as far as a registration has so few. */
function seconds(value: unknown, unsaid: number): number {
  return value == null ? unsaid : Math.max(LEAST_MS, Math.round(Number(value) * 1000));
}
