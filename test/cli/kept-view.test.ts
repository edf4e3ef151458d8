import { Chalk } from "chalk";
import { describe, expect, it } from "vitest";
import { keptView } from "../../src/cli/ui/kept-view.ts";

const paint = new Chalk({ level: 0 });

describe("the list of runs", () => {
  it("names the hosts that were not read, and says nothing of what they keep", () => {
    const kept = [{ host: "a", of: "20261122-190312-4f2a", files: [{ step: "sysctl", path: "/etc/x" }] }];
    expect(keptView(kept, ["b"], paint)).toContain("\nNot read, and may keep more: b");
    expect(keptView([], ["a", "b"], paint)).toBe(
      "No host that was read keeps anything that a run replaced.\nNot read, and may keep more: a, b",
    );
    const adopted = "/var/lib/meshctl/runs/20261122-190312-4f2a/before/etc/y";
    const taken = [{ ...kept[0]!, files: [{ step: "haproxy", path: "/etc/y", adopted }] }];
    expect(keptView(taken, [], paint)).toContain(
      `haproxy · /etc/y (adopted; what it was is in ${adopted})  a`,
    );
    expect(keptView([], [], paint)).toBe("No host keeps anything that a run replaced.");
  });
});
