import { onceEach } from "../once-each.ts";
import { type BootLine, showHow } from "./boot-lines.ts";
import { inTheWayOf, WAY_LINES, WAY_WORDS } from "./in-the-way.ts";
import { MANAGER_LINES, MANAGER_WORDS } from "./managers.ts";
import { OVERWRITING, type Overwritten, overwrittenBy } from "./overwriting.ts";
import type { Reach } from "./reach.ts";
import { fits } from "./shell-pattern.ts";
import type { Trigger } from "./triggers.ts";

/** Who a service is to those that end it by its process: by the name of its unit. */
const PROCESSES: Readonly<Record<string, readonly string[]>> = {
  "haproxy.service": ["haproxy"],
  "zookeeper.service": ["zookeeper", "java", "QuorumPeerMain"],
  "mariadb.service": ["mariadbd", "mysqld", "mysqld_safe", "mariadbd-safe"],
  "mysql.service": ["mysqld", "mysqld_safe"],
  "meshctl-watcher.service": ["synapse", "ruby"],
  "meshctl-registrar.service": ["nerve", "ruby"],
};
/** Whom services run as, or become. */
const USERS: Readonly<Record<string, string>> = {
  "haproxy.service": "haproxy",
  "zookeeper.service": "zookeeper",
  "mariadb.service": "mysql",
  "mysql.service": "mysql",
  "meshctl-watcher.service": "meshctl-watcher",
  "meshctl-registrar.service": "meshctl-registrar",
};
/** Other names of a unit. */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  "mariadb.service": ["mysql", "mysqld"],
  "mysql.service": ["mysqld", "mariadb"],
};
/** Whoever is named by packages that are taken away. */
const PACKAGES: Readonly<Record<string, RegExp>> = {
  "haproxy.service": /^haproxy$/,
  "zookeeper.service": /^(?:zookeeper\w*|libzookeeper-java|openjdk-.*|default-jre.*)$/,
  "mariadb.service": /^mariadb-(?:server|common).*$/,
  "mysql.service": /^mysql-(?:server|common).*$/,
  "meshctl-watcher.service": /^(?:lib)?ruby[\d.]*$/,
  "meshctl-registrar.service": /^(?:lib)?ruby[\d.]*$/,
};

const WORDS = (
  "haproxy zookeeper zkServer QuorumPeerMain openjdk default-jre java mariadb mariadbd mysql mysqld meshctl synapse nerve " +
  "ruby systemd-sysctl nftables"
).split(" ");
const NAMES = `(?:${WORDS.join("|").replace("meshctl", "meshctl[\\w@.-]*")})`;
const TOOLS =
  "(?:systemctl|service|invoke-rc\\.d|update-rc\\.d|deb-systemd-invoke|pkill|killall|kill|apt|apt-get|aptitude|dpkg|userdel|deluser)";
/** What a password may stand behind, in a name, an option or an address. */
const SECRETS = [
  "\\s-p\\S",
  "--?pass\\w{0,20}\\b",
  "[Pp][Aa][Ss][Ss][\\w-]{0,40}[=:]",
  "[Pp][Ww][Dd]=",
  "[Kk][Ee][Yy]['\"]?[=:]",
  "\\s-u\\s*\\S+:",
  "://[^/\\s]*@",
  "[Tt][Oo][Kk][Ee][Nn]",
  "[Ss][Ee][Cc][Rr][Ee][Tt]",
  "[Cc]redential",
  "[Aa]uthorization",
];
/** What comes first: the number of its group, which then is not looked for a second time in the same line. */
const first = (what: string, group: number) => `(?=(.*?${what}))\\${group}`;
/** One of these stands in each of the lines below. Words alone, without a pattern, are found all at once, and most lines have none. */
export const ENDING_WORDS = [
  ...WORDS,
  ...["systemctl", "service", "GLOBAL", "global"],
  ...OVERWRITING.names.map((name) => name.replaceAll(".", "\\.")),
  ...WAY_WORDS,
  ...MANAGER_WORDS,
].join("|");
/**
 * Lines that end a service, begin it again, name it for those that do, write over its files, or put something in its way. None that holds a
 * password: what is not needed does not leave the host. Each part is looked for once in a line: hosts have files of one long line.
 */
