import type { UnitFact } from "../../daemon/unit.ts";
import type { FileFact } from "../../evidence/file.ts";
import type { Answer } from "../../reader/answer.ts";
import { digestOfFiles, type FilesDesired, type WantedUnit } from "./desired.ts";
import { FAILED, PASSED } from "./paths.ts";

export interface FilesFacts {
  readonly files: ReadonlyMap<string, FileFact>;
  /** Path → what stands in the way to it: a link that another user than root made, or what could not be read. */
  readonly ways: ReadonlyMap<
    string,
    { readonly link: string; readonly owner: string } | { readonly unread: string }
  >;
  readonly units: ReadonlyMap<string, UnitFact>;
  /** Texts of what the last change left behind (see paths.ts). */
  readonly before: Answer<string>;
  readonly loaded: Answer<string>;
  readonly passed: Answer<string>;
  readonly failed: Answer<string>;
  readonly desired: FilesDesired;
}

/** What the check came to with the files as they are now. */
export type Checked =
  /** `at` by the host's clock, `said` its last words. */
  | { readonly is: "passed" | "failed"; readonly at: string; readonly said: string; readonly source: string }
  /** It was not run with them. */
  | { readonly is: "open" }
  | { readonly is: "unread"; readonly because: string };

export function checkedOf(facts: FilesFacts): Checked | undefined {
  const { check, files } = facts.desired;
  if (check === undefined) return undefined;
  const paths = files.map(({ path }) => path);
  const present = presentDigest(facts, paths, check.run);
  if ("unread" in present) return { is: "unread", because: present.unread };
  for (const is of ["failed", "passed"] as const) {
    const answer = facts[is];
    const source = is === "failed" ? FAILED : PASSED;
    if (answer.is === "unreadable") return { is: "unread", because: `${source}: ${answer.because}` };
    const text = answer.is === "value" ? answer.value : "";
    const record = [...text.matchAll(/^([0-9a-f]{64}) (\S{1,40})\n(.*)$/gm)].find(
      ([, digest]) => digest === present.digest,
    );
    if (record !== undefined) return { is, at: record[2]!, said: record[3]!.slice(0, 300), source };
  }
  return { is: "open" };
}

interface LoadedRecord {
  readonly invocation: string;
  readonly digest: string;
  /** Seconds since 1970. */
  readonly at: number;
}

/** Unit → what it was started or reloaded with by the last change. */
function loadedRecords(text: string): ReadonlyMap<string, LoadedRecord> {
  const lines = text.matchAll(/^(\S{1,255}) ([0-9a-f]{32}) ([0-9a-f]{64}) (\d{1,12})$/gm);
  return new Map(
    [...lines].map(([, unit, invocation, digest, at]) => {
      return [unit!, { invocation: invocation!, digest: digest!, at: Number(at) }];
    }),
  );
}

/** How a unit was before the last change. */
export interface UnitBefore {
  /** As `systemctl is-enabled` says, "-" of nothing. */
  readonly enabled: string;
  readonly active: string;
}

export function unitsBefore(text: string): ReadonlyMap<string, UnitBefore> {
  const lines = text.matchAll(/^(\S{1,255}) (\S{1,40}) (\S{1,40})$/gm);
  return new Map(
    [...lines].map(([, unit, enabled, active]) => [unit!, { enabled: enabled!, active: active! }]),
  );
}

export function beforeText(units: readonly UnitFact[]): string {
  return units.map(({ name, enabled, active }) => `${name} ${enabled || "-"} ${active || "-"}\n`).join("");
}

/** What is at the paths now, as one digest; why it cannot be told, where one was not read. */
function presentDigest(
  facts: Pick<FilesFacts, "files">,
  paths: readonly string[],
  more?: string,
): { readonly digest: string } | { readonly unread: string } {
  for (const path of paths) {
    const fact = facts.files.get(path);
    if (fact?.because !== undefined) return { unread: `${path} was not read: ${fact.because}` };
  }
  const digestOf = (path: string) => {
    const fact = facts.files.get(path);
    return fact?.kind === "regular" ? fact.sha256 : undefined;
  };
  return { digest: digestOfFiles(paths, digestOf, more) };
}

/** Whether what runs of a unit goes by the files as they are now. */
export type Loaded =
  /** "inferred" where a file was touched since, by its time, and holds what it held: something else may have been taken in. */
  | { readonly is: "loaded" | "inferred"; readonly source: string }
  | { readonly is: "older"; readonly source: string; readonly because: string }
  | { readonly is: "unread"; readonly source: string; readonly because: string };

export function loadedBy(
  { name, files }: WantedUnit,
  unit: UnitFact,
  facts: FilesFacts,
  source: string,
): Loaded {
  if (unit.needDaemonReload)
    return { is: "older", source, because: `systemd has not read the files of ${name} since they changed` };
  const present = presentDigest(facts, files);
  if ("unread" in present) return { is: "unread", source, because: present.unread };
  if (facts.loaded.is === "unreadable") return { is: "unread", source, because: facts.loaded.because };
  const record = loadedRecords(facts.loaded.is === "value" ? facts.loaded.value : "").get(name);
  const isTouched = (since: number) => files.some((path) => (facts.files.get(path)?.changed ?? 0) >= since);
  if (record !== undefined && record.invocation === unit.invocation) {
    // What the change itself wrote may be of the very second.
    if (record.digest === present.digest)
      return { is: isTouched(record.at + 1) ? "inferred" : "loaded", source };
    return {
      is: "older",
      source,
      because: `its files have changed since ${name} was started or reloaded with them`,
    };
  }
  // Somebody else has started it: then what it found is told by the time alone.
  const { startedAt } = unit;
  if (startedAt === undefined)
    return {
      is: "older",
      source,
      because: `meshctl did not start ${name}, so the files that it was started with are unknown`,
    };
  const newer = files.find((path) => (facts.files.get(path)?.changed ?? 0) > startedAt);
  if (newer === undefined) return { is: isTouched(startedAt) ? "inferred" : "loaded", source };
  return { is: "older", source, because: `${newer} was changed after ${name} was started` };
}
