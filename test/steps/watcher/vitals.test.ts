import { describe, expect, it } from "vitest";
import { vitals } from "../../../src/steps/watcher/vitals.ts";
import { desired, haproxyConfig, seen, service, type World } from "./world.ts";

const A = "10.0.0.21:9001";
const BEE = "bee_10.0.0.22:9001";

/** "NAME: well" of each vital, or why the host tells of none. */
function told(world: World, want = desired()): string | string[] {
  const found = vitals(want, seen(want, world));
  if (found.is === "unread") return found.because;
  return [...found.of].map(([name, vital]) => `${name}: ${"because" in vital ? vital.because : vital.is}`);
}

/** What HAProxy runs with where the service is not in its configuration. */
const withoutBackEnd = haproxyConfig(desired(), []).replaceAll("user-api", "other-api");
const DESCRIPTION = /^ *description (.*)$/m.exec(withoutBackEnd)![1]!;

const FOLLOWS = ["HAProxy's servers of user-api: well", "registration of user-api: well"];

describe("what a proxy tells of the mesh's health", () => {
  it.each<[string, World, string | string[]]>([
    [
      "each server that it has, and that it follows ZooKeeper",
      {},
      [`server 10.0.0.21 of user-api: well`, `server bee_10.0.0.22 of user-api: well`, ...FOLLOWS],
    ],
    [
      "a server that is DOWN, with its check",
      {
        inForce: { [A]: "DOWN", [BEE]: "UP" },
        checks: { [A]: { status: "L4CON", code: "", words: "Connection refused" } },
      },
      [
        `server bee_10.0.0.22 of user-api: well`,
        `server 10.0.0.21 of user-api: is DOWN (L4CON: Connection refused)`,
        ...FOLLOWS,
      ],
    ],
    [
      "a server that is on its way down or drained by hand as well",
      { inForce: { [A]: "UP 1/3", [BEE]: "DRAIN" } },
      [`server 10.0.0.21 of user-api: well`, `server bee_10.0.0.22 of user-api: well`, ...FOLLOWS],
    ],
    [
      "one in maintenance as missing",
      { inForce: { [A]: "MAINT", [BEE]: "UP" } },
      [
        `server bee_10.0.0.22 of user-api: well`,
        `HAProxy's servers of user-api: are not those that ZooKeeper lists: ${A} is missing`,
        FOLLOWS[1]!,
      ],
    ],
    [
      "one that is not registered any more as still served, and nothing else of it",
      { inForce: { [A]: "UP", [BEE]: "UP", "old_10.0.0.9:1": "UP" } },
      [
        `server 10.0.0.21 of user-api: well`,
        `server bee_10.0.0.22 of user-api: well`,
        "HAProxy's servers of user-api: are not those that ZooKeeper lists: old_10.0.0.9:1 is still served",
        FOLLOWS[1]!,
      ],
    ],
    [
      "several on one host by number, the living first",
      {
        inForce: { [A]: "DOWN", "10.0.0.21:9002": "UP", [BEE]: "UP" },
        facts: { registry: { unreachable: "x" } },
      },
      [
        "server 10.0.0.21 of user-api: well",
        "server bee_10.0.0.22 of user-api: well",
        "server 10.0.0.21 of user-api (2): is DOWN (L4CON: Connection refused)",
        "HAProxy's servers of user-api: x",
        "registration of user-api: x",
      ],
    ],
    [
      "nothing of a canary",
      { inForce: { [A]: "UP", [BEE]: "UP", "meshctl-probe_10.0.0.9:65100": "DOWN" } },
      [`server 10.0.0.21 of user-api: well`, `server bee_10.0.0.22 of user-api: well`, ...FOLLOWS],
    ],
    [
      "that no member of the ensemble told what is registered",
      { facts: { registry: { unreachable: "no route" } } },
      [
        `server 10.0.0.21 of user-api: well`,
        `server bee_10.0.0.22 of user-api: well`,
        "HAProxy's servers of user-api: no route",
        "registration of user-api: no route",
      ],
    ],
    [
      "nothing of a service that its HAProxy has no back end for yet, though it is registered",
      { inForce: {}, loaded: withoutBackEnd, description: DESCRIPTION },
      [],
    ],
    [
      "that a service is followed whose back end has no server",
      { inForce: {} },
      [
        `HAProxy's servers of user-api: are not those that ZooKeeper lists: ${A} is missing, ${BEE} is missing`,
        FOLLOWS[1]!,
      ],
    ],
    [
      "unread of a service without servers where nobody knows what HAProxy was loaded with",
      { inForce: {}, loaded: undefined },
      [
        "HAProxy's servers of user-api: the configuration that HAProxy was loaded with is unknown",
        "registration of user-api: the configuration that HAProxy was loaded with is unknown",
      ],
    ],
    [
      "why HAProxy was not read",
      { facts: { haproxy: { unreachable: "connection refused" } } },
      "connection refused",
    ],
  ])("is %s", (_, world, expected) => {
    expect(told(world)).toEqual(expected);
  });

  it("is nothing where there is no registry to follow", () => {
    const want = desired({ services: [service({ discovery: { by: "inventory" } })] });
    expect(told({}, want)).toEqual([]);
  });

  it("takes as long to show as a health check takes to fail", () => {
    const want = desired();
    expect(vitals(want, seen(want))).toMatchObject({ shownAfterMs: 8_000 });
  });
});
