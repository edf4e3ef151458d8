import { basename } from "node:path";
import { describe, expect, it } from "vitest";
import { load, problemsOf } from "../playbook/load.ts";

const inventory = (hosts: string, groups = "") => `version: 1
hosts:
${hosts}groups:
  g: [a]
${groups}`;

describe("a host's country", () => {
  const countries = async (text: string) => {
    const { inventory } = await load({ inventory: text });
    return [...inventory.hosts.values()].map(
      ({ country }) => country && { ...country, source: basename(country.source) },
    );
  };

  it("is what the host says, then what its groups say, with the place", async () => {
    const hosts = `  a: { address: 10.0.0.1, country: FR }
  b: { address: 10.0.0.2 }
  c: { address: 10.0.0.3 }
`;
    const groups = `  inner: { hosts: [a, b], country: DE }
  outer: { hosts: [inner], country: DE }
`;
    expect(await countries(inventory(hosts, groups))).toEqual([
      { code: "FR", source: "i.yaml:3" },
      { code: "DE", source: "i.yaml:8" },
      undefined,
    ]);
  });

  it("may be Norway, which is no truth value", async () => {
    expect(await countries(inventory("  a: { address: 10.0.0.1, country: NO }\n"))).toEqual([
      { code: "NO", source: "i.yaml:3" },
    ]);
  });

  it.each(["UK", "EU", "ZZ", "QQ", "de", "DEU", "Germany"])("is not %s", async (code) => {
    expect(
      await problemsOf({ inventory: inventory(`  a: { address: 10.0.0.1, country: ${code} }\n`) }),
    ).toEqual([
      `i.yaml:3:36 hosts.a.country: expected a country of ISO 3166-1 like DE or GB, found '${code}'`,
    ]);
  });

  it("is refused in a group as in a host", async () => {
    const groups = `  h: { hosts: [a], country: uk }
  none: { hosts: [], country: [DE] }
`;
    expect(await problemsOf({ inventory: inventory("  a: { address: 10.0.0.1 }\n", groups) })).toEqual([
      "i.yaml:6:29 groups.h.country: expected a country of ISO 3166-1 like DE or GB, found 'uk'",
      "i.yaml:7:31 groups.none.country: expected a country of ISO 3166-1 like DE or GB, found a list",
    ]);
  });

  it("is one: two groups that disagree are named, unless the host says it itself", async () => {
    const groups = `  here: { hosts: [a, b], country: DE }
  there: { hosts: [a, b], country: FR }
`;
    const hosts = `  a: { address: 10.0.0.1, country: DE }
  b: { address: 10.0.0.2 }
`;
    expect(await problemsOf({ inventory: inventory(hosts, groups) })).toEqual([
      "i.yaml:8:36 groups.there.country: group 'here' says 'DE' (line 7), and 'b' is in both groups",
    ]);
  });
});
