import { existsSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { endLabCgroups, labProcesses, labsWithCgroups } from "./cgroups.ts";
import { withLock } from "./lock.ts";
import { removeNetwork } from "./network.ts";
import { diskDirectory, labDisks, labsLock, stateDirectory } from "./paths.ts";
import { isAlive, killProcess } from "./process-identity.ts";
import { type LabRecord, ownerDied, readRecord, recordedNames } from "./record.ts";

/** Ends a lab, or what is left of one, and everything it has on this machine. Removing nothing is fine. */
export const removeLab = (lab: string): Promise<void> => withLock(labsLock, () => removeLabLocked(lab));

/** As `removeLab`, for a caller that holds the lock of all labs. */
async function removeLabLocked(lab: string): Promise<void> {
  const record = readRecord(lab);
  // First: it would take the death of the hosts' owner for its own cue.
  if (record?.attendant !== undefined && record.attendant.pid !== process.pid) {
    killProcess(record.attendant, "SIGKILL");
  }
  await endLabCgroups(lab);
  await removeNetwork(lab, record?.slot);
  await rm(labDisks(lab), { recursive: true, force: true });
  await rm(stateDirectory(lab), { recursive: true, force: true });
}

/** Removes every lab whose owner or whose processes died without cleaning up. Returns their names. */
export async function sweepStaleLabsLocked(): Promise<string[]> {
  const disks = existsSync(diskDirectory) ? await readdir(diskDirectory) : [];
  const names = [...(await recordedNames()), ...disks, ...labsWithCgroups()];
  const stale = [...new Set(names)].filter((name) => isStale(name, readRecord(name)));
  for (const name of stale) await removeLabLocked(name);
  return stale;
}

export const sweepStaleLabs = (): Promise<string[]> => withLock(labsLock, sweepStaleLabsLocked);

function isStale(name: string, record: LabRecord | undefined): boolean {
  // A record is the first thing a lab writes and the last it removes.
  if (record === undefined) return true;
  if (record.owner !== undefined) return ownerDied(record);
  const attended = record.attendant !== undefined && isAlive(record.attendant);
  return !attended && labProcesses(name).length === 0;
}
