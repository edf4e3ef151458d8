import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Lab, LabHost } from "../lab/lab.ts";
import { mustRun } from "./backends.ts";
import { convergedLab } from "./converged.ts";
import { givenBack } from "./given-back.ts";
import { type Ended, inventoryFor, meshctl, summaryOf } from "./meshctl.ts";

let lab: Lab;
let host: LabHost;
let inventory: string;
let folder: string;
let file: string;

beforeAll(async () => {
  lab = await convergedLab();
  host = lab.hosts[2]!;
  inventory = await inventoryFor(lab);
  folder = await mkdtemp(join(tmpdir(), "meshctl-recording-"));
  file = join(folder, "hosts.json");
});

afterAll(async () => {
  await lab?.down();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

const verify = (...more: string[]) => meshctl(["verify", "-i", inventory, "--json", ...more]);
/** How far clocks are apart is told by two clocks of this machine, whose distance changes by fractions of a millisecond. */
const evidenceOf = ({ events }: Ended) =>
  events
    .filter(({ event }) => event === "evidence")
    .map(({ ts, run, ...row }) => (row.row === "preflight/clock" ? { ...row, in_force: undefined } : row));

describe("what hosts answered", () => {
  it("is kept for this user alone, and gives the same evidence later, with no host asked", async () => {
    const live = await verify("--record", file);
    expect(live.code, live.stderr).toBe(0);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const later = await verify("--from", file);
    expect(evidenceOf(later)).toEqual(evidenceOf(live));
    expect(later.code).toBe(0);
    expect(summaryOf(later).hosts.map(({ execs }) => execs)).toEqual([0, 0, 0]);
    expect(later.events).toContainEqual(
      expect.objectContaining({
        event: "note",
        text: expect.stringMatching(
          /^the answers that hosts gave at 20\S+Z are shown: no host is asked now$/,
        ),
      }),
    );
  });

  it("says what is wrong as it was, also of a host that was away", async () => {
    const back = givenBack(() => mustRun(host, "sysctl -w net.ipv4.tcp_fin_timeout=15"));
    await mustRun(host, "sysctl -w net.ipv4.tcp_fin_timeout=61");
    const away = givenBack(() => mustRun(lab.hosts[0]!, "systemctl start ssh.socket ssh.service"));
    await mustRun(lab.hosts[0]!, "systemctl stop ssh.socket ssh.service");
    const live = await verify("--record", file);
    await Promise.all([back(), away()]);
    expect(live.code).toBe(5);
    const later = await verify("--from", file);
    expect(evidenceOf(later)).toEqual(evidenceOf(live));
    expect(later.code).toBe(5);
    const outcomes = ({ hosts }: ReturnType<typeof summaryOf>) =>
      hosts.map(({ host: name, outcome, because }) => ({ name, outcome, because }));
    expect(outcomes(summaryOf(later))).toEqual(outcomes(summaryOf(live)));
  });

  it("answers nothing that was not asked then, and says so", async () => {
    await verify("--record", file, "--steps", "sysctl");
    const later = await verify("--from", file);
    expect(later.code).toBe(1);
    expect(later.stdout).toMatch(/"step":"haproxy".*the recording has no answer to: /);
  });

  it.each([
    ["no recording", '{"meshctl_recording":1}', /^--from \S+: it is none that --record wrote: recorded:/m],
    ["no JSON", "kvm-01: all proven", /^--from \S+: .*JSON/m],
  ])("is refused where the file is %s", async (_, text, words) => {
    const other = join(folder, "other");
    await writeFile(other, text);
    const ended = await meshctl(["verify", "-i", inventory, "--from", other]);
    expect(ended.stderr).toMatch(words);
    expect(ended.code).toBe(3);
  });
});
