import { describe, expect, it } from "vitest";
import type { ByDns } from "../../../src/contract/mesh.ts";
import type { Answer } from "../../../src/reader/answer.ts";
import type { NamesInDns } from "../../../src/reader/reader.ts";
import { renderSynapseConfig } from "../../../src/steps/watcher/synapse-config.ts";
import { vitals } from "../../../src/steps/watcher/vitals.ts";
import { assessed, desired, seen, service, type World } from "./world.ts";

const A = "10.0.0.21:9001";
const B = "10.0.0.22:9001";
const shop: ByDns = { by: "dns", names: [{ host: "api.example", port: 9001 }], intervalMs: 5_000 };
const want = (more: Partial<ByDns> = {}) =>
  desired({ services: [service({ discovery: { ...shop, ...more } })] });

/** A proxy that is told so of each name, and has the servers. */
function world(
  told:
    | Answer<NamesInDns>
    | Readonly<Record<string, NamesInDns extends ReadonlyMap<string, infer V> ? V : never>>,
  servers: readonly string[] = [A, B],
): World {
  const answer =
    "is" in told
      ? (told as Answer<NamesInDns>)
      : { is: "value" as const, value: new Map(Object.entries(told)) };
  return {
    onDisk: servers,
    inForce: Object.fromEntries(servers.map((name) => [name, "UP"])),
    facts: { registry: undefined, dns: new Map([["user-api", answer]]) },
  };
}

const rowOf = (from: World, of = want()) => assessed(of, from).row("service user-api");

describe("a service that DNS tells", () => {
  it("is Synapse's dns, with who is asked and how often", () => {
    const section = (more: Partial<ByDns>) =>
      JSON.parse(renderSynapseConfig(want(more))).services["user-api"];
    expect(section({ nameserver: "10.0.0.53", intervalMs: 1_500 })).toMatchObject({
      discovery: {
        method: "dns",
        servers: [{ host: "api.example", port: 9001 }],
        nameserver: "10.0.0.53",
        check_interval: 1.5,
      },
      default_servers: [],
      use_previous_backends: true,
    });
    expect(section({}).discovery).not.toHaveProperty("nameserver");
  });

  it("is proven where HAProxy has its addresses, in whatever order they come, and needs no ZooKeeper", () => {
    for (const addresses of [
      ["10.0.0.21", "10.0.0.22"],
      ["10.0.0.22", "10.0.0.21"],
    ]) {
      const { open, row, evidence } = assessed(want(), world({ "api.example": addresses }));
      expect(open).toEqual([]);
      expect(row("service user-api").want).toBe(`${A}, ${B}`);
      expect(evidence.map(({ setting }) => setting)).not.toContain("ZooKeeper session");
    }
  });

  it("serves a server once that two names lead to", () => {
    const names = ["api.example", "api2.example"].map((host) => ({ host, port: 9001 }));
    const told = { "api.example": ["10.0.0.21"], "api2.example": ["10.0.0.21", "10.0.0.22"] };
    expect(rowOf(world(told), want({ names }))).toMatchObject({ verdict: "proven", want: `${A}, ${B}` });
  });

  it.each([
    ["lacks an address", ["10.0.0.21", "10.0.0.22", "10.0.0.23"], `${A}, ${B}, 10.0.0.23:9001`],
    ["has one that is told no more", ["10.0.0.21"], A],
  ])("is open where HAProxy %s", (_, addresses, wanted) => {
    expect(rowOf(world({ "api.example": addresses }))).toMatchObject({
      verdict: expect.not.stringMatching(/^(proven|unknown)$/),
      want: wanted,
    });
  });

  const gone = { because: "api.example does not exist, says 10.0.0.53 (NXDOMAIN)" };
  const late = { is: "unreadable", because: "no answer within 15 s" } as const;
  it.each([
    ["a name is not told", world({ "api.example": gone }), gone.because],
    ["nothing is said of it", world({}), "nothing is told of api.example"],
    ["the host could not be asked", world(late), late.because],
    [
      "no address may be a server",
      world({ "api.example": ["127.0.0.1"] }),
      "no address of api.example may be a server: host 127.0.0.1 is each host's own loopback",
    ],
  ])("is unknown where %s, with the reason and how to ask", (_, from, because) => {
    expect(rowOf(from)).toMatchObject({
      verdict: "unknown",
      want: "as DNS says",
      because: `the addresses of api.example:9001 are unknown: ${because}. HAProxy keeps the servers that it has until it is told`,
      inForce: { source: "ruby /opt/meshctl/watcher/dns-names.rb '' api.example" },
    });
    expect(assessed(want(), from).changes).toEqual([]);
  });

  it("is unknown as a whole where one of its names is not told", () => {
    const names = ["api.example", "api2.example"].map((host) => ({ host, port: 9001 }));
    const told = { "api.example": ["10.0.0.21", "10.0.0.22"], "api2.example": gone };
    expect(rowOf(world(told), want({ names })).verdict).toBe("unknown");
  });

  it("goes without an address that may be no server's, and names it", () => {
    expect(rowOf(world({ "api.example": ["10.0.0.21", "127.0.0.1"] }, [A]))).toMatchObject({
      verdict: "proven",
      want: A,
      warning:
        "left out of HAProxy: 127.0.0.1:9001 (host 127.0.0.1 is each host's own loopback) in api.example:9001. Mend what DNS says of api.example:9001, or mesh.networks",
    });
  });

  it("has one vital: whether the proxy follows", () => {
    const of = (from: World) => {
      const told = vitals(want(), seen(want(), from));
      return told.is === "read" ? told.of.get("HAProxy's servers of user-api") : told;
    };
    const both = ["10.0.0.21", "10.0.0.22"];
    expect(of(world({ "api.example": both }))).toEqual({ is: "well" });
    expect(of(world({ "api.example": ["10.0.0.21"] }))).toEqual({
      is: "bad",
      because: `are not those that DNS lists: ${B} is still served`,
    });
    expect(of(world({ "api.example": gone }))).toEqual({ is: "unread", because: gone.because });
    const all = vitals(want(), seen(want(), world({ "api.example": both })));
    expect([...(all.is === "read" ? all.of.keys() : [])]).not.toContain("registration of user-api");
  });
});
