import { join, resolve } from "node:path";

/** What must not outlive a boot of the machine: records, keys, known hosts. */
export const runDirectory = "/run/meshctl-lab";
/** The hosts' disks. */
export const diskDirectory = "/var/lib/meshctl-lab";
/** Base images and packages: kept for the next lab. */
export const cacheDirectory = "/var/cache/meshctl-lab";

export const vmImageDirectory = join(cacheDirectory, "vm");

/** Of the clone, or of the package: the lab is in test/lab of the one and in dist/lab of the other. */
export const repositoryRoot = resolve(import.meta.dirname, "../..");
/** Whether this is the package's lab, of which each program is one file. */
export const isPackaged = import.meta.filename.endsWith(".mjs");
/** As typed ahead of the lab's commands. */
export const labCommand = isPackaged ? "meshctl lab" : "npm run lab --";

/** Guards which labs exist: held to allocate one and to remove one, never while hosts boot. */
export const labsLock = join(runDirectory, ".lock");

export const stateDirectory = (lab: string): string => join(runDirectory, lab);
export const labDisks = (lab: string): string => join(diskDirectory, lab);
export const hostDisk = (lab: string, host: string): string => join(diskDirectory, lab, host);
