/** What decides which program a service runs, and with what. */
export interface UnitStart {
  /** Program and arguments of each ExecStart=, parted by blanks; variables are not replaced yet. */
  readonly commands: readonly string[];
  /** "NAME=value" each; the name alone of what no command line uses and is not ours. */
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
  const lines = [...text.matchAll(/^(\w+)=(.*)$/gm)];
  const values = (key: string) => lines.flatMap(([, found, value]) => (found === key ? [value!] : []));
  return {
    commands: values("ExecStart"),
    environment: values("Environment").flatMap(wordsOf),
    environmentFiles: values("EnvironmentFile"),
    user: values("User").at(-1) ?? "",
    rootDirectory: values("RootDirectory").at(-1) ?? "",
  };
}

/** Keys of a unit's file, by what they say of its start. */
export const KEYS = {
  commands: "ExecStart",
  environment: "Environment",
  environmentFiles: "EnvironmentFile",
  user: "User",
  rootDirectory: "RootDirectory",
} as const satisfies Record<keyof UnitStart, string>;
/** Keys of a unit's file that say how it starts. */
export const START_KEYS: readonly string[] = Object.values(KEYS);

/** Words as systemd prints and reads them: parted by blanks, perhaps in quotes. */
export function wordsOf(text: string): readonly string[] {
  return [...text.matchAll(/\$?"((?:[^"\\]|\\.)*)"|\$?'((?:[^'\\]|\\.)*)'|(\S+)/g)].map(
    ([, double, single, bare]) => double?.replace(/\\(.)/g, "$1") ?? single ?? bare!,
  );
}

/** The name in "NAME=value", or in a name alone: the reader tells no value that nobody needs. */
export function nameOf(variable: string): string {
  return variable.split("=", 1)[0]!;
}
