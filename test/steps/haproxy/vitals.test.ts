import { describe, expect, it } from "vitest";
import { vitals } from "../../../src/steps/haproxy/service.ts";
import { service } from "../../haproxy/mesh.ts";
import { desired, factsOf, type ProbeFields } from "./host.ts";

const fixed = service({
  servers: ["a", "b"].map((server) => ({ name: server, host: "10.0.0.9", port: 80 })),
});
const want = desired({ services: [fixed] });
const watched = desired({ watched: true });

function told(probe: ProbeFields, of = want): string | string[] {
  const found = vitals(of, factsOf(of, probe));
  if (found.is === "unread") return found.because;
  return [...found.of].map(([name, vital]) => `${name}: ${"because" in vital ? vital.because : vital.is}`);
}

const name = want.settings.services[0]!.name;

describe("what HAProxy tells of the mesh's health", () => {
  it.each<[string, ProbeFields, string | string[]]>([
    [
      "that it runs, and its servers",
      {
        servers: [
          [name, "a", "UP", 1],
          [name, "b", "DOWN", 1],
        ],
      },
      ["haproxy.service: well", `server a of ${name}: well`, `server b of ${name}: is DOWN (L7OK/200)`],
    ],
    [
      "nothing of back ends that are not the mesh's",
      { servers: [["other", "a", "DOWN", 1]] },
      ["haproxy.service: well"],
    ],
    ["that it does not run", { active: "failed" }, ["haproxy.service: is failed"]],
    ["nothing where it is not installed", { installed: false, load: "not-found" }, []],
  ])("is %s", (_, probe, expected) => {
    expect(told(probe)).toEqual(expected);
  });

  it("is why its servers were not read", () => {
    const facts = { table: { is: "unreadable", because: "no end of its answer in time" } } as const;
    expect(told({ facts })).toBe("no end of its answer in time");
  });

  it("is that it runs where the watcher tells of its servers", () => {
    expect(told({ servers: [[name, "a", "DOWN", 1]] }, watched)).toEqual(["haproxy.service: well"]);
  });
});
