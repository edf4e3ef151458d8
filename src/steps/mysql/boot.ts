import type { Layer } from "../../contract/reading.ts";
import { showHow } from "../../daemon/boot-lines.ts";
import { startPlaces } from "../../daemon/other-start.ts";
import { quotable } from "../../terminal-text.ts";
import type { InstalledFacts } from "./facts.ts";
import {
  assignments,
  commandLineOptions,
  explains,
  type OptionRecord,
  optionSources,
  whyIgnored,
  winnerOf,
  withDropIn,
} from "./option-files.ts";
import type { Setting } from "./settings.ts";
import { parseSize } from "./size.ts";

/** The value that the server would start with, as its own parser reads it, and the line that it comes from. */
export function onDisk(setting: Setting, facts: InstalledFacts): Layer {
  const { server, parser, unit } = facts;
  const elsewhere = otherOptions(facts);
  if (elsewhere !== undefined)
    return { is: "unreadable", source: unit.name, because: `it starts the server with ${elsewhere.what}` };
  const [unread] = facts.unread;
  if (unread !== undefined) return { is: "unreadable", source: unread.path, because: unread.because };
  const override = overrides(setting.name, facts);
  if (override !== undefined) {
    const value = parseSize(override.value);
    return {
      is: "read",
      value: value === undefined ? override.value : setting.show(value),
      source: override.source,
    };
  }
  const read = parser.values.get(setting.name);
  if (read === undefined || Number.isNaN(read)) {
    return {
      is: "unreadable",
      source: server.parser,
      because: parser.unread ?? parser.errors[0] ?? "it said nothing of it",
    };
  }
  const winner = winnerOf(optionsOf(facts.options, facts), setting.name, server);
  if (winner === undefined) return { is: "absent", source: "every option file" };
  const source = explains(winner.value, read) ? `${winner.path}:${winner.line}` : server.parser;
  return { is: "read", value: setting.show(read), source };
}

/** What would still win once our file is written, as one sentence that says what to do; undefined when we win. */
export function shadowedBy(
  setting: Setting,
  facts: InstalledFacts,
  dropIn: { path: string; content: string; agrees: boolean },
): string | undefined {
  // Nobody can tell what wins.
  if (facts.unread.length > 0) return undefined;
  const override = overrides(setting.name, facts);
  if (override !== undefined) {
    if (setting.accepts(parseSize(override.value) ?? Number.NaN)) return undefined;
    return `${override.source} sets ${setting.name} to ${override.value} and wins over every file: ${override.remedy}`;
  }
  const records = withDropIn(facts.options, dropIn.path, dropIn.content);
  if (records === undefined) return undefined;
  const winner = winnerOf(optionsOf(records, facts), setting.name, facts.server);
  if (
    winner !== undefined &&
    winner.path !== dropIn.path &&
    !setting.accepts(parseSize(winner.value) ?? Number.NaN)
  ) {
    return `${winner.path}:${winner.line} sets ${setting.name} to ${winner.value} and is read after ${dropIn.path}: remove that line or ask for its value`;
  }
  const read = facts.parser.values.get(setting.name);
  if (dropIn.agrees && read !== undefined && !setting.accepts(read)) {
    return `${facts.server.parser} reads ${setting.show(read)} although ${dropIn.path} says ${setting.inFile}: find the option file that overrides it`;
  }
  return undefined;
}

