import { sha256Of } from "../../src/evidence/file.ts";
import type { Answer } from "../../src/reader/answer.ts";
import type { Ask, Fields } from "../../src/reader/protocol.ts";
import { askRecording, keyOf, type Recording } from "../../src/reader/recording.ts";
import { openHost } from "./told-open.ts";

/** A host as its reader tells it. What is not said of it is absent, or fails by the question's name. */
export interface ToldHost {
  /** Path → text, or more of a file. A directory has the names that are below it. */
  readonly files?: Readonly<Record<string, string | ToldFile | undefined>>;
  /** Name → properties as systemd shows them. One that is not here is not found. */
  readonly units?: Readonly<Record<string, ToldUnit | undefined>>;
  /** By their ids. */
  readonly processes?: Readonly<Record<number, ToldProcess>>;
  /** All other answers, by their questions. */
  readonly answers?: Recording;
}

export interface ToldFile {
  readonly text: string;
  readonly mode?: string;
  readonly owner?: string;
  readonly kind?: string;
}

/** `enabled` is what systemctl is-enabled says. */
type ToldUnit = Readonly<Record<string, string | number | readonly string[]>>;

interface ToldProcess {
  readonly ageSeconds: number;
  /** By the name of the part that is asked for. */
  readonly parts?: Readonly<Record<string, string>>;
}

/** Fields of a value, as a recording keeps them. */
export const value = (...fields: readonly (string | number)[]) =>
  ({ is: "value", value: fields.map(String) }) as const;
export const absent = { is: "absent" } as const;

/** Answers as reader.pl does on such a host. */
export function tellOf({ files = {}, units = {}, processes = {}, answers = {} }: ToldHost): Ask {
  const recorded = askRecording(answers);
  return async (question) => {
    const [name, what = "", ...rest] = question;
    if (keyOf(question) in answers) return recorded(question);
    switch (name) {
      case "file":
        return fileAnswer(what, files[what], rest);
      case "list":
        return listAnswer(Object.keys(files), what, rest[0] ?? "");
      case "unit":
        return unitAnswer(what, units[what], rest);
      case "boot":
        return fieldsOf(["multi-user.target", "", "", "", "", ...Object.keys(units).flatMap(reached)]);
      case "manager":
        return fieldsOf(["systemctl show-environment", "Environment", "LANG PATH"]);
      case "program":
        return fieldsOf(["", what, "1:2"]);
      case "enabled":
        return fieldsOf([String(units[what]?.enabled ?? "")]);
      case "boot.changes":
        return fieldsOf([1_795_000_000, 1_795_000_000, 0]);
      case "process":
        return processAnswer(what, processes[Number(what)], rest);
      case "kernel.writers":
      case "boot.lines":
        return fieldsOf([]);
      case "user":
        return absent;
      default: {
        const open = openHost(question);
        return open === undefined ? recorded(question) : fieldsOf(open);
      }
    }
  };
}

const reached = (unit: string) => [unit, "multi-user.target", "running", "", ""];

function fieldsOf(fields: readonly (string | number)[]): Answer<Fields> {
  return { is: "value", value: fields.map((field) => Buffer.from(String(field))) };
}

function fileAnswer(
  path: string,
  told: string | ToldFile | undefined,
  [how, argument, size]: readonly string[],
): Answer<Fields> {
  if (told === undefined) return absent;
  const file: ToldFile = typeof told === "string" ? { text: told } : told;
  const { text, kind = "regular" } = file;
  const fields = [kind, file.mode ?? "0644", file.owner ?? "root:root", Buffer.byteLength(text), "", path, 1];
  if (how === "stat" || kind !== "regular") return fieldsOf(fields);
  if (how === "lines") {
    const lines = text.replace(/\n$/, "").split("\n");
    const pattern = new RegExp(argument!);
    const matching = lines.flatMap((line, index) => (pattern.test(line) ? [index + 1, line] : []));
    return fieldsOf([...fields, ...matching]);
  }
  if (how === "settings") return fieldsOf([...fields, ...settingsIn(text)]);
  const isWanted = size === `${Buffer.byteLength(text)}` && argument === sha256Of(text);
  return fieldsOf(isWanted ? fields.with(4, sha256Of(text)) : [...fields, text]);
}

function settingsIn(text: string): readonly (string | number)[] {
  let section = "";
  return text.split("\n").flatMap((line, index) => {
    section = /^\[(.*)\]$/.exec(line)?.[1] ?? section;
    const [, key, value] = /^\s*(\w+)\s*=\s*(.*)$/.exec(line) ?? [];
    if (key === undefined) return [];
    return [index + 1, section, key, key === "Environment" ? value!.replace(/=\S*/g, "") : value!];
  });
}

function listAnswer(paths: readonly string[], directory: string, pattern: string): Answer<Fields> {
  const below = paths.filter((path) => path.startsWith(`${directory}/`));
  if (below.length === 0) return absent;
  const names = below.map((path) => path.slice(directory.length + 1).split("/", 1)[0]!);
  const matching = [...new Set(names)].filter((each) => new RegExp(pattern).test(each)).sort();
  return fieldsOf(matching.flatMap((each) => [each, "regular", "root:root", "regular"]));
}

function unitAnswer(name: string, unit: ToldUnit | undefined, properties: readonly string[]): Answer<Fields> {
  const known: ToldUnit = {
    Id: name,
    Slice: "system.slice",
    ...(unit ?? { LoadState: "not-found", ActiveState: "inactive" }),
  };
  return fieldsOf(
    properties.flatMap((property) =>
      [known[property] ?? ""].flat().flatMap((each) => [property, each as string | number]),
    ),
  );
}

function processAnswer(
  pid: string,
  process: ToldProcess | undefined,
  parts: readonly string[],
): Answer<Fields> {
  if (process === undefined) return absent;
  const read = parts.map((part) => process.parts?.[part] ?? "");
  return fieldsOf([pid, "1000", process.ageSeconds, "S", "root:root", ...read]);
}
