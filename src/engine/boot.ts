import type { Boot } from "../contract/host.ts";
import type { Answer } from "../reader/answer.ts";
import type { BootReading } from "../reader/reader.ts";

/** What changed.sh took down of an item that meshctl changed. */
export interface BootRecord {
  /** Number of the boot in which it was changed last. */
  readonly boot: string;
  /** Seconds since 1970, by the host's clock of then. */
  readonly at: number;
  /** "/etc/x.conf", "package haproxy", "haproxy.service". */
  readonly what: string;
}

/** A line each: the boot's number, seconds, kind, name. */
export function bootRecordsOf(text: string): readonly BootRecord[] {
  return text.split("\n").flatMap((line): BootRecord[] => {
    const [, boot, at, kind, name] = /^(\S+) (\d+) (file|package|unit) (.*\S)/.exec(line) ?? [];
    if (name === undefined) return [];
    return [{ boot: boot!, at: Number(at), what: kind === "package" ? `package ${name}` : name }];
  });
}

const FOLDERS = ["/etc/", "/usr/", "/lib/", "/opt/", "/bin/", "/sbin/"];
/** They decide nothing of a boot, and are written at every boot on some hosts. */
const OTHERS: ReadonlySet<string> = new Set([
  "/etc/adjtime",
  "/etc/debian_version",
  "/etc/hosts",
  "/etc/mtab",
  "/etc/os-release",
  "/etc/resolv.conf",
]);

/**
 * The paths whose change makes what boots unproved: those that the steps read, and those that meshctl wrote. `rewritten` are
 * written anew by a service as it runs, and so is the time stamp of their folder.
 */
export function bootPaths(
  read: Iterable<string>,
  manifest: Iterable<string>,
  rewritten: readonly string[],
): readonly string[] {
  const left = new Set(rewritten.flatMap((path) => [path, path.replace(/\/[^/]*$/, "")]));
  const ours = [...manifest].filter((path) => !path.startsWith("/var/lib/meshctl/"));
  const paths = [...read].filter(
    (path) => FOLDERS.some((folder) => path.startsWith(folder)) && !OTHERS.has(path),
  );
  // In an order of their own: a recording knows a question by its words.
  return [...new Set([...paths, ...ours])]
    .filter((path) => !left.has(path))
    .sort()
    .slice(0, MOST_PATHS);
}

/** Of one question. */
const MOST_PATHS = 2000;
const MOST_NAMED = 3;

/** Whether what the host boots with is proved by a boot: it has booted since anything was changed that decides it. */
export function bootOf(
  bootId: string,
  records: readonly BootRecord[],
  read: Answer<BootReading>,
  rewritten: readonly string[],
): Boot {
  const ours = records.filter(({ boot, what }) => boot === bootId && !rewritten.includes(what));
  const theirs = read.is === "value" ? read.value.changes : [];
  const names = [...theirs, ...ours].sort((a, b) => b.at - a.at).map(({ what }) => what);
  const latest = Math.max(...[...theirs, ...ours].map(({ at }) => at));
  const bootedAt = read.is === "value" ? dateOf(read.value.bootedAt) : undefined;
  if (names.length > 0) {
    // A folder changes with what is in it.
    const different = [...new Set(names)].filter(
      (name) => !names.some((other) => other.startsWith(`${name}/`)),
    );
    const known = read.is === "value" ? Math.max(read.value.count, different.length) : different.length;
    const more = known > MOST_NAMED ? ` and ${known - MOST_NAMED} more` : "";
    const what = `${different.slice(0, MOST_NAMED).join(", ")}${more}`;
    return { is: "inferred", bootedAt, changedAt: dateOf(latest), what, changes: different };
  }
  if (bootedAt === undefined) {
    const because = read.is === "unreadable" ? read.because : "the host did not tell";
    return { is: "unknown", because: `the changes since the boot were not read: ${because}` };
  }
  return { is: "proved", bootedAt };
}

function dateOf(seconds: number): Date {
  // A host may say anything.
  return new Date(Number.isFinite(seconds) && Math.abs(seconds) < 8e12 ? seconds * 1000 : 0);
}

/** What boots is proved, or why it is not, as a host says it once. */
export function bootWords(boot: Boot): string {
  switch (boot.is) {
    case "proved":
      return `proved by the boot of ${minute(boot.bootedAt)} UTC`;
    case "inferred":
      return `not rebooted since ${minute(boot.changedAt)}: what boots is inferred from its files (changed then, in UTC: ${boot.what})`;
    case "unknown":
      return boot.because;
  }
}

/** "2026-11-26 10:41". */
function minute(date: Date): string {
  return date.toISOString().slice(0, 16).replace("T", " ");
}
