import { afterEach, describe, expect, it } from "vitest";
import { type Lab, startLab } from "../lab/lab.ts";
import type { Suite } from "../lab/suite.ts";
import { inventoryFor, meshctl, oneHost, openRows, summaryOf } from "./meshctl.ts";
import { exposedUnits } from "./sandbox.ts";

let lab: Lab | undefined;

afterEach(async () => {
  await lab?.down();
  lab = undefined;
});

// Bookworm is what every other test runs on.
describe.each<Suite>(["bullseye", "trixie"])("a host of Debian's %s", (suite) => {
  it("gets the whole job, proven, and a second run leaves it alone", async () => {
    lab = await startLab({ hosts: 1, suite });
    const inventory = await inventoryFor(lab, oneHost);
    const first = await meshctl(["provision", "-i", inventory, "--yes", "--json"]);
    // With its reason, should it be otherwise.
    expect(summaryOf(first).hosts).toEqual([expect.objectContaining({ outcome: "as wanted" })]);
    expect(openRows(first)).toEqual([]);
    expect(first.code).toBe(0);
    const units = ["zookeeper.service", "meshctl-watcher.service", "meshctl-haproxy-install.service"];
    expect(await exposedUnits(lab.hosts[0]!, units)).toEqual([]);
    const second = await meshctl(["provision", "-i", inventory, "--yes", "--json"]);
    expect(second.code).toBe(0);
    expect(summaryOf(second).hosts).toEqual([expect.objectContaining({ changed: [], execs: 1 })]);
    await lab.hosts[0]!.reboot();
    // What is not up yet is looked at once more, as an engineer would.
    let after = await meshctl(["verify", "-i", inventory, "--json"]);
    for (let tries = 0; after.code !== 0 && tries < 10; tries++) {
      await new Promise((resume) => setTimeout(resume, 3000));
      after = await meshctl(["verify", "-i", inventory, "--json"]);
    }
    expect(openRows(after)).toEqual([]);
  });
});
