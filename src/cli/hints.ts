import type { Option } from "commander";
import { commandLine } from "../command-line.ts";

/** Words of other tools for what a command here does. */
const COMMANDS: Readonly<Record<string, string>> = {
  apply: "provision",
  converge: "provision",
  run: "provision",
  deploy: "provision",
  install: "provision",
  setup: "provision",
  up: "provision",
  diff: "plan",
  preview: "plan",
  check: "verify",
  test: "verify",
  audit: "verify",
  ping: "facts",
  cmd: "exec",
  shell: "exec",
  rollback: "restore",
  undo: "restore",
  history: "runs",
  log: "runs",
  logs: "runs",
  list: "hosts",
  ls: "hosts",
  inventory: "hosts",
  lint: "validate",
  template: "render",
  doctor: "status",
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
  "-u": "the user is `ssh: { user: … }` of the inventory, or ~/.ssh/config's",
  "--user": "the user is `ssh: { user: … }` of the inventory, or ~/.ssh/config's",
};

/** Commands whose hosts stand behind a flag. */
const CHOOSE_BY_LIMIT = ["provision", "plan", "verify", "status", "reboot"];

/** What a flag wants that stands there without its value, as commander complains of it. */
export function wantedBy(complaint: string, options: readonly Pick<Option, "flags" | "description">[]) {
  const [, flags] = /^error: option '(.+)' argument missing$/.exec(complaint) ?? [];
  const option = options.find((each) => each.flags === flags);
  return option === undefined ? undefined : `${option.flags}: ${option.description}`;
}

/** What other tools have between a command and the name of what it is to show. */
const SHOWING = ["show", "list", "ls", "log", "logs"];

/** What somebody should type who typed this, as a sentence; undefined where nobody can tell. `commands` are those there are. */
export function hintFor(words: readonly string[], commands: readonly string[]): string | undefined {
  const [first = ""] = words;
  const typed = (command: string, rest: readonly string[]) =>
    `Type: ${commandLine("meshctl", command, ...rest)}`;
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
  if (meant !== undefined) return typed(meant, words.slice(1));
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
  const [, host = ""] = words;
  if (CHOOSE_BY_LIMIT.includes(first) && /^[^-]/.test(host))
    return `Hosts are chosen with -l. ${typed(first, ["-l", ...words.slice(1)])}`;
  const flag = words.find((word) => Object.hasOwn(FLAGS, word) || Object.hasOwn(NEEDLESS, word));
  if (flag === undefined || command === undefined) return undefined;
  if (Object.hasOwn(NEEDLESS, flag)) return `${flag}: ${NEEDLESS[flag]}.`;
  const rest = words
    .filter((_, at) => at !== words.indexOf(command))
    .map((word) => (word === flag ? FLAGS[flag]! : word));
  return typed(command, rest);
}
