import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Lab, type LabHost, startLab } from "../lab/lab.ts";
import { mustRun } from "./backends.ts";
import { inventoryFor, meshctl, oneHost, summaryOf } from "./meshctl.ts";

let lab: Lab;
let host: LabHost;
let inventory: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  lab = await startLab({ hosts: 1 });
  host = lab.hosts[0]!;
  inventory = await inventoryFor(lab, oneHost);
  env = { XDG_STATE_HOME: await mkdtemp(join(tmpdir(), "meshctl-e2e-state-")) };
});

afterAll(() => lab?.down());

const json = async (...words: string[]) => {
  const ended = await meshctl([...words, "-i", inventory, "--json"], { env });
  return { code: ended.code, answer: JSON.parse(ended.stdout.trim().split("\n").at(-1)!) };
};
const tune = (...more: string[]) =>
  meshctl(["provision", "-i", inventory, "--yes", "--json", "--steps", "sysctl", ...more], { env });

describe("what a person does by hand", () => {
  it("is to ask what a host is", async () => {
    const { code, answer } = await json("facts");
    expect(code).toBe(0);
    expect(answer).toMatchObject([
      {
        host: "kvm-03",
        os: { id: "debian", version_id: "12", codename: "bookworm" },
        virtualization: "systemd-nspawn",
        addresses: expect.arrayContaining([host.address]),
        listeners: expect.arrayContaining([expect.objectContaining({ port: 22 })]),
      },
    ]);
    expect(answer[0].packages["perl-base"]).toBe(
      await mustRun(host, "dpkg-query -Wf '${Version}' perl-base"),
    );
  });

  it.each([
    [
      "as root, its arguments as they are",
      ["sh", "-c", 'id -un; echo "$1"', "sh", "a  b;$HOME"],
      0,
      "root\na  b;$HOME\n",
    ],
    ["by the shell where it is one word", ["echo $((1 + 1)); exit 7"], 7, "2\n"],
  ])("is to run a command %s", async (_, words, exitCode, output) => {
    const ended = await meshctl(["exec", "all", "-i", inventory, "--json", "--", ...words], { env });
    expect(JSON.parse(ended.stdout)).toEqual([{ host: "kvm-03", exit_code: exitCode, output, errors: "" }]);
    expect(ended.code).toBe(exitCode === 0 ? 0 : 1);
  });

  it("is to lock a host, which no run changes until it is unlocked, and the last run is taken up where it stopped", async () => {
    expect(await json("lock", "disk swap")).toMatchObject({ code: 0, answer: [{ outcome: "locked" }] });
    // Somebody else's stays.
    expect(await json("lock", "mine")).toMatchObject({ code: 1, answer: [{ outcome: "was locked" }] });
    const kept = await mustRun(host, "cat /var/lib/meshctl/locked; stat -c %a /var/lib/meshctl/locked");
    expect(kept).toMatch(/^disk swap \(\S+ on \S+ since \S+Z\)\n600\n$/);
    const locked = await tune();
    expect(locked.code).toBe(1);
    expect(summaryOf(locked).hosts[0]).toMatchObject({
      because: expect.stringMatching(/it is locked by hand: disk swap .*"meshctl unlock -l kvm-03"/),
      changed: [],
    });
    expect(locked.events).toContainEqual(
      expect.objectContaining({ event: "note", host: "kvm-03", text: expect.stringContaining("disk swap") }),
    );
    expect(await json("unlock")).toMatchObject({ code: 0, answer: [{ outcome: "unlocked" }] });
    const again = await tune("-l", "@failed");
    expect(again.code).toBe(0);
    expect(summaryOf(again).hosts[0]!.changed).toHaveLength(1);
    const runs = JSON.parse((await meshctl(["runs", "--json"], { env })).stdout);
    expect(runs.map(({ exit_code, changed }: Record<string, unknown>) => [exit_code, changed])).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });
});
