import { appendFileSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mustRun } from "../e2e/backends.ts";
import { convergedLab } from "../e2e/converged.ts";
import { type Ended, inventoryFor, type JsonEvent, meshctl, openRows, summaryOf } from "../e2e/meshctl.ts";
import { fitRelease, releaseOfRun } from "../e2e/releases.ts";
import { attachLab, type Lab, type LabHost } from "../lab/lab.ts";
import type { Suite } from "../lab/suite.ts";
import { type ListedTrap, trapsFor } from "./list.ts";
import type { PlantedTrap } from "./table.ts";
import type { Told, Trap, World } from "./trap.ts";

const STATE = readFileSync(`${import.meta.dirname}/state.sh`, "utf8");

// While traps are written: three hosts that stay up, `npm run lab -- up 3 --name NAME`.
const kept = process.env.MESHCTL_TRAPS_LAB;

/** What meshctl said, as far as the trap got. */
interface Answers {
  verified?: Ended;
  provisioned?: Ended;
}

/** The traps are planted by several files, each on hosts of its own, so that workers end together. */
const SHARES = 6;

/** Plants every sixth trap, beginning with this one, on hosts of its own. For a test file. */
export async function plantShare(first: number): Promise<void> {
  const suite = releaseOfRun();
  // Traps of a step, which follow each other, take about the same time.
  const share = (await trapsFor(suite)).filter((_, index) => index % SHARES === first);
  describe.sequential(`on ${suite}`, () => plantOn(suite, share));
}

function plantOn(suite: Suite, share: readonly ListedTrap[]): void {
  let lab: Lab;
  const edit = (yaml: string) => fitRelease(suite, yaml);

  beforeAll(async () => {
    if (kept === undefined) {
      lab = await convergedLab({ suite, edit });
      return;
    }
    lab = await attachLab(kept);
    expectProven(await meshctl(["provision", "-i", await inventoryFor(lab, edit), "--yes", "--json"]));
  });

  afterAll(() => (kept === undefined ? lab?.down() : undefined));

  it.each(share)("$file: $trap.title", async ({ file, trap }) => {
    const host = lab.hosts.find(({ name }) => name === (trap.host ?? "kvm-03"))!;
    const [plain, asked] = await Promise.all(
      [(yaml: string) => yaml, trap.inventory ?? ((yaml: string) => yaml)].map((ask) =>
        inventoryFor(lab, (yaml) => ask(edit(yaml))),
      ),
    );
    const run = (inventory: string, command: string, ...flags: readonly string[]) =>
      meshctl([
        command,
        ...["-i", inventory, "--json"],
        ...(trap.steps === undefined || command === "status" ? [] : ["--steps", trap.steps]),
        ...(command === "provision" ? ["--yes"] : []),
        ...flags,
      ]);
    const world: World = { lab, suite, host, run: (command, ...flags) => run(asked!, command, ...flags) };
    const answers: Answers = {};
    let problem: unknown;
    /** Whether it was done. */
    const attempt = async (act: () => unknown): Promise<boolean> => {
      try {
        await act();
        return true;
      } catch (error) {
        problem ??= error;
        return false;
      }
    };
    await attempt(() => plantAndAsk(trap, world, answers));
    await attempt(() => trap.clear?.(world));
    // The next trap is planted on a converged host, whatever became of this one.
    const isProven = problem === undefined && ["mended", "left alone"].includes(trap.outcome.is);
    if (!isProven || trap.clear !== undefined || trap.inventory !== undefined) {
      const isConverged = await attempt(async () => expectProven(await run(plain!, "provision")));
      if (!isConverged && kept === undefined) {
        await lab.down();
        lab = await convergedLab({ suite, edit });
      }
    }
    report(file, trap, answers, host.name, problem);
    if (problem !== undefined) throw problem;
  });

  it("everything is proven after the last of them", async () => {
    const inventory = await inventoryFor(lab, edit);
    expectProven(await meshctl(["provision", "-i", inventory, "--yes", "--json"]));
  });
}

async function plantAndAsk(trap: Trap, world: World, answers: Answers): Promise<void> {
  const { host } = world;
  await trap.plant(world);
  const verified = await world.run("verify");
  answers.verified = verified;
  expectTold(verified, host.name, trap.told);
  if (trap.said !== undefined) expect(verified.stderr).toMatch(trap.said);
  expect(verified.code, `${verified.stderr}${openRows(verified).join("\n")}`).toBe(trap.verifyCode ?? 2);

  const before = trap.outcome.is === "refused" ? await restingStateOf(host) : [];
  const provisioned = await world.run("provision");
  answers.provisioned = provisioned;
  expectOutcome(provisioned, host.name, trap.outcome);
  if (trap.outcome.is === "refused") expectUntouched(await stateOf(host), before);
  await trap.after?.(world);
  if (trap.outcome.is === "mended") expectProven(await world.run("verify"));
}

