import { posix } from "node:path";
import type { Answer } from "../../reader/answer.ts";
import type { Entry, FileReading, Line, Reader } from "../../reader/reader.ts";
import type { DataFact } from "./facts.ts";

/** What tells whether a directory is a member's. */
interface DataReadings {
  /** version-2, and the mark of one that may be empty. */
  readonly top: Answer<readonly Entry[]>;
  /** The snapshot that the first start writes. */
  readonly first: Answer<readonly Entry[]>;
  /** One of the later snapshots. */
  readonly later: Answer<readonly Entry[]>;
  /** One of the transaction logs. */
  readonly logs: Answer<readonly Entry[]>;
  /** The line of currentEpoch, where it is a number. */
  readonly epoch: Answer<FileReading & { readonly lines: readonly Line[] }>;
}

/** A directory with data as `DataFact` says, and why not all of it was read. */
export interface DataReading extends DataFact {
  readonly because: string | undefined;
}

const TOP = "^(?:version-2|initialize)\\z";
const FIRST = "^snapshot\\.0\\z";
const LATER = "^snapshot\\.(?!0\\z)";
const LOG = "^log\\.";
const NUMBER = "^[0-9]+$";

/** A relative directory is one below the root: so the package's script starts the server. */
export async function lookAtData(reader: Reader, directory: string): Promise<DataReading> {
  const at = posix.resolve("/", directory);
  const version = posix.join(at, "version-2");
  const [top, first, later, logs, epoch] = await Promise.all([
    reader.list(at, TOP),
    reader.list(version, FIRST, 1),
    reader.list(version, LATER, 1),
    reader.list(version, LOG, 1),
    reader.lines(posix.join(version, "currentEpoch"), NUMBER),
  ]);
  return { directory, hasLogs: isAny(logs), ...dataOf({ top, first, later, logs, epoch }) };
}

/** What was not read whole is taken for data: nobody may take it for a directory to begin in. */
function dataOf({
  top,
  first,
  later,
  logs,
  epoch,
}: DataReadings): Omit<DataReading, "directory" | "hasLogs"> {
  const is = (is: DataFact["is"]) => ({ is, because: undefined });
  if (isAny(later) || isAny(logs)) return is("holds");
  for (const answer of [top, first, later, logs, epoch])
    if (answer.is === "unreadable") return { is: "holds", because: answer.because };
  // Whoever was in a quorum has an epoch above 0, with or without a transaction since.
  if (epoch.is === "value" && !isBlank(epoch.value)) return is("holds");
  if (isAny(first)) return is("blank");
  const entries = top.is === "value" ? top.value : [];
  if (entries.some(({ name, targetKind }) => name === "initialize" && targetKind !== "")) return is("new");
  const isThere = entries.some(({ name, targetKind }) => name === "version-2" && targetKind === "directory");
  return is(isThere ? "lost" : "none");
}

function isAny(entries: Answer<readonly Entry[]>): boolean {
  return entries.is === "value" && entries.value.length > 0;
}

/** No epoch yet: an empty file, or 0 alone. What is no file, or no number, is somebody's. */
function isBlank({ kind, size, lines }: FileReading & { readonly lines: readonly Line[] }): boolean {
  if (kind !== "regular") return false;
  if (size === 0) return true;
  const [line] = lines;
  return lines.length === 1 && line!.text === "0" && size <= 2;
}
