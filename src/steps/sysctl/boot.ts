import { onceEach } from "../../once-each.ts";
import { endsOther, globMatches, isGlob, normaliseValue, procPathOf, sameSetting } from "./key.ts";

/** A file that a loader reads. */
export interface ConfFile {
  /** As the loader finds it, for example "/etc/sysctl.d/99-sysctl.conf". */
  readonly path: string;
  /** Where it really is, for example "/etc/sysctl.conf". */
  readonly realPath: string;
  /** Lines that are neither empty nor a comment. */
  readonly lines: readonly { readonly number: number; readonly text: string }[];
}

/** The line that decides a key; its value is undefined when the line takes the key out. */
export interface Winner {
  readonly value: string | undefined;
  readonly path: string;
  /** "FILE:LINE" by the file's real path. */
  readonly source: string;
}

/** Both may run after a reboot: systemd always does, `sysctl --system` when a person or a package calls it. */
export const LOADERS = ["systemd-sysctl", "sysctl --system"] as const;
export type Loader = (typeof LOADERS)[number];

/** In the order in which one file hides another of the same name. */
export const LOADER = "systemd-sysctl.service";
export const DIRECTORIES = [
  "/etc/sysctl.d",
  "/run/sysctl.d",
  "/usr/local/lib/sysctl.d",
  "/usr/lib/sysctl.d",
  "/lib/sysctl.d",
] as const;

export const SYSCTL_CONF = "/etc/sysctl.conf";

/**
 * The files a loader reads, in its order. Both sort the directories' files by name alone. /etc/sysctl.conf is
 * read last by `sysctl --system`, and by systemd-sysctl only where a link in a directory leads to it (Debian 11
 * and 12 have 99-sysctl.conf, 13 has not).
 */
function filesRead(loader: Loader, files: readonly ConfFile[]): readonly ConfFile[] {
  if (loader === "systemd-sysctl") return filesInDirectories(files);
  return [...filesInDirectories(files), ...files.filter((file) => file.path === SYSCTL_CONF)];
}

const filesInDirectories = onceEach((files: readonly ConfFile[]): readonly ConfFile[] => {
  const byName = new Map<string, ConfFile>();
  for (const directory of DIRECTORIES) {
    for (const file of files) {
      const [where, name] = splitPath(file.path);
      if (where === directory && !byName.has(name)) byName.set(name, file);
    }
  }
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, file]) => file);
});

function splitPath(path: string): readonly [string, string] {
  const slash = path.lastIndexOf("/");
  return [path.slice(0, slash), path.slice(slash + 1)];
}

/** What a loader makes of a key (its path below /proc/sys); undefined when no file says anything. */
export function winnerOf(loader: Loader, files: readonly ConfFile[], path: string): Winner | undefined {
  let explicit: Winner | undefined;
  let byGlob: Winner | undefined;
  let sparedByGlobs = false;
  for (const file of filesRead(loader, files)) {
    for (const { path: target, value, line } of assignmentsIn(file)) {
      const winner = { value, path: file.path, source: `${file.realPath}:${line}` };
      if (value !== undefined && endsOther(target, value, path)) explicit = { ...winner, value: "0" };
      else if (sameSetting(target, path)) {
        // "-key" alone: systemd forgets what was said of the key before; procps only keeps globs away from it.
        if (value !== undefined || loader === "systemd-sysctl") explicit = winner;
        else sparedByGlobs = true;
      } else if (value !== undefined && isGlob(target) && globMatches(target, path)) {
        byGlob = winner;
      }
    }
  }
  // A key by its full name beats every glob, wherever the glob is.
  return explicit ?? (sparedByGlobs ? undefined : byGlob);
}

/** Every value that some file a loader reads gives to a key, whichever wins. */
export function valuesGiven(files: readonly ConfFile[], path: string): readonly string[] {
  const read = new Set(LOADERS.flatMap((loader) => filesRead(loader, files)));
  return [...read]
    .flatMap(assignmentsIn)
    .filter((assignment) => assignment.path === path)
    .flatMap(({ value }) => value ?? []);
}

interface Assignment {
  readonly path: string;
  readonly value: string | undefined;
  readonly line: number;
}

/** Every key is looked for in every line. */
const assignmentsIn = onceEach(({ lines }: ConfFile): readonly Assignment[] =>
  lines.flatMap(({ text, number }) => {
    const assignment = assignmentOf(text);
    return assignment === undefined ? [] : [{ ...assignment, line: number }];
  }),
);

/** "key = value", "-key = value" (failure does not matter) or "-key"; undefined for anything else. */
function assignmentOf(
  text: string,
): { readonly path: string; readonly value: string | undefined } | undefined {
  const equals = text.indexOf("=");
  const left = (equals === -1 ? text : text.slice(0, equals)).trim();
  const minus = left.startsWith("-");
  const key = minus ? left.slice(1).trim() : left;
  const value = equals === -1 ? undefined : text.slice(equals + 1);
  if (key === "" || (value === undefined && !minus)) return undefined;
  return { path: procPathOf(key), value: value === undefined ? undefined : normaliseValue(value) };
}
