import type { UnitFact } from "./unit.ts";

/** What decides which program a service runs, and with what. */
export interface UnitStart {
  /** Program and arguments of each ExecStart=, parted by blanks; variables are not replaced yet. */
  readonly commands: readonly string[];
  /** "NAME=value" each. */
  readonly environment: readonly string[];
  readonly environmentFiles: readonly string[];
  readonly user: string;
  readonly rootDirectory: string;
}

const ARGV = "argv[]=";

/** As `systemctl show` prints it: `values` are those of one property. */
export function loadedStart(values: (property: string) => readonly string[]): UnitStart {
  return {
    commands: values("ExecStart").flatMap((text) => {
      const begin = text.indexOf(ARGV);
      const end = text.indexOf(" ; ignore_errors=", begin);
      return begin === -1 || end === -1 ? [] : [text.slice(begin + ARGV.length, end)];
    }),
    environment: values("Environment").flatMap(wordsOf),
    environmentFiles: values("EnvironmentFiles")
      .map((text) => text.replace(/ \(ignore_errors=\w+\)$/, ""))
      .filter(Boolean),
    user: values("User").at(-1) ?? "",
    rootDirectory: values("RootDirectory").at(-1) ?? "",
  };
}

/** As the text of a unit of ours says it. */
export function writtenStart(text: string): UnitStart {
  const values = (key: string) =>
    [...text.matchAll(/^(\w+)=(.*)$/gm)].filter(([, found]) => found === key).map(([, , value]) => value!);
  return {
    commands: values("ExecStart"),
    environment: values("Environment").flatMap(wordsOf),
    environmentFiles: values("EnvironmentFile"),
    user: values("User").at(-1) ?? "",
    rootDirectory: values("RootDirectory").at(-1) ?? "",
  };
}

const KEYS = {
  commands: "ExecStart",
  environment: "Environment",
  environmentFiles: "EnvironmentFile",
  user: "User",
  rootDirectory: "RootDirectory",
} as const satisfies Record<keyof UnitStart, string>;
/** Keys of a unit's file that say how it starts. */
export const START_KEYS: readonly string[] = Object.values(KEYS);

/**
 * Why systemd would start a unit of ours otherwise than its own file, whose text this is: a drop-in, or a namesake
 * that is found first. Undefined when it would not, or when systemd has yet to read the files: then nobody can tell.
 */
export function otherStart(unit: UnitFact, text: string | undefined): string | undefined {
  if (text === undefined || unit.load !== "loaded" || unit.needDaemonReload) return undefined;
  const written = writtenStart(text);
  // A file that nothing is read beside cannot be contradicted, however another hand than ours wrote it.
  const isAlone = unit.fragmentPath === `/etc/systemd/system/${unit.name}`;
  const keys = (Object.keys(KEYS) as (keyof UnitStart)[])
    .filter((part) => !isSame(written[part], unit.start[part]))
    .map((part) => KEYS[part])
    .filter((key) => !isAlone || unit.startLines.some((line) => line.key === key));
  if (keys.length === 0) return undefined;
  return `${startPlaces(unit, keys)} sets ${keys.map((key) => `${key}=`).join(", ")} of ${unit.name} otherwise: take it out there`;
}

function isSame(a: string | readonly string[], b: string | readonly string[]): boolean {
  return JSON.stringify([a].flat().toSorted()) === JSON.stringify([b].flat().toSorted());
}

/** Where a unit's files say one of these keys, "PATH:LINE" each; its own file when no drop-in does. */
export function startPlaces(unit: UnitFact, keys: readonly string[]): string {
  const lines = unit.startLines.filter(({ key }) => keys.includes(key));
  return lines.map(({ path, line }) => `${path}:${line}`).join(", ") || unit.fragmentPath || unit.name;
}

/** Words as systemd prints and reads them: parted by blanks, perhaps in quotes. */
export function wordsOf(text: string): readonly string[] {
  return [...text.matchAll(/\$?"((?:[^"\\]|\\.)*)"|\$?'((?:[^'\\]|\\.)*)'|(\S+)/g)].map(
    ([, double, single, bare]) => double?.replace(/\\(.)/g, "$1") ?? single ?? bare!,
  );
}
