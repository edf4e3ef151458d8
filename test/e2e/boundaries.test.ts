import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Lab, type LabHost, startLab } from "../lab/lab.ts";
import { eventually, mustRun } from "./backends.ts";
import { givenBack } from "./given-back.ts";
import {
  type Ended,
  inventoryFor,
  meshctl,
  oneHost,
  openRows,
  type Running,
  startMeshctl,
  summaryOf,
} from "./meshctl.ts";

/** What a bare host needs of all steps. Packages come first, by the step that is the first to want any. */
const CHANGES = [
  "zookeeper packages",
  "sysctl drop-in",
  "zookeeper configuration",
  "haproxy configuration",
  "watcher gems",
  "watcher configuration",
  "mysql settings",
];
/** A run that gets no further ends the test. None of these has as many commands. */
const MOST_CUTS = 100;

let lab: Lab;
let host: LabHost;

beforeAll(async () => {
  // A cap, not a need: room for the pool that MariaDB then may not map.
  lab = await startLab({ hosts: 1, memoryMax: "8G" });
  host = lab.hosts[0]!;
  const cutting = await readFile(join(import.meta.dirname, "cutting-timeout.sh"), "utf8");
  await mustRun(host, "mkdir /run/cut && cd /run/cut && echo 0 >at && echo 1 >change");
  await mustRun(host, "cat >/usr/local/sbin/timeout && chmod 755 /usr/local/sbin/timeout", cutting);
});

afterAll(() => lab?.down());

const inventory = (edit: (yaml: string) => string = (yaml) => yaml) =>
  inventoryFor(lab, (yaml) => edit(oneHost(yaml)));

const provision = (file: string, ...more: string[]) =>
  startMeshctl(["provision", "-i", file, "--yes", "--json", ...more]);

/** Where a run was cut off: the change that was under way, and which of its commands was not made any more. */
interface Cut {
  readonly change: string;
  /** From one. */
  readonly command: number;
}

/** The number of the command before which the host has cut a run off, from one; 0 while it has not. */
const reached = async () => Number((await host.exec("cat /run/cut/reached 2>/dev/null")).stdout);

/**
 * Cuts a run off before a command of the first thing that it changes, or the one of that number; where that has fewer
 * commands, before the first of the next. Returns how the run ended where there is none.
 */
async function cutBefore(
  command: number,
  what: "process" | "connection",
  run: () => Running,
  change = 1,
): Promise<Cut | Ended> {
  await mustRun(
    host,
    `rm -rf /run/cut && mkdir /run/cut && cd /run/cut && echo ${command} >at && echo ${change} >change && echo ${what} >what`,
  );
  const running = run();
  let end: Ended | undefined;
  const over = running.ended.then((ended) => {
    end = ended;
    return ended;
  });
  await eventually(
    `command ${command}, or the end`,
    async () => end !== undefined || (await reached()) > 0,
    (is) => is,
    500_000,
  );
  const cut = await reached();
  if (cut === 0) return over;
  if (what === "process") running.signal("SIGKILL");
  const ended = await over;
  if (what === "process") {
    await mustRun(host, "touch /run/cut/done");
    await eventually(
      "the host's side is over",
      async () => (await host.exec("test -e /run/cut/over")).code,
      (code) => code === 0,
    );
  }
  // What was under way when its connection was lost is not said to have been made.
  if (what === "connection") {
    for (const { outcome, unproven } of summaryOf(ended).hosts) {
      expect(outcome).toBe("failed");
      expect(unproven.length).toBeGreaterThan(0);
    }
  }
  const last = ended.events.findLast(({ event }) => event === "changing");
  // A build is begun before any change.
  return { change: last === undefined ? "a build" : `${last.step} ${last.change}`, command: cut };
}

/**
 * Cuts run after run off, by turns its process and its connection, until one gets through: each before the command behind
 * the one before, and before the first of a change that a run comes to only further on. Returns where each was cut off, and
 * how the last one ended.
 */
async function cutEverywhere(run: () => Running): Promise<{ cuts: readonly Cut[]; ended: Ended }> {
  const cuts: Cut[] = [];
  for (let command = 1; cuts.length < MOST_CUTS; ) {
    const what = cuts.length % 2 === 0 ? "process" : "connection";
    const end = await cutBefore(command, what, run);
    if ("code" in end) return { cuts, ended: end };
    command = end.command + 1;
    cuts.push(end);
    expect(await differing()).toBe("");
  }
  throw new Error(
    `no run got through: ${cuts.map(({ change, command }) => `${change} ${command}`).join(", ")}`,
  );
}

