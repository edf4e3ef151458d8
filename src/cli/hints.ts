import type { Option } from "commander";
import { commandLine } from "../command-line.ts";

/** Words of other tools for what a command here does. */
export const COMMANDS: Readonly<Record<string, string>> = {
  create: "init",
  new: "init",
  upgrade: "provision",
  update: "provision",
  apply: "provision",
  converge: "provision",
  run: "provision",
  deploy: "provision",
  install: "provision",
  setup: "provision",
  up: "provision",
  diff: "plan",
  preview: "plan",
  refresh: "verify",
  drift: "verify",
  check: "verify",
  test: "verify",
  audit: "verify",
  ping: "facts",
  cmd: "exec",
  shell: "exec",
  ssh: "exec",
  adhoc: "exec",
  rollback: "restore",
  undo: "restore",
  history: "runs",
  log: "runs",
  logs: "runs",
  list: "hosts",
  ls: "hosts",
  inventory: "hosts",
  lint: "validate",
  fmt: "validate",
  config: "validate",
  template: "render",
  doctor: "status",
  show: "status",
  state: "status",
  health: "status",
  details: "status",
};
/** Words of other tools for what no command here does. */
const NO_COMMAND: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ["destroy", "remove", "delete", "rm", "uninstall", "reset", "clean", "down"].map((word) => [
      word,
      "meshctl takes nothing off hosts. `meshctl restore RUN` puts the files back that a run replaced; a host that no group names is left alone.",
    ]),
  ),
  ...Object.fromEntries(
    ["start", "stop", "restart"].map((word) => [
      word,
      "meshctl restarts what does not run as the files say: meshctl provision. One unit by hand: meshctl exec HOST -- systemctl restart UNIT",
    ]),
  ),
  version: "Type: meshctl --version",
  "-v": "Type: meshctl --version",
};
/** Flags of other tools that ask for what is a command here. */
const LOOKING = ["--dry-run", "--dryrun", "--check", "-C", "--diff", "-D", "--noop", "--what-if"];
/** Flags of other tools, and the one here. */
const FLAGS: Readonly<Record<string, string>> = {
  "--tags": "--steps",
  "-t": "--steps",
  "--forks": "--parallel",
  "-f": "--parallel",
  "--hosts": "-l",
  "--host": "-l",
  "--target": "-l",
  "--config": "-i",
  "--inventory-file": "-i",
  "--destination": "-i",
  "--concurrency": "--parallel",
  "--debug": "-vv",
  "--approve": "--yes",
  "--auto-approve": "--yes",
  "--force": "--yes",
};
/** Flags of other tools that nothing is needed for. */
const NEEDLESS: Readonly<Record<string, string>> = {
  "-b": "meshctl becomes root by itself, as `ssh: { privilege: sudo }` says",
  "--become": "meshctl becomes root by itself, as `ssh: { privilege: sudo }` says",
  "-K": "at a terminal meshctl asks for sudo's password where sudo does",
  "--ask-become-pass": "at a terminal meshctl asks for sudo's password where sudo does",
  "-k": "keys and the agent are used; a password is `ssh: { password: !env NAME }`",
  "--ask-pass": "keys and the agent are used; a password is `ssh: { password: !env NAME }`",
  "-e": "values stand in the inventory and the playbook; secrets come by `!env NAME`",
  "--extra-vars": "values stand in the inventory and the playbook; secrets come by `!env NAME`",
  "--var": "values stand in the inventory and the playbook; secrets come by `!env NAME`",
  "--var-file": "values stand in the inventory and the playbook; secrets come by `!env NAME`",
  "--skip-tags": "the steps that are wanted are named: --steps haproxy,watcher",
  "--skip-steps": "the steps that are wanted are named: --steps haproxy,watcher",
  "--start-at-task":
    "a run may begin anew: it leaves alone all that is as wanted; one step alone is --steps haproxy",
  "--list-hosts": "`meshctl hosts` lists them",
  "--list": "`meshctl hosts` lists them",
  "--list-tasks": "`meshctl hosts` lists the steps, `meshctl plan` what they would change",
  "--syntax-check": "`meshctl validate` checks the files",
  "--private-key": "the key is `ssh: { identity_file: … }` of the inventory, or ~/.ssh/config's",
  "--key-file": "the key is `ssh: { identity_file: … }` of the inventory, or ~/.ssh/config's",
  "--ask-vault-pass": "secrets come by reference: `!env NAME`, `!file PATH`, `!command [PROGRAM, ARGUMENT]`",
  "--vault-password-file":
    "secrets come by reference: `!env NAME`, `!file PATH`, `!command [PROGRAM, ARGUMENT]`",
  "--detailed-exitcode": "plan and verify always end with 2 where something is not as wanted: leave it out",
  "--format": "JSON is --json; a report is --junit FILE or --html FILE",
  "--output": "JSON is --json; a report is --junit FILE or --html FILE",
  "-o": "JSON is --json; a report is --junit FILE or --html FILE",
  "-m": "a command of the shell stands behind `--`: meshctl exec all -- uptime",
  "-a": "a command of the shell stands behind `--`: meshctl exec all -- uptime",
  "-q": "the exit code and --json say all: send the rest away with >/dev/null",
  "--quiet": "the exit code and --json say all: send the rest away with >/dev/null",
  "--silent": "the exit code and --json say all: send the rest away with >/dev/null",
  "-u": "the user is `ssh: { user: … }` of the inventory, or ~/.ssh/config's",
  "--user": "the user is `ssh: { user: … }` of the inventory, or ~/.ssh/config's",
};