export const ENDING_LINES = `^(?=${[
  `${first(`\\b${TOOLS}\\b`, 1)}.*\\b${NAMES}`,
  `.*init\\.d/${NAMES}`,
  ".*zkServer[\\w.-]{0,20} stop",
  `${first("\\bsystemctl\\b", 2)}${first("\\b(?:stop|disable|mask|kill)\\b", 3)}.*[$*?[]`,
  `${first("\\bservice\\b", 4)}${first("\\$", 5)}.* stop\\b`,
  `${first("\\bsystemctl\\b", 6)}.*\\bisolate\\b`,
  `${first("\\bfor\\b", 7)}${first("\\bin\\b", 8)}.*\\b${NAMES}`,
  `[ \\t]*\\w+=["'(]?(?=([\\w.@ -]*?\\b${NAMES}\\b))\\9(?=([\\w.@ -]*))\\10["')]?[ \\t\\r]*$`,
  `${first(OVERWRITING.writer, 11)}.*${OVERWRITING.file}`,
  // What a database is told to be set to (steps/mysql/boot.ts).
  ".*\\b(?:GLOBAL|global)[.\\s]+\\w+\\s*:?=",
  ...WAY_LINES,
  MANAGER_LINES,
].join("|")})(?!.*(?:${SECRETS.join("|")}))`;

interface Ending {
  readonly does: string;
  /** Whether it stands in a file of rules, where no shell decides about it. */
  readonly isRule?: boolean;
  /** Whether starting the unit again does not take it back. */
  readonly lasts?: boolean;
  /** Of a unit that a variable names: no more than that it may be this one. */
  readonly isVague?: boolean;
  /** The file that is closed to others, and whether its group may still read it. */
  readonly closes?: Overwritten["closes"];
}

interface Found extends Ending {
  /** All of its line before it. */
  readonly before: string;
  readonly isSaid: boolean;
}

/** What starts a unit again, by the unit's name. */
type Triggers = ReadonlyMap<string, readonly Trigger[]>;

interface Endings {
  readonly blocked: readonly string[];
  readonly warnings: readonly string[];
}

/** What ends a unit or writes over its files, outside of what starts it: sentences about what surely does, and about what may. */
export function endingsOf(
  lines: readonly BootLine[],
  unit: string,
  reach: Reach = { doors: [], peers: [] },
  triggers: Triggers = new Map(),
): Endings {
  const known = judged(lines);
  const key = JSON.stringify([unit, reach, [...triggers]]);
  const endings = known.get(key) ?? judgedEndings(lines, unit, reach, triggers);
  known.set(key, endings);
  return endings;
}

/** By all else that is gone by: hosts that are alike have the very same lines, and each is looked at for what several steps say. */
const judged = onceEach((_: readonly BootLine[]) => new Map<string, Endings>());

function judgedEndings(lines: readonly BootLine[], unit: string, reach: Reach, triggers: Triggers): Endings {
  const blocked: string[] = [];
  const warnings: string[] = [];
  const sameCause = ({ by }: BootLine) => lines.filter((other) => other.by === by && other.line > 0);
  for (const [index, line] of lines.entries()) {
    const { path, text, by } = line;
    const how = showHow(by);
    if (line.line === 0) {
      warnings.push(`${path} could not be read (${text}), and ${how}: whether it ends ${unit} is not known`);
      continue;
    }
    if (by.split(" ")[0] === unit || isMeshctls(line)) continue;
    const commands = commandsOf(text);
    const found: Found | undefined =
      commands.flatMap(({ words, before, isQuoted }, at) => {
        const ending = endingIn(words, unit);
        if (ending === undefined) return [];
        const isSent = isQuoted && commands.slice(0, at).some((each) => isElsewhere(each.words));
        return [{ ...ending, before, isSaid: isSent || words.some(isSaying) }];
      })[0] ??
      killByNumber(text, unit) ??
      (commands.some(({ words }) => isElsewhere(words))
        ? undefined
        : inTheWayOf(line, sameCause(line), unit, reach, lines));
    if (found === undefined) {
      const again = commands.some((each) => restarts(each, unit) && isPlain(each.before))
        ? whenAgain(line, triggers)
        : undefined;
      if (again !== undefined)
        warnings.push(`${path}:${line.line} restarts ${unit} ${again}, and cuts off its clients each time`);
      continue;
    }
    const sameFile = lines.filter((other) => other.path === path && other.line > 0);
    if (
      found.closes &&
      sameFile.some((other) => commandsOf(other.text).some(({ words }) => gives(words, found.closes!, unit)))
    )
      continue;
    if (found.isVague && !sameFile.some((other) => names(other.text, unit))) continue;
    // Who starts it again behind that, as a backup does, ended it for a while.
    const later = lines.slice(index).filter((other) => other.path === path);
    if (
      found.lasts !== true &&
      later.some((other) => beginsAgain(other, unit, found.isVague === true, other === line))
    )
      continue;
    const said = `${path}:${line.line} ${found.does} ${unit} (${how})`;
    if (found.isVague || found.isSaid || !isSure(line, found))
      warnings.push(`${said.replace(found.does, `may be what ${found.does}`)}: look at when it does`);
    else blocked.push(`${said}: take it out there`);
  }
  return { blocked, warnings };
}

/** The installer of the watcher's files ends a timer of its own. */
function isMeshctls({ path, by }: BootLine): boolean {
  return (
    /^\/(?:opt|etc)\/meshctl\//.test(path) || (by.startsWith("meshctl-") && /\/system\/meshctl-/.test(path))
  );
}

/** When a line is done again, too often or whenever something happens, as a part of a sentence; undefined of what is not. */
function whenAgain({ by, text }: BootLine, triggers: Triggers): string | undefined {
  const times = by === "cron" ? timesADay(text) : 0;
  if (times >= TOO_OFTEN) return `${times} times a day (${showHow(by)})`;
  if (AT_ANY_TIME.test(by)) return `whenever it happens (${showHow(by)})`;
  for (const { name, timesADay: often } of triggers.get(by) ?? []) {
    if (often === undefined) return `whenever ${name} finds what it waits for`;
    if (often >= TOO_OFTEN) return `${often} times a day (${name} starts ${by})`;
  }
  return undefined;
}

/** A service that is started anew every night is its administrator's business. */
const TOO_OFTEN = 24;
const AT_ANY_TIME = /^(?:ifupdown|dhclient|pppd|NetworkManager|networkd-dispatcher|udev)$/;

/** Other units that restart this one: whether a timer or a path starts them is asked of systemd. */
export function restartersOf(lines: readonly BootLine[], unit: string): readonly string[] {
  const found = lines.filter(
    ({ by, line, text }) =>
      line > 0 &&
      /^\S+\.service$/.test(by) &&
      by !== unit &&
      commandsOf(text).some((each) => restarts(each, unit) && isPlain(each.before)),
  );
  return [...new Set(found.filter((line) => !isMeshctls(line)).map(({ by }) => by))];
}

function restarts({ words }: Command, unit: string): boolean {
  if (isElsewhere(words) || words.some(isSaying)) return false;
  const tool = words.findIndex((word) =>
    /(?:^|\/)(?:systemctl|service|invoke-rc\.d)$|\/init\.d\//.test(word),
  );
  // Before it are the stars of cron's times.
  const given = tool < 0 ? [] : words.slice(tool).map((word) => word.replace(/^.*\/init\.d\//, ""));
  return (
    given.some((word) => (unit === "haproxy.service" ? RESTART : RESTART_OR_RELOAD).test(word)) &&
    given.some((word) => isUnit(word, unit))
  );
}

const RESTART = /^(?:try-|force-)?restart$/;
/** What has no reload is started anew. */
const RESTART_OR_RELOAD = /^(?:(?:try-|force-)?restart|reload-or-(?:try-)?restart|try-reload-or-restart)$/;

/** How often cron does what a line says, on a day on which it does; 0 of what is no such line. */
function timesADay(text: string): number {
  if (/^\s*@hourly\b/.test(text)) return 24;
  const [, minutes = "", hours = ""] = /^\s*([\d*,/-]+)\s+([\d*,/-]+)(?:\s+\S+){3}\s/.exec(text) ?? [];
  return timesIn(minutes, 60) * timesIn(hours, 24);
}

function timesIn(field: string, all: number): number {
  const times = field.split(",").map((part) => {
    const [, first, last, step = "1"] = /^(?:\*|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/.exec(part) ?? [];
    if (part === "") return 0;
    const span = first === undefined ? all : last === undefined ? 1 : Number(last) - Number(first) + 1;
    return Math.ceil(span / Math.max(1, Number(step)));
  });
  return times.reduce((sum, each) => sum + each, 0);
}

/** Whether a command gives a file that is closed to others to the service's user, or to its group where that may read it. */
function gives(
  words: readonly string[],
  { path, isLeftToGroup }: NonNullable<Ending["closes"]>,
  unit: string,
): boolean {
  const at = words.findIndex((word) => /^(?:\S*\/)?(?:chown|chgrp)$/.test(word));
  const [whom = "", ...paths] = words.slice(at + 1).filter((word) => !word.startsWith("-"));
  if (at < 0 || !paths.some((each) => path === each || path.startsWith(`${each.replace(/\/+\*?$/, "")}/`)))
    return false;
  const isGroup = words[at]!.endsWith("chgrp");
  const [user, group = user] = isGroup
    ? ["", whom]
    : whom.split(/[:.]/).map((each) => each || whom.split(/[:.]/)[0]);
  const isHis = (name: string | undefined) => name === USERS[unit] || name?.includes("$") === true;
  return (!isGroup && isHis(user)) || (isLeftToGroup && isHis(group) && (isGroup || /[:.]/.test(whom)));
}

interface Command {
  readonly words: readonly string[];
  /** All of its line before it. */
  readonly before: string;
  /** Whether it is a part of what stands in quotes. */
  readonly isQuoted: boolean;
}

/** Of lines that were taken apart: each is asked about for every unit, and hosts have the same ones. */
const taken = new Map<string, readonly Command[]>();
const MOST_TAKEN = 1000;

/** Commands of a line of a shell's, or of what starts one. Quotes are passed over: what they hold may be a command, or a name. */
function commandsOf(text: string): readonly Command[] {
  const known = taken.get(text);
  if (known !== undefined) return known;
  const found = commandsIn(text);
  if (taken.size >= MOST_TAKEN) taken.clear();
  taken.set(text, found);
  return found;
}

function commandsIn(text: string): readonly Command[] {
  const found: Command[] = [];
  let at = 0;
  const bare = text
    .replace(/(?:^|\s)#.*$/, "")
    .replaceAll(/["']/g, " ")
    // What is found is handed over, as find itself does it.
    .replaceAll(/(?<=\bfind\s[^;&|]*)\|\s*xargs\s/g, (piped) => " -exec".padEnd(piped.length));
  for (const part of bare.split(/([;&|()`{}\n]+|\s(?:then|do|else)\s)/)) {
    const words = part
      .trim()
      .split(/[\s,]+/)
      .filter(Boolean);
    const isQuoted = ["'", '"'].some((quote) => text.slice(0, at).split(quote).length % 2 === 0);
    if (words.length > 0) found.push({ words, before: bare.slice(0, at), isQuoted });
    at += part.length;
  }
  return found;
}