/** What makes the service start its server without the option files that its parser was asked about. */
function otherOptions({ unit, unitOptions }: InstalledFacts) {
  const given = optionSources(unitOptions);
  // Debian's MariaDB has a shell start it.
  const other = unit.start.commands.find((command) => !/\/(mysqld|mariadbd)(?=[\s"';]|$)/.test(command));
  const what = given ?? other?.split(" ")[0];
  if (what === undefined) return undefined;
  return { what, place: startPlaces(unit, ["ExecStart", "Environment", "EnvironmentFile"]) };
}

/** Why the server would never read our file, or undefined. */
export function whyUnread(facts: InstalledFacts, path: string): string | undefined {
  const elsewhere = otherOptions(facts);
  if (elsewhere !== undefined) {
    const { what, place } = elsewhere;
    return `${place} makes ${facts.unit.name} start with ${what}, so what wins over ${path} is not known: take it out there`;
  }
  if (withDropIn(facts.options, path, "") !== undefined || facts.unread.length > 0) return undefined;
  const directory = path.slice(0, path.lastIndexOf("/"));
  return `no option file includes ${directory}: put "!includedir ${directory}/" at the end of /etc/mysql/my.cnf`;
}

/** Why the server passes over our file as it is now, or undefined. */
export function whyPassedOver(facts: InstalledFacts, path: string): string | undefined {
  const record = facts.options.find((option) => option.is === "file" && option.path === path);
  return record?.is === "file" ? whyIgnored(record.access, facts.server, facts.reader) : undefined;
}

function optionsOf(records: readonly OptionRecord[], { server, parser, reader }: InstalledFacts) {
  const groups = parser.groups.size > 1 ? parser.groups : new Set(["mysqld", "server", server.name]);
  return assignments(records, server, groups, reader);
}

function overrides(name: string, facts: InstalledFacts) {
  const { unit, persisted, persistedIn } = facts;
  const atStart = setByEvent(name, facts) ?? setFromOutside(name, facts) ?? setAtStart(name, facts);
  if (atStart !== undefined) return atStart;
  const inUnit = commandLineOptions(facts.unitOptions).get(name);
  if (inUnit !== undefined) {
    return {
      value: inUnit,
      source: `${unit.name} (ExecStart= or its environment)`,
      remedy: "take it out there",
    };
  }
  const value = persisted.get(name);
  if (value === undefined) return undefined;
  return {
    value,
    source: `${persistedIn} (SET PERSIST)`,
    remedy: `say "RESET PERSIST ${name}" to the server, or ask for that value`,
  };
}

/** What an event of the running server sets it to, again and again. */
function setByEvent(name: string, { live }: InstalledFacts) {
  const set = new RegExp(`\\b${name} *:?= *(\\d+)$`, "i");
  for (const [key, said] of live ?? []) {
    const [, event] = /^event (.+)$/.exec(key) ?? [];
    const value = set.exec(said)?.[1];
    if (event !== undefined && value !== undefined)
      return {
        value,
        source: `event ${quotable(event)} (on its schedule)`,
        remedy: `say "ALTER EVENT ${quotable(event)} DISABLE" to the server, or ask for that value`,
      };
  }
  return undefined;
}

/** What a crontab, a unit or one of their scripts tells the server to set it to. */
function setFromOutside(name: string, { unit }: InstalledFacts) {
  const lines = unit.next?.endings.is === "value" ? unit.next.endings.value : [];
  const set = new RegExp(`\\bglobal[.\\s]+${name}\\s*:?=\\s*(\\w+)(?!\\w|\\s*[*+/(.-])`, "gi");
  const found = lines.flatMap(({ path, line, text, by }) =>
    line === 0 || OF_ANOTHER.test(text)
      ? []
      : [...text.matchAll(set)].map(([, value]) => ({ path, line, by, value: value! })),
  );
  // A script that sets it for a while has the last word behind it.
  const last = found.findLast(({ path }) => path === found[0]?.path);
  if (last === undefined) return undefined;
  const source = `${last.path}:${last.line} (${showHow(last.by)})`;
  return { value: last.value, source, remedy: "take it out there" };
}

/** A server on another host, or in a container, is told. */
const OF_ANOTHER =
  /\b(?:mysql|mariadb)\b[^;|&]*\s(?:-h[ =]?|--host[ =])(?!["']?(?:localhost\b|127\.|::1))\S|(?:^|[\s;&|(/])(?:ssh|docker|podman|kubectl|lxc|incus)\s/;

/** What the server's init file sets it to, once the server has started with all else. */
function setAtStart(name: string, { initFile }: InstalledFacts) {
  const set = new RegExp(`\\b${name}\\s*:?=\\s*([\\d*\\s]*\\d|[^\\s;,]+)`, "gi");
  const last = initFile?.lines
    .flatMap(({ number, text }) => [...text.matchAll(set)].map(([, value]) => ({ number, value: value! })))
    .at(-1);
  if (last === undefined) return undefined;
  const isProduct = /^\d+(?:\s*\*\s*\d+)+$/.test(last.value);
  return {
    value: isProduct
      ? String(last.value.split("*").reduce((all, each) => all * Number(each), 1))
      : last.value,
    source: `${initFile!.path}:${last.number} (init_file)`,
    remedy: "take it out there",
  };
}
