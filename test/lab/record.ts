import { existsSync, readFileSync } from "node:fs";
import { mkdir, readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runDirectory, stateDirectory } from "./paths.ts";
import { isAlive, type ProcessIdentity } from "./process-identity.ts";
import type { Suite } from "./suite.ts";
import type { Accelerator } from "./vm/accelerator.ts";

export interface HostRecord {
  readonly name: string;
  readonly address: string;
  readonly suite: Suite;
  /** The base image under the host's disk; a virtual machine's image. */
  readonly base: string;
}

/** What one process has to know about a lab another one started: STATE/lab.json. */
export interface LabRecord {
  readonly name: string;
  readonly slot: number;
  readonly memoryMax: string;
  readonly hosts: readonly HostRecord[];
  /** The hosts are virtual machines: what runs their processors. Containers unless given. */
  readonly vm?: Accelerator;
  /** Folder with a disk for each host, read-only between its base and its own. */
  readonly layer?: string;
  readonly createdAt: string;
  /** The lab lives only as long as this process. Absent once a lab was asked to stay. */
  readonly owner?: ProcessIdentity;
  readonly attendant?: ProcessIdentity;
  /** All hosts have answered. */
  readonly ready: boolean;
}

const recordFile = (lab: string): string => join(stateDirectory(lab), "lab.json");

export function readRecord(lab: string): LabRecord | undefined {
  const file = recordFile(lab);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as LabRecord) : undefined;
}

export async function writeRecord(record: LabRecord): Promise<void> {
  const file = recordFile(record.name);
  await mkdir(stateDirectory(record.name), { recursive: true, mode: 0o755 });
  await writeFile(`${file}.new`, `${JSON.stringify(record, undefined, 2)}\n`);
  await rename(`${file}.new`, file);
}

/** Names of all labs that left a trace in the state directory, whether they run or not. */
export async function recordedNames(): Promise<string[]> {
  if (!existsSync(runDirectory)) return [];
  const entries = await readdir(runDirectory, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

export async function allRecords(): Promise<LabRecord[]> {
  return (await recordedNames()).flatMap((name) => readRecord(name) ?? []);
}

export const ownerDied = (record: LabRecord): boolean => record.owner !== undefined && !isAlive(record.owner);
