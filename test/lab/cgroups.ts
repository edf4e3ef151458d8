import { existsSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Suite } from "./suite.ts";

const root = "/sys/fs/cgroup";
const family = "meshctl-lab";

/** True where the machine has cgroup v2 alone; false where the v1 hierarchies are mounted too. */
const isPureUnified = (): boolean => existsSync(join(root, "cgroup.controllers"));

/** Every hierarchy a host's processes are put in: first the one of the memory cap, then its systemd's. */
const hierarchies = (): string[] =>
  isPureUnified()
    ? [root]
    : ["memory", "systemd", "unified"].map((name) => join(root, name)).filter((path) => existsSync(path));

const labCgroups = (lab: string): string[] => hierarchies().map((hierarchy) => join(hierarchy, family, lab));
const hostCgroups = (lab: string, host: string): string[] => labCgroups(lab).map((path) => join(path, host));

/**
 * Whether the host's systemd gets the unified hierarchy. Beside v1, bullseye and bookworm leave processes
 * behind on v2, and trixie and sid do so on v1 or refuse it.
 */
export const usesUnifiedHierarchy = (suite: Suite): boolean =>
  isPureUnified() || suite === "trixie" || suite === "sid";

/** Makes the cgroups that hold those of the hosts. Only under the lock of all labs, as removing them is. */
export async function createLabCgroups(lab: string): Promise<void> {
  for (const path of labCgroups(lab)) await mkdir(path, { recursive: true });
  if (!isPureUnified()) return;
  for (const parent of [root, join(root, family), join(root, family, lab)]) {
    await writeFile(join(parent, "cgroup.subtree_control"), "+memory");
  }
}

/** Makes the cgroups a host starts in. Its memory is capped, so that it cannot take the machine down. */
export async function createHostCgroups(lab: string, host: string, memoryMax: string): Promise<string[]> {
  const paths = hostCgroups(lab, host);
  for (const path of paths) {
    if (!existsSync(path)) await mkdir(path);
    const limits = ["memory.max", "memory.limit_in_bytes"].map((name) => join(path, name));
    const limit = limits.find((file) => existsSync(file));
    if (limit !== undefined) await writeFile(limit, memoryMax);
  }
  return paths;
}

/** Holds what is started in the host from outside, so that it is capped and ends with the host as well. */
export const execCgroup = (lab: string, host: string): string => join(hostCgroups(lab, host)[0]!, "exec");

function processesUnder(path: string): number[] {
  if (!existsSync(path)) return [];
  const here = readProcs(path);
  return [...here, ...childGroups(path).flatMap((child) => processesUnder(child))];
}

function readProcs(path: string): number[] {
  try {
    return readFileSync(join(path, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function childGroups(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(path, entry.name));
  } catch {
    return [];
  }
}

/** Kills everything in these cgroups and removes them. A cgroup never names a process of anyone else. */
async function end(paths: readonly string[], what: string): Promise<void> {
  const deadlineMs = Date.now() + 20_000;
  for (;;) {
    const pids = new Set(paths.flatMap((path) => processesUnder(path)));
    if (pids.size === 0 && paths.every((path) => removed(path))) return;
    if (Date.now() > deadlineMs)
      throw new Error(`${what} does not end: processes ${[...pids].join(", ")} stay.`);
    for (const pid of pids) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It ended in between.
      }
    }
    await sleep(20);
  }
}

function removed(path: string): boolean {
  if (!existsSync(path)) return true;
  const children = childGroups(path).map((child) => removed(child));
  if (children.includes(false)) return false;
  try {
    rmdirSync(path);
    return true;
  } catch {
    // Dying processes hold it for a moment.
    return false;
  }
}

/**
 * Leaves what runs on a host now so many percent of one processor, and what it starts from then on. Returns what gives it
 * back. Nothing that is scheduled in real time can be in there (chrt).
 */
export async function starve(lab: string, host: string, percent: number): Promise<() => Promise<void>> {
  const periodUs = 100_000;
  const quotaUs = Math.round((periodUs * percent) / 100);
  if (isPureUnified()) {
    for (const parent of [root, join(root, family), join(root, family, lab)])
      await writeFile(join(parent, "cgroup.subtree_control"), "+cpu");
    const file = join(root, family, lab, host, "cpu.max");
    await writeFile(file, `${quotaUs} ${periodUs}`);
    return () => writeFile(file, `max ${periodUs}`);
  }
  const hierarchy = join(root, "cpu");
  const path = join(hierarchy, `${family}-${lab}-${host}`);
  await mkdir(path, { recursive: true });
  await writeFile(join(path, "cpu.cfs_period_us"), `${periodUs}`);
  await writeFile(join(path, "cpu.cfs_quota_us"), `${quotaUs}`);
  await moveAll(hostProcesses(lab, host), path);
  return async () => {
    await writeFile(join(path, "cpu.cfs_quota_us"), "-1");
    await moveAll(readProcs(path), hierarchy);
    await end([path], `${lab} ${host}, starved,`);
  };
}

async function moveAll(pids: readonly number[], path: string): Promise<void> {
  for (const pid of pids) {
    try {
      await writeFile(join(path, "cgroup.procs"), `${pid}`);
    } catch (error) {
      // It has ended.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

export const endHostCgroups = (lab: string, host: string): Promise<void> =>
  end(hostCgroups(lab, host), `${lab} ${host}`);

/** Only under the lock of all labs. */
export async function endLabCgroups(lab: string): Promise<void> {
  await end(labCgroups(lab), `The lab ${lab}`);
  for (const hierarchy of hierarchies()) {
    const ours = join(hierarchy, family);
    if (existsSync(ours) && childGroups(ours).length === 0) rmdirSync(ours);
  }
}

/** Processes of the host as the machine sees them; none when it is off. */
export const hostProcesses = (lab: string, host: string): number[] => [
  ...new Set(hostCgroups(lab, host).flatMap((path) => processesUnder(path))),
];
export const labProcesses = (lab: string): number[] =>
  labCgroups(lab).flatMap((path) => processesUnder(path));

/** Names of labs that have cgroups, whether anything lives in them or not. */
export const labsWithCgroups = (): string[] => [
  ...new Set(
    hierarchies().flatMap((path) => childGroups(join(path, family)).map((group) => basename(group))),
  ),
];
