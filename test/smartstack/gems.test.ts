import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { InventoryView } from "../../src/contract/inventory-view.ts";
import { gemProblems, gemSource } from "../../src/smartstack/gem-parameters.ts";
import { gemKey, rubyObstacle, rubyOf, rubyRequirements } from "../../src/smartstack/gem-set.ts";
import type { Gem } from "../../src/smartstack/locked-gems.ts";
import { bookwormHost } from "../steps/bookworm-host.ts";

const folder = mkdtempSync(join(tmpdir(), "meshctl-gems-"));
afterAll(() => rmSync(folder, { recursive: true }));

const inventory = {
  hosts: new Map([["kvm-01", {}]]),
  network: { proxy: undefined, caCertificates: undefined },
} as unknown as InventoryView;

describe("a folder of gems", () => {
  mkdirSync(join(folder, "gems"));
  const path = join(folder, "gems/tool-1.0.gem");
  const set = (sha256: string): readonly Gem[] => [{ name: "tool", version: "1.0", sha256, files: "" }];
  const problem = (name: string, sha256 = "0") =>
    gemProblems({ gems: join(folder, name) }, inventory, set(sha256)).map(({ message }) => message);

  it("is where the parameter says", () => {
    expect(problem("away")).toEqual([`${join(folder, "away")}: no such folder`]);
    expect(gemSource({ gems: "/gems" }, inventory).gemDirectory).toBe("/gems");
  });

  it("is refused when it lacks a gem, or has another than the locked one", () => {
    expect(problem("gems")).toEqual([`${join(folder, "gems")} lacks tool-1.0.gem`]);
    writeFileSync(path, "another gem\n");
    expect(problem("gems")[0]).toContain(`${path} has the sha256 `);
    const [found] = /(?<=sha256 )[0-9a-f]{64}/.exec(problem("gems")[0]!)!;
    expect(problem("gems", found)).toEqual([]);
  });
});

describe("a build of gems", () => {
  const facts = (ruby?: string, rubyCandidate?: string) => ({ ruby, rubyCandidate });

  it("is for one release, architecture and Ruby", () => {
    const key = gemKey(bookwormHost(), facts());
    expect(key).toMatch(/^gems-bookworm-amd64-ruby3\.1-[0-9a-f]{8}$/);
    const others = [
      gemKey(bookwormHost({ architecture: "arm64" }), facts()),
      gemKey(bookwormHost(), facts("ruby3.3")),
    ];
    expect(new Set([key, ...others]).size).toBe(3);
  });

  it("takes the Ruby that is there, else the one that apt would install, else the release's", () => {
    expect(rubyOf(bookwormHost(), facts("ruby3.0", "ruby3.4"))).toBe("ruby3.0");
    expect(rubyOf(bookwormHost(), facts(undefined, "ruby3.4"))).toBe("ruby3.4");
    expect(rubyOf(bookwormHost(), facts())).toBe("ruby3.1");
  });

  it.each([
    ["ruby2.5", "older"],
    ["ruby2.7", undefined],
    ["ruby3.3", undefined],
    ["ruby3.4", "newer"],
    ["ruby4.0", "newer"],
    ["ruby", undefined],
  ])("with %s is expected to run unless that is too old or too new", (ruby, which) => {
    const obstacle = rubyObstacle("Synapse", ruby);
    if (which === undefined) expect(obstacle).toBeUndefined();
    else
      expect(obstacle).toContain(
        `${which} than those that Synapse and its gems were tried with (2.7, 3.1 and 3.3)`,
      );
  });

  it("is asked of the host by preflight, before anything is changed", () => {
    const asked = (codename: string, found: ReturnType<typeof facts> | undefined) =>
      rubyRequirements("Synapse", { ...bookwormHost(), os: { codename } }, found);
    expect(asked("bookworm", facts())).toMatchObject([{ found: "ruby3.1", because: undefined }]);
    expect(asked("forky", facts(undefined, "ruby3.4"))).toMatchObject([
      {
        want: "2.7 to 3.3",
        found: "ruby3.4",
        because: expect.stringContaining("newer than those that Synapse"),
      },
    ]);
    expect(asked("bookworm", facts(undefined, "none"))).toMatchObject([
      { because: expect.stringContaining("apt knows no package ruby on this host") },
    ]);
    // Before it was read, and where apt has no lists yet.
    expect(asked("bookworm", undefined)).toEqual([]);
    expect(asked("forky", facts())).toEqual([]);
  });
});
