import type { WantedFile } from "../contract/change.ts";
import type { HostFacts } from "../contract/host.ts";
import type { Reading } from "../contract/reading.ts";
import type { SurroundingsFacts } from "../daemon/look-at-surroundings.ts";
import type { UnitFact } from "../daemon/unit.ts";
import { assessFile, type FileAssessment, type FileFact, sha256Of } from "../evidence/file.ts";
import { type Content, holdsSecret, revealContent } from "../secret.ts";
import type { RubyFacts } from "./gem-set.ts";
import type { GemSet } from "./locked-gems.ts";
import type { ShadowingFile } from "./shadowed.ts";

/** One of SmartStack's two Ruby programs as a service of a host. */
export interface Program {
  /** "Synapse" or "Nerve". */
  readonly title: string;
  readonly gems: GemSet;
  /** The gems, each build in a directory of its own, and the scripts beside them. */
  readonly directory: string;
  /** The system user it runs as, and that user's home. */
  readonly user: string;
  readonly home: string;
  readonly unit: string;
  /** Units that are enabled and started with it. */
  readonly companions: readonly string[];
  /** Says what the running program was started with. */
  readonly startRecord: string;
  /** Files that it read when it started, where the step wants them: another content needs a restart. */
  readonly startedWith: readonly string[];
}

/** What was read of a program on a host. */
export interface ProgramFacts extends RubyFacts {
  readonly units: ReadonlyMap<string, UnitFact>;
  readonly files: ReadonlyMap<string, FileFact>;
  /** Builds in place: key → the first line about a damaged file, "" when all is as it was unpacked. */
  readonly builds: ReadonlyMap<string, string>;
  /** Builds of which it is not known whether all is as it was unpacked, and why. */
  readonly unreadBuilds?: ReadonlyMap<string, string>;
  readonly userExists: boolean;
  /** What the unit needs around it; undefined where there is no such unit. */
  readonly surroundings?: SurroundingsFacts | undefined;
  readonly process: ProcessFacts | undefined;
  /** Last error in the unit's journal, when it was restarted. */
  readonly lastError: string | undefined;
  /** Files that Ruby loads instead of its own. */
  readonly shadows?: readonly ShadowingFile[];
}

interface ProcessFacts {
  readonly pid: number;
  readonly user: string;
  readonly ageSeconds: number;
  readonly commandLine: string;
  /** Stopped by a signal: it is there and does nothing. */
  readonly isFrozen?: boolean;
  /** Members of the ensemble it has a connection to. */
  readonly sessions: readonly string[];
  /** Why those could not be told. */
  readonly unreadSessions?: string;
  /** Sum of each file it was started with; undefined when the record is of an earlier start or there is none. */
  readonly startedWith: ReadonlyMap<string, string> | undefined;
  /** Why nobody can tell it of the files that are not in it: the record is lost. */
  readonly lostNote?: string;
}

/** Path → digest, of the record of a start; undefined when there is none, or when it is of another start. */
export function startedWith(
  record: string | undefined,
  invocation: string | undefined,
): ReadonlyMap<string, string> | undefined {
  if (record === undefined) return undefined;
  const [first, ...sums] = record.split("\n");
  if (invocation === undefined || first !== `invocation ${invocation}`) return undefined;
  return new Map(sums.filter(Boolean).map((line) => [line.slice(66), line.slice(0, 64)]));
}

/** A row, and whether starting the program anew could mend it when nothing else is wrong. */
export type Row = Reading & { readonly restartHelps?: boolean };

/** A file as a step wants it. */
export interface ProgramFile extends WantedFile {
  readonly sha256: string;
}

/** A file of root's that everybody may read. */
export function ownFile(path: string, text: string, mode = "0644"): ProgramFile {
  return { path, content: [text], sha256: sha256Of(text), mode, owner: "root:root" };
}

/** A file that root writes and a group reads. */
export function secretFile(path: string, content: Content, group: string): ProgramFile {
  return { path, content, sha256: sha256Of(revealContent(content)), mode: "0640", owner: `root:${group}` };
}

export interface AssessedFile {
  readonly path: string;
  readonly isSecret: boolean;
  readonly sha256: string;
  readonly fact: FileFact;
  readonly assessment: FileAssessment;
}

export function assessFiles(
  wanted: readonly ProgramFile[],
  facts: ProgramFacts,
  host: HostFacts,
): readonly AssessedFile[] {
  return wanted.map((file) => {
    const fact = factOf(facts, file.path);
    const assessment = assessFile(fact, file, host.manifest, false);
    return { path: file.path, isSecret: holdsSecret(file.content), sha256: file.sha256, fact, assessment };
  });
}

export function factOf(facts: ProgramFacts, path: string): FileFact {
  return (
    facts.files.get(path) ?? {
      path,
      kind: "absent",
      mode: "",
      owner: "",
      sha256: "",
      packaged: "no",
      realPath: "",
      content: undefined,
    }
  );
}

export function unitPath(unit: string): string {
  return `/etc/systemd/system/${unit}`;
}