/** Commands whose hosts stand behind them. */
const HOSTS_BEHIND = ["hosts", "facts", "exec"];
/** Commands whose hosts stand behind a flag. */
const CHOOSE_BY_LIMIT = ["provision", "plan", "verify", "status", "reboot"];

/** What a flag wants that stands there without its value, as commander complains of it. */
export function wantedBy(complaint: string, options: readonly Pick<Option, "flags" | "description">[]) {
  const [, flags] = /^error: option '(.+)' argument missing$/.exec(complaint) ?? [];
  const option = options.find((each) => each.flags === flags);
  return option === undefined ? undefined : `${option.flags}: ${option.description}`;
}

/** What other tools have between a command and the name of what it is to show. */
const SHOWING = ["list", "ls", "log", "logs"];

/** What a command cannot do without, for who typed less of it. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  exec: ["PATTERN", "-- COMMAND"],
  render: ["HOST"],
};

/** A command of ours that is whole. */
function typed(command: string, rest: readonly string[]): string {
  const end = rest.indexOf("--");
  const before = end === -1 ? rest : rest.slice(0, end);
  const given = before.filter((word, at) => !word.startsWith("-") && !takesValue(before[at - 1])).length;
  const missing = end === -1 ? (NEEDED[command] ?? []).slice(given) : [];
  return ["Type:", commandLine("meshctl", command, ...rest), ...missing].join(" ");
}

function takesValue(flag: string | undefined): boolean {
  return flag !== undefined && /^(?:-[a-z]|--(?!json|no-|yes|verbose).+)$/.test(flag) && !/^-[vy]/.test(flag);
}

/** The flag that the command does not have, and those that it has. */
interface Wrong {
  readonly flag: string | undefined;
  readonly flags: readonly string[];
}

/** What commander complains of, where it is a flag. */
export function wrongFlag(
  complaint: string,
  words: readonly string[],
  commands: readonly Known[],
): Wrong | undefined {
  const [, flag] = /unknown option '(-[^'=]+)/.exec(complaint) ?? [];
  const command = commands.find(({ name }) => words.includes(name));
  return command === undefined ? undefined : { flag, flags: command.flags };
}

/**
 * What somebody should type who typed this, as a sentence; undefined where nobody can tell. `commands` are those there
 * are; `wrong` is known once the words were parsed.
 */
