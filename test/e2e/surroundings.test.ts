import { spawn } from "node:child_process";
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Lab, type LabHost, startLab } from "../lab/lab.ts";
import { eventually, mustRun } from "./backends.ts";
import { inventoryFor, type JsonEvent, oneHost, openRows, startMeshctl, summaryOf } from "./meshctl.ts";

const root = resolve(import.meta.dirname, "../..");
const FAULT = `--import ${join(import.meta.dirname, "fault.mjs")}`;

let lab: Lab;
let host: LabHost;
let inventory: string;

beforeAll(async () => {
  lab = await startLab({ hosts: 1 });
  host = lab.hosts[0]!;
  inventory = await inventoryFor(lab, oneHost);
});

afterAll(() => lab?.down());

const words = (...more: string[]) => [
  join(root, "bin/meshctl.js"),
  "provision",
  "-i",
  inventory,
  "--yes",
  ...more,
];

/** What ended it, and what it had printed until nobody read any more. */
type End = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

/** meshctl with both outputs read by one reader, who leaves when `until` has come; `also` is done then. */
async function readUntil(until: RegExp, also: (pid: number) => void = () => {}): Promise<End> {
  const child = spawn(process.execPath, words(), {
    cwd: root,
    env: { ...process.env, CI: "true" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<End>((done) => child.once("exit", (code, signal) => done({ code, signal })));
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (!until.test(said) || stream.destroyed) return;
      child.stdout.destroy();
      child.stderr.destroy();
      also(child.pid!);
    });
  const end = await ended;
  expect(said).toMatch(until);
  return end;
}

const isChanging = (step: string) => (event: JsonEvent) => event.event === "changing" && event.step === step;

/** Nothing half done: no lock held, no file in the making, no package half installed. */
async function leftBehind(): Promise<string> {
  const locks =
    "for lock in /run/meshctl/lock /run/meshctl/change; do flock -n $lock true || echo $lock; done";
  const files =
    "find / -xdev -name '.meshctl.*' -print; dpkg --audit; ls /usr/sbin/policy-rc.d 2>/dev/null || true";
  return mustRun(host, `${locks}; ${files}`);
}

/** The steps whose files runs have replaced, in order. */
async function writtenSteps(): Promise<string> {
  const lists = "cat /var/lib/meshctl/runs/*/files | cut -d' ' -f1 | uniq | xargs";
  return (await mustRun(host, lists)).trim();
}

describe("a provision whose surroundings go away", () => {
  it("finishes the change under way when nobody reads its output any more, and ends as after ^C", async () => {
    expect(await readUntil(/zookeeper · packages/)).toEqual({ code: 130, signal: null });
    expect(await mustRun(host, "dpkg-query -Wf '${db:Status-Status}' zookeeper")).toBe("installed");
    expect(await leftBehind()).toBe("");
    // That nobody reads shows with the next line that is written: one more change may have begun by then, and has ended.
    expect(await writtenSteps()).toMatch(/^(sysctl)?$/);
  });

  it("does so when its terminal is closed, which also sends SIGHUP", async () => {
    const folder = await mkdtemp(join(tmpdir(), "meshctl-e2e-hangup-"));
    const command = [process.execPath, ...words()].map((word) => `'${word}'`).join(" ");
    const survivor = `trap "" HUP; ${command}; echo $? >${folder}/code`;
    const terminal = spawn("script", ["-qfc", survivor, join(folder, "screen")], {
      cwd: root,
      stdio: "ignore",
    });
    await eventually(
      "HAProxy's configuration is under way",
      () => readFile(join(folder, "screen"), "utf8").catch(() => ""),
      (text) => /haproxy · configuration/.test(text),
      400_000,
    );
    terminal.kill("SIGKILL");
    const code = () => readFile(join(folder, "code"), "utf8").catch(() => "");
    await eventually("meshctl has ended", code, (text) => text !== "", 400_000);
    expect(await code()).toBe("130\n");
    expect(await writtenSteps()).toMatch(/zookeeper haproxy$/);
    expect(await leftBehind()).toBe("");
  });

  it("is not dropped by SIGHUP and a reader that leaves at the same time", async () => {
    const end = await readUntil(/watcher · gems/, (pid) => {
      process.kill(pid, "SIGHUP");
      process.kill(pid, "SIGHUP");
    });
    expect(end).toEqual({ code: 130, signal: null });
    expect(await mustRun(host, "ls -d /opt/meshctl/watcher/gems-*")).not.toBe("");
    expect(await leftBehind()).toBe("");
  });

  it("fails the host in whose session a fault of its own comes up, and prints the summary", async () => {
    const run = startMeshctl(words("--json").slice(1), { env: { NODE_OPTIONS: FAULT } });
    await run.event(isChanging("watcher"));
    run.signal("SIGUSR2");
    const ended = await run.ended;
    expect(ended.stderr).toMatch(
      /A fault of meshctl in the session with kvm-03: Error: planted, in a session/,
    );
    expect(summaryOf(ended).hosts).toEqual([
      expect.objectContaining({
        outcome: "failed",
        because: expect.stringContaining("planted, in a session"),
      }),
    ]);
    expect(ended.code).toBe(1);
  });

  it("finishes the change under way after a fault that is no host's, and prints the summary", async () => {
    const run = startMeshctl(words("--json").slice(1), { env: { NODE_OPTIONS: FAULT } });
    await run.event(({ event }) => event === "changing");
    run.signal("SIGWINCH");
    const ended = await run.ended;
    expect(ended.stderr).toMatch(/A fault of meshctl: Error: planted, of no host/);
    const changes = (name: string) =>
      ended.events.filter(({ event }) => event === name).map(({ step, change }) => `${step} ${change}`);
    expect(changes("changing")).toHaveLength(1);
    expect(changes("changing")).toEqual(changes("changed"));
    expect(summaryOf(ended).hosts).toEqual([expect.objectContaining({ unproven: [] })]);
    expect(ended.code).toBe(130);
    expect(await leftBehind()).toBe("");
  });

  it("leaves a host that the next run brings to the end, every setting proven", async () => {
    const ended = await startMeshctl(words("--json").slice(1)).ended;
    expect(openRows(ended)).toEqual([]);
    expect(ended.code).toBe(0);
  });
});
