import { asksForEnsemble, type Found, type Placed, registeredOf } from "./found.ts";
import type { Entry } from "./service.ts";

/** Addresses for documentation (RFC 5737), where the files name none. */
export const placeholder = (at: number) => `192.0.2.${at}`;

/** Hosts that files alone tell of: those that they do not name have addresses for documentation. */
export function placesOf(found: Found): Placed {
  const { notes, services, haproxy, nerves, members } = found;
  const hosts = new Map<string, { entry: Entry; note?: string }>();
  const ensemble: string[] = [];
  const needsEnsemble = asksForEnsemble(found);
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
    const registrar = { registrar: { services: registeredOf(nerve, { services, notes }) } };
    const twin = [...hosts].find(([, { entry }]) => entry.address === nerve.address)?.[0];
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
  const port = [...ports][0];
  if (ports.size > 1)
    notes.push(
      `ZooKeeper's members with ports ${[...ports].join(", ")}: no place, all have one: ${port} here`,
    );
  return {
    ...found,
    head: [
      "# Made by meshctl import. Look through it, put in the hosts, then: meshctl validate, meshctl plan.",
    ],
    changes: [],
    ssh: [],
    needsEnsemble,
    ports: port === undefined || port === "2181" ? {} : { client_port: Number(port) },
    hosts,
    groups: [
      { name: "zookeeper", hosts: needsEnsemble ? ensemble : [], steps: {} },
      ...(backends.length === 0 ? [] : [{ name: "backends", hosts: [...new Set(backends)], steps: {} }]),
      { name: "proxies", hosts: ["proxy-1"], steps: Object.keys(haproxy).length === 0 ? {} : { haproxy } },
    ],
  };
}
