import type { FileFact } from "../evidence/file.ts";
import type { UnitFact } from "./unit.ts";

/** What a process started with, where the note of its start is lost. */
export interface WithoutNote {
  /** Path → sha256 of each file that has not been changed since the start: the process read it as it is. */
  readonly digests: ReadonlyMap<string, string>;
  readonly isByTimes: true;
  /** Of a file that was changed since: nobody can tell what the process read. */
  readonly unread: string | undefined;
}

/**
 * What a running unit of ours was started with, told by times alone: the kernel sets them, and nobody else can. Undefined where
 * no note was written at its start: its file, which has it written, is newer or another's.
 */
export function withoutNote(
  unit: UnitFact,
  unitFile: FileFact,
  files: readonly FileFact[],
  note: string,
): WithoutNote | undefined {
  const { startedAt, name } = unit;
  const isOlder = ({ changed }: FileFact) =>
    startedAt !== undefined && changed !== undefined && changed <= startedAt;
  if (unitFile.content?.includes(note) !== true || !isOlder(unitFile)) return undefined;
  const older = [unitFile, ...files].filter(isOlder);
  const newer = files.find((file) => file.kind === "regular" && !isOlder(file));
  return {
    isByTimes: true,
    digests: new Map(older.map(({ path, sha256 }) => [path, sha256])),
    unread:
      newer &&
      `${note} is gone, and ${newer.path} was changed since ${name} was started: systemctl restart ${name}, when it suits, tells`,
  };
}