export function hintFor(
  words: readonly string[],
  commands: readonly string[],
  wrong?: Wrong,
): string | undefined {
  const [first = ""] = words;
  if (Object.hasOwn(NO_COMMAND, first) && (first !== "-v" || words.length === 1)) return NO_COMMAND[first];
  const command = words.find((word) => commands.includes(word));
  if (words.some((word) => LOOKING.includes(word))) {
    const rest = words.filter(
      (word) => word !== command && !LOOKING.includes(word) && !["-y", "--yes"].includes(word),
    );
    return `plan shows what provision would change, and changes nothing. ${typed("plan", rest)}`;
  }
  if (first.startsWith("-") && command !== undefined) {
    const rest = words.filter((_, at) => at !== words.indexOf(command));
    return `Flags stand behind the command. ${typed(command, rest)}`;
  }
  const meant = Object.hasOwn(COMMANDS, first) ? COMMANDS[first] : undefined;
  if (meant !== undefined) {
    const rest = words.slice(1);
    return hintFor([meant, ...rest], commands) ?? typed(meant, rest);
  }
  // Ansible's playbook stands behind the command without a flag.
  const file = words.find(
    (word, at) => /^[^-].*\.ya?ml$/.test(word) && !words[at - 1]?.startsWith("-") && command !== undefined,
  );
  if (file !== undefined) {
    const rest = words.filter((word) => word !== command && word !== file);
    return `A playbook is named with -p, an inventory with -i. ${typed(command!, [...rest, "-p", file])}`;
  }
  if (first === "runs" && SHOWING.includes(words[1] ?? ""))
    return `A run is shown by its name. ${typed("runs", words.slice(2))}`;
  const at = words.findIndex(
    (word, each) => each > 0 && /^[^-]/.test(word) && !takesValue(words[each - 1]) && word !== command,
  );
  if (CHOOSE_BY_LIMIT.includes(first) && at > 0 && !words.some((word) => /^(?:-l|--limit)/.test(word)))
    return `Hosts are chosen with -l. ${typed(first, [...words.slice(1, at), "-l", ...words.slice(at)])}`;
  if (HOSTS_BEHIND.includes(first) && words.some((word) => ["-l", "--limit"].includes(word)))
    return `Hosts stand behind ${first}, without a flag. ${typed(
      first,
      words.slice(1).filter((word) => !["-l", "--limit"].includes(word)),
    )}`;
  const nameOf = (word: string) => word.replace(/^(--[^=]+)=.*$/s, "$1");
  const isWrong = (word: string) => wrong === undefined || nameOf(word) === wrong.flag;
  const given = words.find(
    (word) => isWrong(word) && [FLAGS, NEEDLESS].some((known) => Object.hasOwn(known, nameOf(word))),
  );
  const flag = given === undefined ? undefined : nameOf(given);
  if (flag === undefined || command === undefined) return undefined;
  if (Object.hasOwn(NEEDLESS, flag)) return `${flag}: ${NEEDLESS[flag]}.`;
  if (wrong !== undefined && !wrong.flags.includes(FLAGS[flag]!.replace("-vv", "-v"))) return undefined;
  const rest = words
    .filter((_, at) => at !== words.indexOf(command))
    .flatMap((word) => {
      if (word !== given) return [word];
      const value = word.slice(flag.length + 1);
      return value === "" ? [FLAGS[flag]!] : [FLAGS[flag]!, value];
    });
  return typed(command, rest);
}

/** A command as far as a hint is about it. */
interface Known {
  readonly name: string;
  /** Long and short forms of its flags. */
  readonly flags: readonly string[];
  /** A line that is right. */
  readonly example: string | undefined;
}

/** What there is, where nobody can tell what was meant: commands, flags, or a command line that is right. */
export function whatThereIs(
  { code, message }: { readonly code: string; readonly message: string },
  words: readonly string[],
  commands: readonly Known[],
): string | undefined {
  if (message.includes("Did you mean")) return undefined;
  const command = commands.find(({ name }) => words.includes(name));
  if (code === "commander.unknownCommand" || command === undefined)
    return `Commands are ${commands.map(({ name }) => name).join(", ")}.`;
  if (code === "commander.missingArgument" || code === "commander.excessArguments")
    return command.example === undefined ? undefined : `For example: ${command.example}`;
  if (code !== "commander.unknownOption") return undefined;
  const flag = /'(-[^'=]+)/.exec(message)?.[1] ?? "";
  const owners = commands.filter(({ flags }) => flags.includes(flag)).map(({ name }) => name);
  if (owners.length > 0) return `${flag} is a flag of ${owners.join(", ")}.`;
  return `Flags of ${command.name} are ${command.flags.filter((each) => each.startsWith("--")).join(", ")}.`;
}