/** What meshctl could have changed on a host. */
async function stateOf(host: LabHost): Promise<string[]> {
  return (await mustRun(host, STATE)).split("\n");
}

/** The same once systemd tries no service again, or has tried for long: what an earlier trap ended may still come back. */
async function restingStateOf(host: LabHost): Promise<string[]> {
  for (let tries = 0; tries < 20; tries++) {
    const { stdout } = await host.exec(
      "systemctl show -P SubState zookeeper haproxy meshctl-watcher meshctl-registrar mysql meshctl-haproxy-install",
    );
    if (!/^(?:auto-restart|start)/m.test(stdout)) break;
    await sleep(500);
  }
  return stateOf(host);
}

const RELOADED = /^(haproxy, installer \d+): /;

/** A worker that the watcher's own installer started meanwhile is no change of meshctl's. */
function expectUntouched(after: readonly string[], before: readonly string[]): void {
  const marks = [before, after].map((state) => state.map((line) => RELOADED.exec(line)?.[1]).find(Boolean));
  const comparable = (state: readonly string[]) =>
    marks[0] === marks[1] ? state : state.filter((line) => !RELOADED.test(line));
  expect(comparable(after)).toEqual(comparable(before));
}

function expectProven(ended: Ended): void {
  expect(openRows(ended)).toEqual([]);
  expect(ended.code, ended.stderr).toBe(0);
}

const evidenceOf = ({ events }: Ended, host: string): readonly JsonEvent[] =>
  events.filter((event) => event.event === "evidence" && event.host === host);

function isNamed({ step, setting }: JsonEvent, told: Told): boolean {
  if (told.step !== undefined && told.step !== step) return false;
  return typeof told.setting === "string" ? setting === told.setting : told.setting.test(String(setting));
}

function expectTold(verified: Ended, host: string, told: readonly Told[]): void {
  const rows = evidenceOf(verified, host);
  for (const each of told) {
    const shown = rows
      .filter((row) => isNamed(row, each))
      .map(({ step, setting, verdict, because, warning, diff }) => ({
        step,
        setting,
        verdict,
        because: because ?? warning,
        ...(each.diff === undefined ? {} : { was: (diff as { was?: string } | undefined)?.was }),
      }));
    const { verdict, because } = each;
    expect(shown, `${each.setting} is not among\n${openRows(verified).join("\n")}`).not.toEqual([]);
    const wanted = shown.map(({ step, setting }) => ({
      step,
      setting,
      verdict,
      because: expect.stringMatching(because),
      ...(each.diff === undefined ? {} : { was: expect.stringMatching(each.diff) }),
    }));
    expect(shown, openRows(verified).join("\n")).toEqual(wanted);
  }
}

function expectOutcome(provisioned: Ended, host: string, outcome: Trap["outcome"]): void {
  if (outcome.is === "refused" && outcome.code === 3) {
    expect(provisioned.stderr).toMatch(outcome.because);
    expect(provisioned.code).toBe(3);
    return;
  }
  const { changed, unproven, because } = summaryOf(provisioned).hosts.find((each) => each.host === host)!;
  if (outcome.is === "refused" || outcome.is === "failed") {
    expect(because).toMatch(outcome.because);
    expect(provisioned.code).toBe(outcome.code);
    // What a change of the step's was refused before it was made is unproven, too: see stateOf.
    if (outcome.is === "refused") expect(changed).toEqual([]);
    else expect([...changed, ...unproven]).not.toEqual([]);
  } else {
    expectProven(provisioned);
    if (outcome.is === "mended") expect(changed).not.toEqual([]);
    else expect(changed).toEqual([]);
  }
}

/** A line for the table that `npm run traps` prints. */
function report(
  file: string,
  trap: Trap,
  { verified, provisioned }: Answers,
  host: string,
  problem: unknown,
): void {
  const table = process.env.MESHCTL_TRAPS_TABLE;
  if (table === undefined) return;
  const rows = verified === undefined ? [] : evidenceOf(verified, host);
  const named = rows.filter((row) => trap.told.some((told) => isNamed(row, told)));
  const open = named.find(({ verdict }) => verdict !== "proven");
  const told = open?.because ?? named[0]?.warning ?? verified?.stderr.trim().split("\n")[0];
  const line: PlantedTrap = {
    file,
    verdict: String(open?.verdict ?? (verified?.code === 3 ? "refused" : "proven")),
    because: String(told ?? ""),
    verify: verified?.code,
    provision: provisioned?.code,
    problem: problem === undefined ? undefined : String(problem),
  };
  appendFileSync(table, `${JSON.stringify(line)}\n`);
}
