import type { Reading } from "../../step.ts";
import { check } from "./check.ts";
import type { PreflightDesired } from "./desired.ts";
import type { PreflightFacts } from "./facts.ts";
import { showBytes } from "./size.ts";

/** Packages bring some thousands of files, the journal and the database add theirs. */
const FREE_INODES_MIN = 20_000;

export function diskReadings(
  { diskFreeMinBytes }: PreflightDesired,
  facts: PreflightFacts,
): readonly Reading[] {
  const paths = (isIncluded: (writable: boolean) => boolean) =>
    facts.directories.filter(({ writable }) => isIncluded(writable)).map(({ path }) => path);
  const readOnly = paths((writable) => !writable);
  const readings = [
    check({
      setting: "file systems writable",
      want: paths(() => true).join(" "),
      found: paths((writable) => writable).join(" ") || "none",
      source: "for d in /etc /usr /var /opt /run; do [ -w $d ] && echo $d; done",
      fine: readOnly.length === 0,
      because: `${readOnly.join(" and ")} cannot be written, and the kernel mounts a file system read-only after an error: look at dmesg, repair it, mount it read-write`,
    }),
  ];
  const [fullest] = [...facts.space].sort((a, b) => a.freeBytes - b.freeBytes);
  if (fullest !== undefined) {
    const { path, freeBytes } = fullest;
    readings.push(
      check({
        setting: "disk space",
        want: `at least ${showBytes(diskFreeMinBytes)}`,
        found: `${showBytes(freeBytes)} in ${path}`,
        source: "df -k /usr /var /opt",
        fine: freeBytes >= diskFreeMinBytes,
        because: `${path} has ${showBytes(freeBytes)} left where ${showBytes(diskFreeMinBytes)} is wanted: make room (apt-get clean, journalctl --vacuum-size=100M) or give it a larger disk`,
      }),
    );
  }
  const [fewest] = facts.space
    .flatMap(({ path, freeInodes }) => (freeInodes === undefined ? [] : [{ path, freeInodes }]))
    .sort((a, b) => a.freeInodes - b.freeInodes);
  if (fewest !== undefined) {
    const { path, freeInodes } = fewest;
    readings.push(
      check({
        setting: "free inodes",
        want: `at least ${FREE_INODES_MIN}`,
        found: `${freeInodes} in ${path}`,
        source: "df -i /usr /var /opt",
        fine: freeInodes >= FREE_INODES_MIN,
        because: `${path} has room for ${freeInodes} more files where ${FREE_INODES_MIN} are wanted: remove small files there`,
      }),
    );
  }
  return readings;
}

const FLUSHES_MIN = 100;
const FLUSH_ADVICE_MS = 50;

/**
 * ZooKeeper answers a write after a flush, so a slow disk slows the ensemble. Nothing is written to measure it: the
 * kernel counts flushes since boot (fields 16 and 17 of https://docs.kernel.org/block/stat.html). Only a warning:
 * the mean says little of the worst, and disks without a volatile cache are never flushed and give no row.
 */
export function flushReadings({ isMember }: PreflightDesired, { flush }: PreflightFacts): readonly Reading[] {
  if (!isMember || flush === undefined || flush.count < FLUSHES_MIN) return [];
  const meanMs = flush.totalMs / flush.count;
  return [
    check({
      setting: "disk flush",
      want: "measured",
      found: `${meanMs.toFixed(1)} ms, mean of ${flush.count}`,
      source: flush.source,
      fine: true,
      warning:
        meanMs <= FLUSH_ADVICE_MS
          ? undefined
          : `a flush of the disk under /var/lib takes ${meanMs.toFixed(0)} ms on average and ZooKeeper waits for one at every write: give it a faster disk`,
    }),
  ];
}
