import { appendFileSync, readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Ended, inventoryFor, type JsonEvent, meshctl, openRows, summaryOf } from "../e2e/meshctl.ts";
import { attachLab, type Lab, startLab } from "../lab/lab.ts";
import { parseSuite } from "../lab/suite.ts";
import { forSuite } from "./suites.ts";
import type { Told, Trap, World } from "./trap.ts";

const suite = parseSuite(process.env.MESHCTL_SUITE ?? "bookworm");
const traps = await Promise.all(
  readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" })
    .filter((file) => /^[a-z]+\/[^/]+\.ts$/.test(file))
    .sort()
    .map(async (file) => ({
      file,
      trap: (await import(/* @vite-ignore */ `${import.meta.dirname}/${file}`)).default as Trap,
    })),
);

// While traps are written: three hosts that stay up, `npm run lab -- up 3 --name NAME`.
const kept = process.env.MESHCTL_TRAPS_LAB;
let lab: Lab;

beforeAll(async () => {
  lab = await (kept === undefined ? startLab({ hosts: 3, suite }) : attachLab(kept));
  const inventory = await inventoryFor(lab, (yaml) => forSuite(suite, yaml));
  const first = await meshctl(["provision", "-i", inventory, "--yes", "--json"]);
  expect(openRows(first)).toEqual([]);
  expect(first.code).toBe(0);
});

afterAll(() => (kept === undefined ? lab?.down() : undefined));

const planted = traps.filter(({ trap }) => trap.suites?.includes(suite) ?? true);

describe.sequential(`on ${suite}`, () => {
  it.each(planted)("$file: $trap.title", async ({ file, trap }) => {
    const host = lab.hosts.find(({ name }) => name === (trap.host ?? "kvm-03"))!;
    const [plain, asked] = await Promise.all(
      [(yaml: string) => yaml, trap.inventory ?? ((yaml: string) => yaml)].map((edit) =>
        inventoryFor(lab, (yaml) => edit(forSuite(suite, yaml))),
      ),
    );
    const run = (inventory: string, command: string, ...flags: readonly string[]) =>
      meshctl([
        command,
        ...["-i", inventory, "--json"],
        ...(trap.steps === undefined ? [] : ["--steps", trap.steps]),
        ...(command === "provision" ? ["--yes"] : []),
        ...flags,
      ]);
    const world: World = { lab, suite, host, run: (command, ...flags) => run(asked!, command, ...flags) };
    try {
      await trap.plant(world);
      const verified = await world.run("verify");
      for (const told of trap.told) expectTold(verified, host.name, told);
      if (trap.said !== undefined) expect(verified.stderr).toMatch(trap.said);
      expect(verified.code, `${verified.stderr}${openRows(verified).join("\n")}`).toBe(trap.verifyCode ?? 2);

      const provisioned = await world.run("provision");
      expectOutcome(provisioned, host.name, trap.outcome);
      await trap.after?.(world);
      if (trap.outcome.is === "mended") expectProven(await world.run("verify"));
      report(file, trap, verified, provisioned, host.name);
    } catch (error) {
      // The next trap is planted on a converged host all the same.
      await trap.clear?.(world);
      await run(plain!, "provision");
      throw error;
    }
    await trap.clear?.(world);
    expectProven(await run(plain!, "provision"));
  });

  it("everything is proven after the last of them", async () => {
    const inventory = await inventoryFor(lab, (yaml) => forSuite(suite, yaml));
    expectProven(await meshctl(["provision", "-i", inventory, "--yes", "--json"]));
  });
});

function expectProven(ended: Ended): void {
  expect(openRows(ended)).toEqual([]);
  expect(ended.code, ended.stderr).toBe(0);
}

const evidenceOf = ({ events }: Ended, host: string): readonly JsonEvent[] =>
  events.filter((event) => event.event === "evidence" && event.host === host);

function isNamed({ setting }: JsonEvent, told: Told): boolean {
  return typeof told.setting === "string" ? setting === told.setting : told.setting.test(String(setting));
}

function expectTold(verified: Ended, host: string, told: Told): void {
  const rows = evidenceOf(verified, host).filter((row) => isNamed(row, told));
  const shown = rows.map(({ setting, verdict, because, warning }) => ({
    setting,
    verdict,
    because: because ?? warning,
  }));
  expect(shown, openRows(verified).join("\n")).toContainEqual({
    setting: expect.anything(),
    verdict: told.verdict,
    because: expect.stringMatching(told.because),
  });
}

function expectOutcome(provisioned: Ended, host: string, outcome: Trap["outcome"]): void {
  if (outcome.is === "refused" && outcome.code === 3) {
    expect(provisioned.stderr).toMatch(outcome.because);
    expect(provisioned.code).toBe(3);
    return;
  }
  const { changed, because } = summaryOf(provisioned).hosts.find((each) => each.host === host)!;
  if (outcome.is === "refused") {
    expect(because).toMatch(outcome.because);
    expect(provisioned.code).toBe(outcome.code);
  } else {
    expectProven(provisioned);
    if (outcome.is === "mended") expect(changed).not.toEqual([]);
    else expect(changed).toEqual([]);
  }
}

/** A line for the table that `npm run traps` prints. */
function report(file: string, trap: Trap, verified: Ended, provisioned: Ended, host: string): void {
  const table = process.env.MESHCTL_TRAPS_TABLE;
  if (table === undefined) return;
  const rows = evidenceOf(verified, host).filter((row) => trap.told.some((told) => isNamed(row, told)));
  const open = rows.find(({ verdict }) => verdict !== "proven");
  const line = {
    suite,
    file,
    title: trap.title,
    verdict: open?.verdict ?? (verified.code === 3 ? "refused" : "proven"),
    because: open?.because ?? rows[0]?.warning ?? verified.stderr.trim().split("\n")[0] ?? "",
    verify: verified.code,
    outcome: trap.outcome.is,
    provision: provisioned.code,
  };
  appendFileSync(table, `${JSON.stringify(line)}\n`);
}
