import { commandLine } from "../../command-line.ts";
import type { Layer, Reading } from "../../contract/reading.ts";
import { startPlaces } from "../../daemon/other-start.ts";
import { wordsOf } from "../../daemon/unit-start.ts";
import { unitQuestion } from "../../evidence/by-hand.ts";
import type { HaproxyFacts } from "./facts.ts";
import { holderOf } from "./listeners.ts";
import { CONFIG, UNIT } from "./paths.ts";
import type { Situation } from "./situation.ts";
import { closedByStart } from "./unit-rows.ts";

/** The package's, where the master process names itself, too. */
const PROGRAM = "/usr/sbin/haproxy";
/** Options with a value that change nothing about what it serves. */
const GIVEN = new Set(["-f", "-p", "-S", "-x", "-L", "-C"]);
/** In the foreground as systemd wants it, quiet or talkative; of a reload. Of any other it does otherwise, or nothing. */
const PLAIN = /^-(?:W|Ws|q|V|db|d[A-Z]\S*|d[ekprv]|sf|st)$/;

/** The file that the unit has HAProxy read, at the next start and now. All the other rows are about that file. */
export function startRow(situation: Situation): Reading {
  const { facts, active } = situation;
  const next = nextCommand(facts);
  const reading: Reading = {
    setting: "starts with",
    want: CONFIG,
    onDisk:
      facts.unreadEnvironment !== undefined
        ? {
            is: "unreadable",
            source: facts.unreadEnvironment.path,
            because: facts.unreadEnvironment.because,
          }
        : next === undefined
          ? { is: "absent", source: UNIT }
          : {
              is: "read",
              value: whatItReads(next.words),
              source: [unitQuestion(UNIT, "ExecStart", "Environment"), ...environmentFilesRead(facts)].join(
                "; ",
              ),
            },
    inForce: active ? running(facts) : { is: "absent", source: UNIT },
    closedBy: closedByStart(situation),
  };
  // What systemd has yet to read it reads first.
  if (next === undefined || facts.unreadEnvironment !== undefined || facts.unit.needDaemonReload)
    return reading;
  const copy = copyBeforeRestart(situation);
  if (startsAsWanted(facts))
    return copy === undefined ? reading : { ...reading, blocked: `${copy}, then run meshctl again` };
  const value = whatItReads(next.words);
  const told = `${next.places} makes ${UNIT} start with ${value} instead of ${CONFIG}`;
  return {
    ...reading,
    cause: "shadowed",
    blocked: copy === undefined ? `${told}: take it out there` : `${told}. ${copy}, then take it out there`,
  };
}

/**
 * What a restart with haproxy.cfg would end until the watcher has written it, and what to type first; undefined where it ends
 * nothing.
 */
function copyBeforeRestart({ desired, facts, host, active, config }: Situation): string | undefined {
  const { master } = facts;
  if (!active || !desired.watched || master.is !== "value" || !runsOtherStart(facts)) return undefined;
  const bound = (config?.sections ?? []).flatMap(({ lines }) => lines.map(({ text }) => text));
  const lost = desired.settings.services.filter(
    ({ bind, port }) =>
      holderOf(host.listeners, bind, port)?.process === "haproxy" &&
      !bound.some((line) => line.startsWith("bind ") && new RegExp(`:${port}(?!\\d)`).test(line)),
  );
  if (lost.length === 0) return undefined;
  const runs = whatItReads(master.value.command);
  const copy =
    runs.startsWith("/") && !runs.includes(" ") ? `: ${commandLine("cp", "-p", runs, CONFIG)}` : "";
  return (
    `HAProxy runs with ${runs}, which only a restart changes, and ${CONFIG} does not have ` +
    `${lost.map(({ name }) => name).join(", ")}, which it serves now: copy what it reads there${copy}`
  );
}

function running({ master, unit }: HaproxyFacts): Layer {
  const source = `cat /proc/${unit.mainPid}/cmdline`;
  return master.is === "value"
    ? { is: "read", value: whatItReads(master.value.command), source }
    : {
        is: "unreadable",
        source,
        because: master.is === "unreadable" ? master.because : "it ended meanwhile",
      };
}

/** Whether the next start reads haproxy.cfg alone. */
function startsAsWanted(facts: HaproxyFacts): boolean {
  const next = nextCommand(facts);
  return next === undefined || whatItReads(next.words) === CONFIG;
}

/** Whether what runs was started with something else than haproxy.cfg alone: only a restart changes that. */
export function runsOtherStart({ master }: HaproxyFacts): boolean {
  return master.is === "value" && whatItReads(master.value.command) !== CONFIG;
}

/**
 * "FILE…", behind it options by which it serves otherwise ("-n" and "-N" win over its maxconn, "-m" limits memory) or not at
 * all ("-c"), before it the program when that is no HAProxy.
 */
function whatItReads(words: readonly string[]): string {
  const [program = "", ...rest] = words;
  const files = rest.filter((_, at) => rest[at - 1] === "-f");
  const ends = rest.indexOf("--");
  const more = ends < 0 ? [] : rest.slice(ends + 1);
  const options = optionsOf(ends < 0 ? rest : rest.slice(0, ends));
  const other = program === PROGRAM ? [] : [program];
  return [...other, ...files, ...more, ...options].join(" ") || "no file";
}

/** Options that matter, with their values. */
function optionsOf(words: readonly string[]): readonly string[] {
  const options: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at]!;
    if (GIVEN.has(word)) at += 1;
    // Numbers of processes follow -sf and -st.
    else if (!PLAIN.test(word) && !/^\d+$/.test(word)) options.push(word);
    else if (/^\d+$/.test(word) && options.length > 0 && /^-[nNm]$/.test(words[at - 1]!)) options.push(word);
  }
  return options;
}

interface NextCommand {
  readonly words: readonly string[];
  /** Where the unit says so, "PATH:LINE" each. */
  readonly places: string;
}

/** The command of the next start, with its variables as systemd replaces them; undefined when there is no unit. */
function nextCommand({ unit, environmentLines }: HaproxyFacts): NextCommand | undefined {
  const command = unit.start.commands.at(-1);
  if (command === undefined) return undefined;
  const variables = new Map<string, string>();
  for (const text of unit.start.environment) assign(text);
  const fromFiles = new Map<string, string>();
  // Files win over the unit's own variables, and the later line over the one before.
  for (const { path, line, text } of environmentLines) {
    const name = assign(
      text.replace(/^(\w+)=(.*)$/, (_, key, value) => `${key}=${wordsOf(value).join(" ")}`),
    );
    if (name !== undefined) fromFiles.set(name, `${path}:${line}`);
  }
  const used: string[] = [];
  const words = wordsOf(command).flatMap((word) => {
    const [, whole] = /^\$(\w+)$/.exec(word) ?? [];
    if (whole !== undefined) {
      used.push(whole);
      return wordsOf(variables.get(whole) ?? "");
    }
    return word.replace(/\$\{(\w+)\}/g, (_, name: string) => {
      used.push(name);
      return variables.get(name) ?? "";
    });
  });
  const places = used.flatMap((name) => fromFiles.get(name) ?? []);
  return { words, places: places.join(", ") || startPlaces(unit, ["ExecStart", "Environment"]) };

  function assign(text: string): string | undefined {
    const [, name, value] = /^(\w+)=(.*)$/s.exec(text) ?? [];
    if (name !== undefined) variables.set(name, value!);
    return name;
  }
}

function environmentFilesRead({ unit }: HaproxyFacts): readonly string[] {
  const files = unit.start.environmentFiles;
  return files.length === 0 ? [] : [commandLine("cat", ...files)];
}
