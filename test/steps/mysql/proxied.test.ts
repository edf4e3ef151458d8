import { describe, expect, it } from "vitest";
import type { InventoryView } from "../../../src/contract/inventory-view.ts";
import type { Service } from "../../../src/contract/mesh.ts";
import { Reader } from "../../../src/reader/reader.ts";
import { keyOf } from "../../../src/reader/recording.ts";
import { lookAtDatabase } from "../../../src/steps/mysql/look.ts";
import { leadingHere, namedIn, proxiedOn, proxiedWarnings } from "../../../src/steps/mysql/proxied.ts";
import { MARIADB } from "../../../src/steps/mysql/server.ts";
import { mesh, service } from "../../haproxy/mesh.ts";
import { tellOf, value } from "../../reader/told-host.ts";
import { hostView } from "./world.ts";

const tcp = { http: undefined, interMs: 500, rise: 1, fall: 2, failFast: false };
const db = (change: Partial<Service> = {}, check: Partial<Service["check"]> = {}) =>
  service({
    name: "db",
    mode: "tcp",
    servers: [{ name: "one", host: "10.0.0.21", port: 3306 }],
    check: { ...tcp, ...check },
    ...change,
  });
const LIVE = {
  port: "3306",
  bind_address: "0.0.0.0",
  skip_networking: "OFF",
  max_connect_errors: "100",
  skip_name_resolve: "OFF",
};
const mysqlCheck = { lines: ["option mysql-check user checker post-41"] };

function warned(live: Record<string, string> | undefined, one = db(), host = hostView): string {
  const proxied = proxiedOn(host, { mesh: mesh([one]) } as unknown as InventoryView);
  const told = live && new Map(Object.entries({ ...LIVE, ...live }));
  return proxiedWarnings(MARIADB, told, proxied).join();
}

it.each<[string, Record<string, string>, RegExp]>([
  [
    "on loopback alone",
    { bind_address: "127.0.0.1" },
    /behind db, at 10\.0\.0\.21:3306, and MariaDB listens on 127\.0\.0\.1 alone/,
  ],
  [
    "by the name of loopback",
    { bind_address: "localhost" },
    /listens on localhost alone: no proxy reaches it/,
  ],
  [
    "on another of its addresses",
    { bind_address: "127.0.0.1,10.9.0.1" },
    /listens on 127\.0\.0\.1,10\.9\.0\.1 alone/,
  ],
  ["on no address", { skip_networking: "ON", port: "0" }, /listens on no address \(skip_networking\)/],
])("a database behind proxies that listens %s is named", (_, live, words) => {
  expect(warned(live, db({}, mysqlCheck))).toMatch(words);
});

it.each(["0.0.0.0", "*", "::", "10.0.0.21", "127.0.0.1,10.0.0.21", "db-01.example", ""])(
  "one that listens on %s is reached",
  (bind_address) => {
    expect(warned({ bind_address }, db({}, mysqlCheck))).toBe("");
  },
);

it("a check by bare connections that gets the proxies shut out is named, with the check to write", () => {
  expect(warned({})).toMatch(
    /after 100 in a row \(max_connect_errors\).*Say check: \{ mysql: USER \} for db/,
  );
  expect(warned({}, db({}, { lines: ["option tcp-check", "tcp-check expect string 5.5"] }))).toMatch(
    /after 100/,
  );
});

it.each<[string, Record<string, string>, Service]>([
  ["the server keeps no count of hosts", { skip_name_resolve: "ON" }, db()],
  ["the server keeps none for want of room", { host_cache_size: "0" }, db()],
  ["it counts to billions", { max_connect_errors: "4294967295" }, db()],
  ["the check logs in", {}, db({}, mysqlCheck)],
  [
    "a line of the service's does",
    {},
    db({ lines: { frontend: [], backend: ["option mysql-check user x"], server: "" } }),
  ],
  ["it is made at another port", {}, db({}, { port: 9200 })],
  ["there is no check", {}, db({}, { off: true })],
  ["the servers are another host's", {}, db({ servers: [{ name: "a", host: "10.0.0.22", port: 3306 }] })],
  ["the servers are another program's", {}, db({ servers: [{ name: "a", host: "10.0.0.21", port: 9042 }] })],
])("nothing is said where %s", (_, live, one) => {
  expect(warned(live, one)).toBe("");
});

it("one that listens on its IPv6 address is reached, however that is written", () => {
  const one = { service: "db", address: "fd00:0:0::5", port: 3306, isBare: false };
  expect(
    proxiedWarnings(
      MARIADB,
      new Map([
        ["port", "3306"],
        ["bind_address", "fd00::5"],
      ]),
      [one],
    ),
  ).toEqual([]);
});

it("a server that was not asked says nothing, and an older one is not judged by what it does not tell", () => {
  expect(warned(undefined)).toBe("");
  const proxied = proxiedOn(hostView, { mesh: mesh([db()]) } as unknown as InventoryView);
  expect(proxiedWarnings(MARIADB, new Map([["version", "10.3"]]), proxied)).toEqual([]);
});

it("what the host registers of a service is behind its proxies, too", () => {
  const registering = {
    ...hostView,
    parameters: new Map([["registrar", { services: { db: [{ port: 3306 }] } }]]),
  };
  const found = db({ servers: [], discovery: { by: "zookeeper", path: "/services/db" } });
  expect(warned({ bind_address: "127.0.0.1" }, found, registering)).toMatch(/listens on 127\.0\.0\.1 alone/);
  expect(warned({ bind_address: "127.0.0.1" }, found)).toBe("");
});

describe("a service whose servers come from DNS", () => {
  const byName = db({
    servers: [],
    discovery: { by: "dns", names: [{ host: "db.example", port: 3306 }], intervalMs: 5_000 },
  });
  const named = namedIn({ mesh: mesh([byName]) } as unknown as InventoryView);
  const ADDRESSES = ["127.0.0.1", "10.0.0.21"];
  const said = (...leadTo: readonly string[]) =>
    proxiedWarnings(
      MARIADB,
      new Map(Object.entries({ ...LIVE, bind_address: "127.0.0.1" })),
      leadingHere(named, new Map([["db.example", leadTo]]), ADDRESSES),
    ).join();

  it("has this host's database behind it where its name leads here", () => {
    expect(said("10.0.0.20", "10.0.0.21")).toMatch(
      /behind db, at 10\.0\.0\.21:3306, and MariaDB listens on 127\.0\.0\.1 alone/,
    );
  });

  it("has not where the name leads elsewhere, to this host's loopback, or is not resolved here", () => {
    expect(said("10.0.0.20")).toBe("");
    expect(said("127.0.0.1")).toBe("");
    expect(leadingHere(named, new Map(), ADDRESSES)).toEqual([]);
  });

  it("is asked for by each name once, and one that is not resolved leads nowhere", async () => {
    const two = namedIn({ mesh: mesh([byName, { ...byName, name: "other" }]) } as unknown as InventoryView);
    const lost = [{ service: "x", host: "lost.example", port: 3306, isBare: true }];
    const answers = {
      [keyOf(["resolution", "db.example", "lost.example"])]: value(
        "db.example",
        "= 10.0.0.21 10.0.0.20",
        "lost.example",
        "Name or service not known",
      ),
    };
    const { leadTo } = await lookAtDatabase(new Reader(tellOf({ answers })), { named: [...two, ...lost] });
    expect([...leadTo]).toEqual([["db.example", ["10.0.0.21", "10.0.0.20"]]]);
  });
});