const KEEPS = /^-{0,2}(?:s|signal)?=?(?:SIG)?(?:HUP|USR2|QUIT|WINCH|CONT|0|1|3|12)$/i;

/** Whose words are done on another host, or in a container. */
const ELSEWHERE =
  /^(?:\S*\/)?(?:ssh|autossh|docker|podman|kubectl|lxc|lxc-attach|incus|machinectl|systemd-nspawn|chroot)$/;
const TOOL = new RegExp(`(?:^|[/=@+!-])${TOOLS}$|/init\\.d/|zkServer`);

function isElsewhere(words: readonly string[]): boolean {
  const at = words.findIndex((word) => ELSEWHERE.test(word));
  const tool = words.findIndex((word) => TOOL.test(word));
  return at >= 0 && (tool < 0 || at < tool);
}

/** Whose words are told, and perhaps handed to whoever runs them. */
const isSaying = (word: string) => /^(?:echo|printf|logger|wall|grep)$/.test(word);

/** What a command does to a unit, if it ends it or writes over one of its files. */
function endingIn(words: readonly string[], unit: string): Ending | undefined {
  if (isElsewhere(words)) return undefined;
  const overwritten = overwrittenBy(words, unit);
  if (overwritten !== undefined) return { ...overwritten, lasts: true };
  const at = (name: RegExp) => words.findIndex((word) => name.test(word));
  const after = (index: number) => words.slice(index + 1);
  const systemctl = at(/(?:^|[/=@+!-])systemctl$/);
  if (systemctl >= 0) {
    const rest = after(systemctl);
    if (rest.some((word) => /^(?:--user|--host|--machine|-H|-M)/.test(word))) return undefined;
    const verb = rest.findIndex((word) => !word.startsWith("-"));
    const ends = VERBS[rest[verb] ?? ""];
    const given = rest.slice(verb + 1);
    if (ends === undefined) return undefined;
    if (rest[verb] === "kill" && isHarmlessSignal(rest)) return undefined;
    if (rest[verb] === "isolate") {
      const target = given.find((word) => !word.startsWith("-")) ?? "";
      return /^(?:default|multi-user|graphical)(?:\.target)?$|^initrd/.test(target)
        ? undefined
        : { does: `isolates ${target}, and so stops` };
    }
    if (given.some((word) => isUnit(word, unit))) return { does: ends };
    return given.some((word) => word.includes("$")) ? { does: ends, isVague: true } : undefined;
  }
  const service = at(/(?:^|\/)(?:service|invoke-rc\.d|deb-systemd-invoke)$/);
  if (service >= 0) {
    const rest = after(service).filter((word) => !word.startsWith("-"));
    if (!rest.includes("stop")) return undefined;
    if (rest.some((word) => isUnit(word, unit))) return { does: "stops" };
    return rest.some((word) => word.includes("$")) ? { does: "stops", isVague: true } : undefined;
  }
  const script = at(/\/init\.d\//);
  if (script >= 0 && words[script + 1] === "stop" && isUnit(words[script]!.split("/").at(-1)!, unit))
    return { does: "stops" };
  const links = at(/(?:^|\/)update-rc\.d$/);
  if (links >= 0 && words.some((word) => isUnit(word, unit)) && /^(?:disable|remove)$/.test(words.at(-1)!))
    return { does: "disables" };
  const killer = at(/(?:^|\/)(?:pkill|killall)$/);
  if (killer >= 0) {
    const rest = after(killer);
    const named = rest.filter((word) => !word.startsWith("-"));
    return !isHarmlessSignal(rest) && named.some((word) => isProcess(word, unit))
      ? { does: "kills" }
      : undefined;
  }
  const packages = at(/(?:^|\/)(?:apt|apt-get|aptitude|dpkg)$/);
  if (packages >= 0) {
    const isRemoval = words.some((word) => /^(?:remove|purge|-r|-P|--remove|--purge)$/.test(word));
    const isItsPackage = words.some((word) => PACKAGES[unit]?.test(word));
    return isRemoval && isItsPackage ? { does: "removes the package of" } : undefined;
  }
  const users = at(/(?:^|\/)(?:userdel|deluser)$/);
  const removed = users < 0 ? [] : after(users).filter((word) => !word.startsWith("-"));
  // With a group behind it, the user leaves that group.
  if (removed.length === 1 && removed[0] === USERS[unit]) return { does: "removes the user of", lasts: true };
  if (unit === "zookeeper.service" && at(/(?:^|\/)zkServer(?:\.sh)?$/) >= 0 && words.includes("stop"))
    return { does: "stops" };
  return undefined;
}

const VERBS: Readonly<Record<string, string>> = {
  stop: "stops",
  kill: "kills",
  disable: "disables",
  mask: "masks",
  isolate: "stops",
};

/** `kill $(pidof haproxy)`, `kill -9 $(cat /run/haproxy.pid)`. */
function killByNumber(text: string, unit: string): Found | undefined {
  const [, before = "", signals = "", what = ""] =
    /^(.*?)\bkill\s+((?:-\S+\s+(?:[A-Z\d]+\s+)?)*)["']?(?:\$\(|`)\s*(?:\S*\/)?(?:pidof|pgrep|cat|head|<)([^;)`]*)/.exec(
      text,
    ) ?? [];
  if (what === "" || isHarmlessSignal(signals.split(/\s+/))) return undefined;
  return what.split(/[\s/"']+/).some((word) => isProcess(word.replace(/\.pid$/, ""), unit))
    ? { does: "kills", before, isSaid: before.split(/[\s"']+/).some(isSaying) }
    : undefined;
}

/** Whether a signal is given, and it is one on which a service goes on. */
function isHarmlessSignal(words: readonly string[]): boolean {
  return words.some(
    (word, index) =>
      (word.startsWith("-") && /[A-Z\d]/.test(word) && KEEPS.test(word)) ||
      (/^(?:-s|--signal)$/.test(word) && KEEPS.test(words[index + 1] ?? "")),
  );
}

function stemOf(unit: string): string {
  return unit.replace(/\.\w+$/, "");
}

/** Whether a word, which may be a pattern of a shell's, names a unit. */
function isUnit(word: string, unit: string): boolean {
  const all = [stemOf(unit), ...(ALIASES[unit] ?? [])].flatMap((stem) => [
    stem,
    `${stem}${/\.\w+$/.exec(unit)![0]}`,
  ]);
  const bare = word.replaceAll(/["']/g, "");
  if (!/[*?[]/.test(bare)) return all.includes(bare);
  return all.some((name) => fits(bare, name));
}

function isProcess(word: string, unit: string): boolean {
  const bare = word
    .replaceAll(/["'^$]/g, "")
    .split("/")
    .at(-1)!;
  return [...(PROCESSES[unit] ?? []), stemOf(unit)].includes(bare);
}

/** Whether a line names a unit beside others, for a command that takes it from there. */
function names(text: string, unit: string): boolean {
  return text.split(/[\s;"'()=]+/).some((word) => isUnit(word, unit));
}

function beginsAgain({ text }: BootLine, unit: string, isVague: boolean, isSameLine: boolean): boolean {
  const commands = commandsOf(text);
  const ends = isSameLine ? commands.findIndex(({ words }) => endingIn(words, unit) !== undefined) : -1;
  return commands.slice(ends + 1).some(({ words }) => {
    const begins = words.some((word) =>
      /^(?:start|restart|reload-or-restart|try-restart|unmask|enable)$/.test(word),
    );
    return begins && words.some((word) => isUnit(word, unit) || (isVague && word.includes("$")));
  });
}

/** Of whom a line is run only for a reason that is not told here. */
const NOT_ALWAYS =
  /^(?:ifupdown|dhclient|pppd|NetworkManager|networkd-dispatcher|udev|modprobe|login|logrotate|ufw|apt)$| /;

/** Whether it is surely run: at the beginning of a line, with nothing before it that decides. */
function isSure({ text, by }: BootLine, { before, isRule = false, lasts = false }: Found): boolean {
  if (isRule) return /^(?:logrotate|ufw)$/.test(by) || !NOT_ALWAYS.test(by);
  // What a unit does when it ends is done at every shutdown: the next boot finds what lasts.
  const isAtShutdown = lasts && / ExecStop(?:Post)?$/.test(by);
  if ((NOT_ALWAYS.test(by) && !isAtShutdown) || /^\s/.test(text)) return false;
  return isPlain(before) && !/\)\s*$|\{/.test(before);
}

/** Whether nothing stands before a command that decides whether it is run. */
function isPlain(before: string): boolean {
  const plain = before.replaceAll(/\b(?:sleep\s+[\w.]+|cd\s+\S+|sync|wall\s+\S+)\s*(?:&&|;)/g, "");
  return !/&&|\|\||\||\b(?:if|elif|unless|until|while|for|case|test|trap)\b|\[/.test(plain);
}
