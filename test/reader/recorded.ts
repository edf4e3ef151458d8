import type { Question } from "../../src/reader/protocol.ts";
import { keyOf } from "../../src/reader/recording.ts";
import { value } from "./told-host.ts";

// Questions and answers as recordings of whole looks have them.

/** What every look at a unit asks of it, in that order. */
export const UNIT_PROPERTIES = (
  "Id LoadState ActiveState SubState UnitFileState MainPID NRestarts Result StatusText FragmentPath DropInPaths " +
  "NeedDaemonReload InvocationID ExecStart Environment EnvironmentFiles User RootDirectory"
).split(" ");

export const late = { is: "unreadable", because: "it took more than 7 s" } as const;

export const key = (...question: Question) => keyOf(question);

/** Fields of a regular file of root's, but for its content. */
export const regular = (path: string, text: string, mode = "0644", digest = "") =>
  ["regular", mode, "root:root", text.length, digest, path, 1] as const;

/** The question for a file whose content nobody knows before. */
export const content = (path: string, how = "content") => key("file", path, how, "", "");

/** … and its answer. */
export const file = (path: string, text: string) => value(...regular(path, text), text);
