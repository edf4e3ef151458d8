import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheDirectory, hostDisk } from "./paths.ts";
import type { LabRecord } from "./record.ts";
import { runOk } from "./run.ts";

/** Hosts' disks as they were when somebody had made something of them, each to be put between a base and a new disk. */
const layerDirectory = join(cacheDirectory, "layers");
const unfinished = ".unfinished-";
/** Empty; its time is when the layer was made. */
const madeFile = "made";

/** About 3 GB each, of three hosts. Two workers need two of each kind. */
const layersKept = 4;
/** The archive drops the packages that an older one knows. */
const hoursKept = 24;

/**
 * A layer's key: of everything that hosts are made with but their addresses, which the slot tells. An image that was
 * built again has the same name and other files.
 */
export async function layerKey(recipe: string, bases: readonly string[]): Promise<string> {
  const built = bases.map(async (base) => {
    const { ino, birthtimeMs } = await stat(base);
    return [base, ino, birthtimeMs];
  });
  const made = JSON.stringify([recipe, await Promise.all(built)]);
  return createHash("sha256").update(made).digest("hex").slice(0, 16);
}

const layerOf = (key: string, slot: number): string => join(layerDirectory, `${key}-${slot}`);

/** Slots whose hosts have a layer. Only under the lock of all labs. */
export async function slotsWithLayer(key: string): Promise<number[]> {
  const names = existsSync(layerDirectory) ? await readdir(layerDirectory) : [];
  return names.filter((name) => name.startsWith(`${key}-`)).map((name) => Number(name.split("-")[1]));
}

/** The folder with a disk for each host, marked as used; undefined when there is none. Only under the lock of all labs. */
export async function existingLayer(key: string, slot: number): Promise<string | undefined> {
  const layer = layerOf(key, slot);
  if (!existsSync(layer)) return undefined;
  const now = new Date();
  await utimes(layer, now, now);
  return layer;
}

/**
 * Makes a layer of the disks of a lab whose hosts are off, and takes these disks away. It is there whole or not at all:
 * nobody else makes one for the slot, which is the lab's.
 */
export async function keepLayer(key: string, { name, slot, hosts }: LabRecord): Promise<string> {
  const building = join(layerDirectory, `${unfinished}${slot}`);
  await rm(building, { recursive: true, force: true });
  await mkdir(building, { recursive: true });
  for (const host of hosts) {
    const disk = hostDisk(name, host.name);
    await runOk("mv", ["--no-target-directory", join(disk, "upper"), join(building, host.name)]);
    await rm(disk, { recursive: true, force: true });
  }
  await writeFile(join(building, madeFile), "");
  // The hosts' file systems are told not to sync, and a crash of the machine must leave no layer with holes.
  await runOk("sync", ["--file-system", building]);
  const layer = layerOf(key, slot);
  await rename(building, layer);
  return layer;
}

export const removeLayer = (layer: string): Promise<void> => rm(layer, { recursive: true, force: true });

/** Removes what is too old, what is too much, and what a crash left. Only under the lock of all labs. */
export async function pruneLayers(records: readonly LabRecord[]): Promise<void> {
  if (!existsSync(layerDirectory)) return;
  const isUsed = (layer: string) => records.some((record) => record.layer === layer);
  const isMaking = (name: string) => records.some(({ slot }) => name === `${unfinished}${slot}`);
  const names = await readdir(layerDirectory);
  for (const name of names.filter((each) => each.startsWith(unfinished) && !isMaking(each)))
    await removeLayer(join(layerDirectory, name));
  const layers = names
    .filter((each) => !each.startsWith(unfinished))
    .map((name) => join(layerDirectory, name));
  const aged = await Promise.all(
    layers.map(async (layer) => ({
      layer,
      usedMs: (await stat(layer)).mtimeMs,
      madeMs: (await stat(join(layer, madeFile)).catch(() => ({ mtimeMs: 0 }))).mtimeMs,
    })),
  );
  aged.sort((one, other) => other.usedMs - one.usedMs);
  for (const [index, { layer, madeMs }] of aged.entries()) {
    const isOld = Date.now() - madeMs > hoursKept * 3_600_000;
    if ((isOld || index >= layersKept) && !isUsed(layer)) await removeLayer(layer);
  }
}
