import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Lab, type LabHost, startLab } from "../lab/lab.ts";
import { eventually, mustRun } from "./backends.ts";
import { givenBack } from "./given-back.ts";
import {
  inventoryFor,
  type JsonEvent,
  meshctl,
  oneHost,
  openRows,
  type Running,
  startMeshctl,
  summaryOf,
} from "./meshctl.ts";

let lab: Lab;
let host: LabHost;
let inventory: string;

beforeAll(async () => {
  lab = await startLab({ hosts: 1 });
  host = lab.hosts[0]!;
  inventory = await inventoryFor(lab, oneHost);
});

afterAll(() => lab?.down());

const provision = (env: NodeJS.ProcessEnv = {}, file = inventory) =>
  startMeshctl(["provision", "-i", file, "--yes", "--json"], { env });

const isChanging = (step: string, change: string) => (event: JsonEvent) =>
  event.event === "changing" && event.step === step && event.change === change;

/** Waits until a change is under way, and until the host shows how far it is. */
async function moment(run: Running, step: string, change: string, shows: string): Promise<void> {
  await run.event(isChanging(step, change));
  await eventually(
    `${step} ${change}: ${shows}`,
    async () => (await host.exec(shows)).code,
    (code) => code === 0,
    120_000,
  );
}

async function cutOff(run: Running): Promise<void> {
  run.signal("SIGKILL");
  expect((await run.ended).code).toBe(-1);
}

async function losePower(run: Running): Promise<void> {
  const powerOn = givenBack(() => host.powerOn());
  await host.powerCut();
  // It may have ended by itself already, the host being lost.
  run.signal("SIGKILL");
  expect([-1, 1]).toContain((await run.ended).code);
  await powerOn();
}

/** Files in the making, build directories, and what holds services back: none of it outlives a run. */
async function leftBehind(): Promise<string> {
  const halfWritten = `find / -xdev ( -name .meshctl.* -o -name .manifest.* ) -print`;
  const others =
    "ls -d /usr/sbin/policy-rc.d /var/tmp/meshctl-build.* /opt/meshctl-build.* /run/meshctl/ca.* /opt/meshctl/watcher/*.* /var/lib/meshctl/build/*";
  const { stdout } = await host.exec(`set -f; ${halfWritten}; set +f; ${others} 2>/dev/null`);
  return stdout
    .split("\n")
    .filter((path) => path !== "" && !isBuild(path))
    .join("\n");
}

/** The gems in place have dots in their name as well. */
const isBuild = (path: string) => /^\/opt\/meshctl\/watcher\/synapse-[^/]*-[0-9a-f]{8}$/.test(path);

async function heldLocks(): Promise<string> {
  const locks = "/run/meshctl/lock /run/meshctl/change /var/lib/meshctl/manifest.lock";
  return mustRun(host, `for lock in ${locks}; do flock -n "$lock" true || echo "$lock"; done`);
}

describe("a host whose provisioning is cut off again and again", () => {
  it("loses power while apt unpacks", async () => {
    const run = provision();
    await moment(run, "zookeeper", "packages", "pidof dpkg");
    await losePower(run);
    // Had the power gone in the middle of writing a file.
    await mustRun(host, "touch /etc/systemd/system/.meshctl.aaaaaa /var/lib/meshctl/.manifest.aaaaaa");
  });

  it("loses its meshctl while apt unpacks", async () => {
    const run = provision();
    await moment(run, "zookeeper", "packages", "pidof dpkg && test -e /usr/sbin/policy-rc.d");
    await cutOff(run);
  });

  it("loses power when ZooKeeper's configuration is written", async () => {
    const run = provision();
    await moment(run, "zookeeper", "configuration", "grep meshctl /etc/zookeeper/conf/zoo.cfg");
    await losePower(run);
  });

  it("has the change under way finished at ^C, and no other begun", async () => {
    const run = provision();
    await run.event(isChanging("haproxy", "configuration"));
    run.signal("SIGINT");
    const ended = await run.ended;
    expect(ended.stderr).toContain("no new change is begun");
    expect(ended.code).toBe(130);
    const changes = (name: string) =>
      ended.events.filter(({ event }) => event === name).map(({ step, change }) => `${step} ${change}`);
    expect(changes("changing")).toEqual(changes("changed"));
    expect(changes("changing").at(-1)).toBe("haproxy configuration");
    expect(summaryOf(ended).hosts).toEqual([
      expect.objectContaining({ outcome: "interrupted", unproven: [] }),
    ]);
  });

  it("loses its meshctl while it builds the watcher's gems", async () => {
    const emptyStore = await mkdtemp(join(tmpdir(), "meshctl-e2e-store-"));
    const run = provision({ XDG_CACHE_HOME: emptyStore });
    await moment(run, "watcher", "gems", "ls -d /var/tmp/meshctl-build.*/gems/cache");
    await cutOff(run);
    await rm(emptyStore, { recursive: true });
  });

  it("loses it when the database is about to restart", async () => {
    const run = provision();
    await moment(run, "mysql", "settings", "ls /etc/mysql/*/zz-meshctl.cnf");
    await cutOff(run);
  });

  it("is brought to the end by the next run, every setting proven", async () => {
    const ended = await provision().ended;
    expect(openRows(ended)).toEqual([]);
    expect(ended.code).toBe(0);
    const again = await provision().ended;
    expect(summaryOf(again).hosts).toEqual([expect.objectContaining({ changed: [], execs: 1 })]);
    expect(again.code).toBe(0);
  });

  it("keeps nothing of the runs that were cut off", async () => {
    expect(await leftBehind()).toBe("");
    expect(await heldLocks()).toBe("");
    expect(await mustRun(host, "dpkg --audit")).toBe("");
  });
});

describe("two runs on one host at the same time", () => {
  it("one changes it, the other is told who does", async () => {
    const slower = await inventoryFor(lab, (yaml) => oneHost(yaml).replace("heap: 256M", "heap: 192M"));
    const first = provision({}, slower);
    const { run } = await first.event(isChanging("zookeeper", "configuration"));
    // Held still while it holds the host's lock.
    const goOn = givenBack(async () => first.signal("SIGCONT"));
    first.signal("SIGSTOP");
    const second = await provision(
      {},
      await inventoryFor(lab, (yaml) => oneHost(yaml).replace("256M", "224M")),
    ).ended;
    await goOn();
    expect(second.code).toBe(1);
    expect(summaryOf(second).hosts).toEqual([
      expect.objectContaining({ outcome: "failed", because: expect.stringContaining(`run ${run} by `) }),
    ]);
    const won = await first.ended;
    expect(openRows(won)).toEqual([]);
    expect(won.code).toBe(0);
    expect((await meshctl(["verify", "-i", slower])).code).toBe(0);
    expect(await heldLocks()).toBe("");
  });
});
