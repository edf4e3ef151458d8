import type { Server } from "./server.ts";
import { parseSize } from "./size.ts";

/** What was read of the option files, in the order in which the server reads them. */
export type OptionRecord =
  | { readonly is: "file"; readonly path: string; readonly access: FileAccess }
  | { readonly is: "line"; readonly path: string; readonly line: number; readonly text: string }
  | { readonly is: "directory" | "end"; readonly path: string };

export interface FileAccess {
  /** Octal, four digits. */
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
}

/** The service's account, and whether it sees /etc read-only. */
export interface Reader {
  readonly user: string;
  readonly groups: readonly string[];
  readonly readOnlyEtc: boolean;
}

/** One option given to the server by a file. */
export interface Assignment {
  readonly path: string;
  readonly line: number;
  /** With "_", without "loose_". */
  readonly name: string;
  readonly value: string;
}

/** Options that the server takes from its files, in order: the last of a name wins. */
export function assignments(
  records: readonly OptionRecord[],
  server: Server,
  groups: ReadonlySet<string>,
  reader: Reader,
): readonly Assignment[] {
  const found: Assignment[] = [];
  const groupOf = new Map<string, string>();
  const ignored = new Set<string>();
  for (const record of records) {
    if (record.is === "file" && whyIgnored(record.access, server, reader) !== undefined)
      ignored.add(record.path);
    if (record.is !== "line" || ignored.has(record.path)) continue;
    const [, group] = /^\[([^\]]*)\]/.exec(record.text) ?? [];
    if (group !== undefined) groupOf.set(record.path, group);
    else if (groups.has(groupOf.get(record.path) ?? "")) {
      const option = parseOption(record.text, server);
      if (option !== undefined) found.push({ path: record.path, line: record.line, ...option });
    }
  }
  return found;
}

/** Why the server passes over a file without an error, or undefined when it reads it. */
export function whyIgnored(access: FileAccess, server: Server, reader: Reader): string | undefined {
  const [, user, group, others] = [...access.mode].map(Number) as [number, number, number, number];
  const bits = access.owner === reader.user ? user : reader.groups.includes(access.group) ? group : others;
  if ((bits & 4) === 0) return `${reader.user} may not read it (mode ${access.mode})`;
  // MariaDB asks whether it could write the file itself, and under ProtectSystem=full it could not.
  // https://github.com/MariaDB/server/blob/main/mysys/my_default.c, search_default_file_with_ext()
  const honoured = server.name === "mariadb" && reader.readOnlyEtc;
  if ((others & 2) !== 0 && !honoured) return `it is world-writable (mode ${access.mode})`;
  return undefined;
}

function parseOption(text: string, server: Server): { name: string; value: string } | undefined {
  const equals = text.indexOf("=");
  const given = (equals < 0 ? text : text.slice(0, equals)).trim().replaceAll("-", "_");
  // MariaDB does not tell capitals from small letters here, MySQL does.
  const name = (server.name === "mariadb" ? given.toLowerCase() : given).replace(/^loose_/, "");
  if (name.startsWith("skip_") || name.startsWith("disable_")) {
    return { name: name.replace(/^(skip|disable)_/, ""), value: "0" };
  }
  return { name, value: unquote(equals < 0 ? "" : text.slice(equals + 1)) };
}

function unquote(text: string): string {
  const trimmed = text.trim();
  const [, , quoted] = /^(["'])(.*?)\1/.exec(trimmed) ?? [];
  return quoted ?? trimmed.split("#", 1)[0]!.trimEnd();
}

/** The assignment that wins; undefined when no file says anything. MariaDB takes a beginning of the name too. */
export function winnerOf(all: readonly Assignment[], name: string, server: Server): Assignment | undefined {
  return all.findLast((option) =>
    server.name === "mariadb"
      ? option.name.length > "innodb_".length && name.startsWith(option.name)
      : option.name === name,
  );
}

/** The files as they will be once the drop-in holds `content`; undefined when nothing includes its directory. */
export function withDropIn(
  records: readonly OptionRecord[],
  path: string,
  content: string,
): readonly OptionRecord[] | undefined {
  const others = records.filter((record) => record.path !== path);
  const directory = path.slice(0, path.lastIndexOf("/"));
  const begin = others.findIndex((record) => record.is === "directory" && record.path === directory);
  if (begin < 0) return undefined;
  const end = others.findIndex((record) => record.is === "end" && record.path === directory);
  const later = others.findIndex(
    (record, index) =>
      index > begin &&
      index < end &&
      record.is === "file" &&
      record.path.startsWith(`${directory}/`) &&
      record.path > path,
  );
  const lines = content.split("\n").map((text, index) => ({ text, line: index + 1 }));
  const dropIn: OptionRecord[] = [
    { is: "file", path, access: { mode: "0644", owner: "root", group: "root" } },
    ...lines
      .filter(({ text }) => text !== "" && !text.startsWith("#"))
      .map(({ text, line }) => ({ is: "line" as const, path, line, text })),
  ];
  return others.toSpliced(later < 0 ? end : later, 0, ...dropIn);
}

/** Options in the service's command line or environment: they win over every file. */
export function commandLineOptions(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const word = /(?<![\w-])([\w-]+)=/g;
  const given = /["']?([^\s"';]+)/y;
  for (let match = word.exec(text); match !== null; match = word.exec(text)) {
    const [, name] = /--(?:loose[-_])?(innodb[-_].+)$/.exec(match[1]!) ?? [];
    given.lastIndex = word.lastIndex;
    const [, value] = (name === undefined ? null : given.exec(text)) ?? [];
    if (name === undefined || value === undefined) continue;
    found.set(name.replaceAll("-", "_"), value);
    word.lastIndex = given.lastIndex;
  }
  return found;
}

/**
 * An option or variable in the service's command line or environment by which the server takes its options from other
 * files, or from other groups of them; undefined when there is none.
 */
export function optionSources(text: string): string | undefined {
  const option = /--(?:no-defaults|defaults-(?:extra-)?file|defaults-group-suffix)\b(?:=[^\s"';]+)?/;
  const variable = /\b(?:MYSQL|MARIADB)_(?:HOME|GROUP_SUFFIX)=[^\s"';]+/;
  return (option.exec(text) ?? variable.exec(text))?.[0];
}

/** What SET PERSIST left in MySQL's data directory: it wins over every file. */
export function persistedOptions(json: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const walk = (node: unknown) => {
    if (typeof node !== "object" || node === null) return;
    for (const [name, value] of Object.entries(node)) {
      if (typeof value === "object" && value !== null && "Value" in value)
        found.set(name, String(value.Value));
      else walk(value);
    }
  };
  try {
    walk(JSON.parse(json));
  } catch {
    // The server refuses a file that is no JSON when it starts: its own parser's answer shows that.
  }
  return found;
}

/** Whether the server's own reading can have come from this text: it cuts to whole MiB and to its ranges. */
export function explains(assigned: string, read: number): boolean {
  const bytes = parseSize(assigned);
  return bytes !== undefined && (bytes === read || bytes - (bytes % 2 ** 20) === read);
}