/** The commands before which each change was cut off, in the order of the cuts. */
function cutBy(cuts: readonly Cut[]): ReadonlyMap<string, readonly number[]> {
  const by = new Map<string, number[]>();
  for (const { change, command } of cuts) by.set(change, [...(by.get(change) ?? []), command]);
  return by;
}

/** Files that meshctl's manifest lists and that are not what it says, nor gone: half of one, for example. */
async function differing(): Promise<string> {
  const list = "/var/lib/meshctl/manifest";
  const { stdout } = await host.exec(
    `[ ! -e ${list} ] || sha256sum --check --quiet --ignore-missing ${list} 2>&1`,
  );
  return stdout;
}

/** Files in the making, staged copies of a run that is over, locks that are held. */
const leftBehind = () =>
  mustRun(
    host,
    `find / -xdev \\( -name '.meshctl.*' -o -name '.manifest.*' \\) -print; ls /usr/sbin/policy-rc.d 2>/dev/null;
    for lock in /run/meshctl/locks/run /run/meshctl/locks/change; do flock -n "$lock" true || echo "$lock"; done`,
  );

async function expectConverged(file: string): Promise<void> {
  const ended = await meshctl(["provision", "-i", file, "--yes", "--json"]);
  expect(openRows(ended)).toEqual([]);
  expect(summaryOf(ended).hosts).toEqual([expect.objectContaining({ outcome: "as wanted", changed: [] })]);
  expect(await leftBehind()).toBe("");
}

describe.sequential("runs that are cut off before each of their commands", () => {
  it("are brought to the end from a bare host on", async () => {
    const file = await inventory();
    const { cuts, ended } = await cutEverywhere(() => provision(file));
    expect(openRows(ended)).toEqual([]);
    expect(ended.code).toBe(0);
    const by = cutBy(cuts);
    // Each change was cut off before its first command, and then before one after the other.
    expect([...by.keys()]).toEqual(expect.arrayContaining(CHANGES));
    for (const [change, commands] of by) {
      const skipped = commands.filter((command, at) => command > 1 && command !== commands[at - 1]! + 1);
      expect({ change, skipped }).toEqual({ change, skipped: [] });
    }
    await expectConverged(file);
  }, 1_200_000);

  it("are brought to the end with new settings of everything", async () => {
    const file = await changed();
    const { cuts, ended } = await cutEverywhere(() => provision(file));
    expect(openRows(ended)).toEqual([]);
    expect(ended.code).toBe(0);
    expect(cuts.length).toBeGreaterThan(10);
    await expectConverged(file);
  }, 1_200_000);

  it("leave a host that is made whole after a put-back that never came to its end", async () => {
    const limits = "/etc/systemd/system/mariadb.service.d/limit.conf";
    const unlimited = () => mustRun(host, `rm -f ${limits} && systemctl daemon-reload`);
    const limited = async () => {
      await mustRun(host, `mkdir -p ${dirname(limits)} && printf '[Service]\\nLimitAS=5G\\n' >${limits}`);
      await mustRun(host, "systemctl daemon-reload && systemctl restart mariadb");
    };
    givenBack(unlimited);
    // Far from what it maps without a pool.
    const tooMuch = await inventory((yaml) => yaml.replace("buffer_pool_size: 256M", "buffer_pool_size: 6G"));
    const wanted = await changed();
    expect((await provision(wanted).ended).code).toBe(0);
    let cuts = 0;
    // The first thing that it changes fails. What comes behind it is the put-back.
    for (let [change, command] = [2, 1]; ; ) {
      await limited();
      const what = cuts % 2 === 0 ? "process" : "connection";
      const end = await cutBefore(command, what, () => provision(tooMuch, "--steps", "mysql"), change);
      await unlimited();
      const healed = await meshctl(["provision", "-i", wanted, "--yes", "--json"]);
      expect(openRows(healed)).toEqual([]);
      if ("code" in end) break;
      cuts += 1;
      [change, command] = end.command < command ? [change + 1, 2] : [change, command + 1];
    }
    expect(cuts).toBeGreaterThan(1);
    await expectConverged(wanted);
  }, 1_200_000);
});

/** The inventory with another value of each step. */
const changed = () =>
  inventory((yaml) =>
    yaml
      .replace("heap: 256M", "heap: 224M")
      .replace("buffer_pool_size: 256M", "buffer_pool_size: 320M")
      .replace(/path: \/services\/user-api/, "$&\n      panic_threshold: 40%"),
  );
