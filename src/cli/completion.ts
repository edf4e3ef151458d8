import type { Argument, Command, Option } from "commander";

/** What may stand where, by the words that help texts have for it: `<pattern>`, `[run]`. */
const KINDS = { pattern: "pattern", host: "host", service: "service", run: "run", file: "file" } as const;

/** Names of the inventory, the playbook and the journal. Nothing that it gives ends with an error. */
export interface Names {
  hosts(): readonly string[];
  groups(): readonly string[];
  services(): readonly string[];
  steps(): readonly string[];
  runs(): readonly string[];
}

export interface Completion {
  readonly words: readonly { readonly word: string; readonly what?: string }[];
  /** Whether the shell is to offer files. */
  readonly files?: true;
  /** Whether more may follow a word without a blank. */
  readonly more?: true;
}

const NOTHING: Completion = { words: [] };

/**
 * What may stand in the place of the last of the words behind the program's name. `namesFor` gets the inventories and the
 * playbook that the words name.
 */
export function completionOf(
  program: Command,
  words: readonly string[],
  namesFor: (inventories: readonly string[], playbook: string | undefined) => Names,
): Completion {
  const last = words.at(-1) ?? "";
  const [name, ...before] = words.slice(0, -1);
  if (name === undefined) {
    const commands = visible(program);
    return last.startsWith("-")
      ? flagsOf(program, last, [])
      : fitting(
          last,
          commands.map((each) => ({ word: each.name(), what: oneClause(each.description()) })),
        );
  }
  const command = program.commands.find((each) => each.name() === name);
  if (name === "help") return before.length === 0 ? completionOf(program, [last], namesFor) : NOTHING;
  if (command === undefined) return NOTHING;
  const read = readWords(command, before);
  if (read.isBehindDashes) return { ...NOTHING, files: true };
  const names = namesFor(read.valuesOf("--inventory"), read.valuesOf("--playbook").at(-1));
  if (read.awaiting !== undefined && (read.awaiting.required || !last.startsWith("-")))
    return valuesOf(read.awaiting.argChoices, placeholderOf(read.awaiting), last, names);
  const [, flag, value] = /^(--[\w-]+)=(.*)$/.exec(last) ?? [];
  if (flag !== undefined) {
    const option = command.options.find((each) => each.long === flag);
    if (option === undefined) return NOTHING;
    const found = valuesOf(option.argChoices, placeholderOf(option), value!, names);
    return { ...found, words: found.words.map((each) => ({ ...each, word: `${flag}=${each.word}` })) };
  }
  if (last.startsWith("-")) return flagsOf(command, last, read.given);
  const argument = argumentAt(command, read.positionals);
  return argument === undefined ? NOTHING : valuesOf(argument.argChoices, argument.name(), last, names);
}

function visible(program: Command): readonly Command[] {
  return program.createHelp().visibleCommands(program);
}

function argumentAt(command: Command, at: number): Argument | undefined {
  const all = command.registeredArguments;
  const last = all.at(-1);
  return all[at] ?? (last?.variadic ? last : undefined);
}

/** "<pattern>" and "[pattern]" are pattern. */
function placeholderOf({ flags, long }: Option): string {
  return long === "--steps" ? "steps" : (/[<[]([^>\].]+)/.exec(flags)?.[1] ?? "");
}

interface ReadWords {
  readonly given: readonly Option[];
  readonly positionals: number;
  readonly isBehindDashes: boolean;
  /** The option whose value comes next. */
  readonly awaiting: Option | undefined;
  valuesOf(long: string): readonly string[];
}

function readWords(command: Command, words: readonly string[]): ReadWords {
  const values: { readonly option: Option; readonly value: string | undefined }[] = [];
  let positionals = 0;
  let awaiting: Option | undefined;
  let isBehindDashes = false;
  for (const word of words) {
    if (isBehindDashes) continue;
    if (awaiting !== undefined && (awaiting.required || !word.startsWith("-"))) {
      values.push({ option: awaiting, value: word });
      awaiting = undefined;
      continue;
    }
    awaiting = undefined;
    if (word === "--") isBehindDashes = true;
    else if (!word.startsWith("-") || word === "-") positionals++;
    else {
      const [, long, value] = /^(--[^=]+)(?:=(.*))?$/s.exec(word) ?? [];
      const option = command.options.find((each) => each.long === long || each.short === word.slice(0, 2));
      if (option === undefined) continue;
      const own = long === undefined ? word.slice(2) || undefined : value;
      if ((option.required || option.optional) && own === undefined) awaiting = option;
      values.push({ option, value: own });
    }
  }
  return {
    given: values.map(({ option }) => option),
    positionals,
    isBehindDashes,
    awaiting,
    valuesOf: (long) => values.flatMap(({ option, value }) => (option.long === long ? (value ?? []) : [])),
  };
}

function flagsOf(command: Command, last: string, given: readonly Option[]): Completion {
  const options = command.createHelp().visibleOptions(command);
  const left = options.filter((option) => !given.includes(option));
  return fitting(
    last,
    left.flatMap((option) => {
      const word = option.long ?? option.short;
      return word === undefined ? [] : [{ word, what: oneClause(option.description) }];
    }),
  );
}

function valuesOf(
  choices: readonly string[] | undefined,
  placeholder: string,
  last: string,
  names: Names,
): Completion {
  const plain = (words: readonly string[]) => words.map((word) => ({ word }));
  if (choices !== undefined) return fitting(last, plain(choices));
  if (placeholder === "steps") return inList(last, plain(names.steps()), /^/);
  switch (KINDS[placeholder as keyof typeof KINDS]) {
    case "file":
      return { ...NOTHING, files: true };
    case "host":
      return fitting(last, plain(names.hosts()));
    case "service":
      return fitting(last, plain(names.services()));
    case "run":
      return fitting(last, plain([...names.runs()].reverse()));
    case "pattern":
      return inList(
        last,
        [
          ...names.groups().map((word) => ({ word, what: "group" })),
          ...names.hosts().map((word) => ({ word, what: "host" })),
          { word: "all", what: "every host" },
          { word: "@failed", what: "hosts that failed in the last run" },
          { word: "@changed", what: "hosts that the last run changed" },
        ],
        /^[!&]?/,
      );
    default:
      return NOTHING;
  }
}

/** The last of a list with commas; what stands before it stays. */
function inList(last: string, words: Completion["words"], sign: RegExp): Completion {
  const start = last.slice(0, last.lastIndexOf(",") + 1);
  const typed = last.slice(start.length);
  const before = `${start}${sign.exec(typed)?.[0] ?? ""}`;
  const there = start.split(",");
  const left = words.filter(({ word }) => !there.includes(word));
  const found = fitting(
    last,
    left.map((each) => ({ ...each, word: `${before}${each.word}` })),
  );
  return { ...found, more: true };
}

function fitting(last: string, words: Completion["words"]): Completion {
  return { words: words.filter(({ word }) => word.startsWith(last)) };
}

function oneClause(text: string): string {
  return text.replace(/\s+/g, " ").split(/[;:(]/, 1)[0]!.trim();
}

/** As the shells' scripts read it: a word a line, perhaps a tab and what it is. */
export function completionText({ words, files, more }: Completion): string {
  const lines = words
    // What a shell would have to quote is left to the person.
    .filter(({ word }) => /^[\w@%+=:,./!&-]+$/.test(word))
    .map(({ word, what }) => (what === undefined ? word : `${word}\t${what}`));
  return [...(files ? [":files"] : []), ...(more ? [":more"] : []), ...lines]
    .map((line) => `${line}\n`)
    .join("");
}
