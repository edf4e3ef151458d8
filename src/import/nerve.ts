import { isIP } from "node:net";
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
  "host port reporter_type zk_hosts zk_path check_interval checks weight haproxy_server_options".split(" "),
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
    if (registrations.some((other) => other.path === path)) {
      leave("the whole registration", `a host registers one instance at ${path}`);
      continue;
    }
    for (const key of Object.keys(service))
      if (!KNOWN.has(key)) leave(key, "a registration has port, check and weight");
    for (const host of listOf(service.zk_hosts)) members.add(String(host));
    if (isIP(String(service.host))) addresses.add(String(service.host));
    const [first, ...more] = listOf(service.checks).map(mapOf);
    if (more.length > 0)
      leave(`${more.length} more checks`, "a registration has one check: the first is taken");
    const check: Entry = { inter: seconds(service.check_interval, 500) };
    for (const key of Object.keys(first ?? {}))
      if (!KNOWN_CHECK.has(key)) leave(`checks.${key}`, "a check has http, inter, timeout, rise and fall");
    if (first?.type === "http") check.http = String(first.uri ?? "/");
    else check.http = false;
    if (first !== undefined && first.type !== "http" && first.type !== "tcp")
      leave(`a check of type ${first.type}`, "a registration is checked by http or tcp: by tcp here");
    for (const key of ["host", "port"]) {
      if (first?.[key] !== undefined && first[key] !== service[key])
        leave(`checks.${key} ${first[key]}`, "a registration is checked where it is registered");
    }
    check.timeout = seconds(first?.timeout, 100);
    check.rise = Number(first?.rise ?? 1);
    check.fall = Number(first?.fall ?? 1);
    const options = String(service.haproxy_server_options ?? "");
    const weight = service.weight ?? /^weight (\d+)$/.exec(options)?.[1];
    if (options !== "" && !/^weight \d+$/.test(options))
      leave(`haproxy_server_options "${options}"`, "a registration says weight alone");
    registrations.push({
      name,
      path,
      entry: {
        port: Number(service.port),
        check,
        ...(weight === undefined ? {} : { weight: Number(weight) }),
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

/** Nerve's seconds in milliseconds; at least the 100 that a registration has. */
function seconds(value: unknown, unsaid: number): number {
  return value === undefined ? unsaid : Math.max(100, Math.round(Number(value) * 1000));
}
