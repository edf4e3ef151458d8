import type { Reading } from "../../contract/reading.ts";
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
  const measured = [...new Set(facts.space.map(({ path }) => path))].join(" ");
  const [fullest] = [...facts.space].sort((a, b) => a.freeBytes - b.freeBytes);
  if (fullest !== undefined) {
    const { path, freeBytes } = fullest;
    readings.push(
      check({
        setting: "disk space",
        want: `at least ${showBytes(diskFreeMinBytes)}`,
        found: `${showBytes(freeBytes)} in ${path}`,
        source: `df -k ${measured}`,
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
        source: `df -i ${measured}`,
        fine: freeInodes >= FREE_INODES_MIN,
        because: `${path} has room for ${freeInodes} more files where ${FREE_INODES_MIN} are wanted: remove small files there`,
      }),
    );
  }
  return readings;
}
