import { NotUnderstood } from "../../reader/answer.ts";
import type { Reader } from "../../reader/reader.ts";
import type { InstalledFacts } from "./facts.ts";
import type { OptionRecord } from "./option-files.ts";

const FIRST = ["/etc/my.cnf", "/etc/mysql/my.cnf"];
/** Those that Debian's files include: asked for before it is known that they do. */
const USUAL_DIRECTORIES = ["/etc/mysql/conf.d", "/etc/mysql/mariadb.conf.d", "/etc/mysql/mysql.conf.d"];
/** Groups, what includes others, and InnoDB's options. Nothing else: option files hold passwords too. */
const TELLING = "^\\s*(?=[^\\s#;])(?:!include|\\[|.*[Ii][Nn][Nn][Oo][Dd][Bb])";
const DEEPEST = 9;
/** Files that include each other are read again and again. */
const MOST_RECORDS = 10_000;

/**
 * Every option file in the order in which the server reads them; last the one in the home of the user that it runs as. Two
 * round trips for Debian's.
 */
export async function readOptionFiles(
  reader: Reader,
  home: Promise<string | undefined>,
): Promise<Pick<InstalledFacts, "options" | "unread">> {
  const unread: { path: string; because: string }[] = [];
  let count = 0;
  const [files] = await Promise.all([
    Promise.all([
      ...FIRST.map((path) => fileAt(path, 0)),
      home.then((directory) => (directory === undefined ? [] : fileAt(`${directory}/.my.cnf`, 0))),
    ]),
    ...USUAL_DIRECTORIES.map((directory) => list(reader, directory)),
  ]);
  return { options: files.flat(), unread };

  async function fileAt(path: string, depth: number): Promise<readonly OptionRecord[]> {
    const file = await reader.lines(path, TELLING);
    if (file.is === "unreadable") unread.push({ path, because: file.because });
    if (file.is !== "value" || file.value.kind !== "regular") return [];
    const { mode, owner: names, lines } = file.value;
    count += lines.length + 1;
    if (count > MOST_RECORDS)
      throw new NotUnderstood(`its option files have more than ${MOST_RECORDS} lines that matter`);
    const [owner = "", group = ""] = names.split(":");
    const records = await Promise.all(
      lines.map(async ({ number, text }): Promise<readonly OptionRecord[]> => {
        const line = text.trim();
        const [, isDirectory, what = ""] = /^!include(dir)?(.*)/.exec(line) ?? [];
        if (!line.startsWith("!include")) return [{ is: "line", path, line: number, text: line }];
        // From where the server stands.
        const target = what.trim().replace(/^(?!\/)/, "/");
        if (isDirectory !== undefined) return directoryAt(target.replace(/(?<=.)\/$/, ""), depth);
        return depth < DEEPEST ? fileAt(target, depth + 1) : [];
      }),
    );
    return [{ is: "file", path, access: { mode, owner, group } }, ...records.flat()];
  }

  async function directoryAt(path: string, depth: number): Promise<readonly OptionRecord[]> {
    const entries = await list(reader, path);
    if (entries.is === "unreadable") unread.push({ path, because: entries.because });
    const names = entries.is === "value" && depth < DEEPEST ? entries.value : [];
    const files = await Promise.all(
      names
        .filter(({ targetKind }) => targetKind === "regular")
        .map(({ name }) => fileAt(`${path}/${name}`, depth + 1)),
    );
    return [{ is: "directory", path }, ...files.flat(), { is: "end", path }];
  }
}

/** The server takes hidden files too. */
function list(reader: Reader, directory: string) {
  return reader.list(directory, "\\.cnf$");
}
