import { isIP } from "node:net";
import { labelName, labelValue } from "../inventory/labels.ts";
import type { Entry, LeftOut } from "./service.ts";
import { listOf, mapOf } from "./synapse.ts";

export interface NerveFile {
  readonly instance: string;
  /** Undefined where the file has no IP address. */
  readonly address: string | undefined;
  readonly members: readonly string[];
  readonly registrations: readonly { readonly name: string; readonly path: string; readonly entry: Entry }[];
  readonly leftOut: readonly LeftOut[];
}

const KNOWN = new Set(
  "host port reporter_type zk_hosts zk_path check_interval checks weight haproxy_server_options labels".split(
    " ",
  ),
);
const KNOWN_CHECK = new Set("type uri timeout rise fall open_timeout read_timeout name host port".split(" "));

/** A nerve.conf.json: what a host registers. */
export function readNerve(json: Readonly<Record<string, unknown>>): NerveFile {
  const leftOut: LeftOut[] = [];
  const members = new Set<string>();
  const addresses = new Set<string>();
  const registrations: { name: string; path: string; entry: Entry }[] = [];
  for (const [name, given] of Object.entries(mapOf(json.services))) {
    const service = mapOf(given);
    const leave = (what: string, because: string) => leftOut.push({ what: `${name}: ${what}`, because });
    const path = String(service.zk_path ?? "").replace(/\/+$/, "");
    if ((service.reporter_type ?? "zookeeper") !== "zookeeper" || path === "") {
      leave(
        "the whole registration",
        `meshctl registers in ZooKeeper, at a path, and not by ${service.reporter_type ?? "nothing"}`,
      );
      continue;
    }
    for (const key of Object.keys(service))
      if (!KNOWN.has(key))
        leave(key, "a registration has port, check, weight, backup, server_options and labels");
    for (const host of listOf(service.zk_hosts)) members.add(String(host));
    if (isIP(String(service.host))) addresses.add(String(service.host));
    const [first, ...more] = listOf(service.checks).map(mapOf);
    if (more.length > 0)
      leave(`${more.length} more checks`, "a registration has one check: the first is taken");
    const check: Entry = { inter: seconds(service.check_interval, 500) };
    for (const key of Object.keys(first ?? {}))
      if (!KNOWN_CHECK.has(key))
        leave(`checks.${key}`, "a check has http, host, port, inter, timeout, rise and fall");
    if (first?.type === "http") check.http = String(first.uri ?? "/");
    else check.http = false;
    if (first !== undefined && first.type !== "http" && first.type !== "tcp")
      leave(`a check of type ${first.type}`, "a registration is checked by http or tcp: by tcp here");
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
    registrations.push({
      name,
      path,
      entry: {
        port: Number(service.port),
        check,
        ...(ownWeight === undefined ? {} : { weight: Number(ownWeight) }),
        ...(isBackup ? { backup: true } : {}),
        ...(rest === "" ? {} : { server_options: rest }),
        ...(labels.length === 0 ? {} : { labels: Object.fromEntries(labels) }),
      },
    });
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

/** Nerve's seconds in milliseconds; at least the 100 that a registration has. */
function seconds(value: unknown, unsaid: number): number {
  return value === undefined ? unsaid : Math.max(100, Math.round(Number(value) * 1000));
}
