import { Command } from "commander";
import { maskSecrets } from "../secret.ts";
import { complete, completion } from "./commands/completion.ts";
import { exec } from "./commands/exec.ts";
import { facts } from "./commands/facts.ts";
import { hosts } from "./commands/hosts.ts";
import { importing } from "./commands/import.ts";
import { init } from "./commands/init.ts";
import { join } from "./commands/join.ts";
import { lab } from "./commands/lab.ts";
import { lock, unlock } from "./commands/lock.ts";
import { plan } from "./commands/plan.ts";
import { probe } from "./commands/probe.ts";
import { provision } from "./commands/provision.ts";
import { reboot } from "./commands/reboot.ts";
import { render } from "./commands/render.ts";
import { restore } from "./commands/restore.ts";
import { runs } from "./commands/runs.ts";
import { schema } from "./commands/schema.ts";
import { status } from "./commands/status.ts";
import { validate } from "./commands/validate.ts";
import { verify } from "./commands/verify.ts";
import { examplesOf } from "./examples.ts";
import { version } from "./version.ts";

export const EXIT_CODES = `
Exit codes: 0 all as wanted · 1 all hosts failed · 2 drift ·
3 files or flags wrong, nothing touched · 4 all hosts unreachable ·
5 some hosts failed or unreachable · 130 interrupted`;

/** What commander says of a flag repeats it. */
const writeErr = (text: string) => void process.stderr.write(maskSecrets(text));

/** Short, so that a window of 80 columns has room for what a command does: flags have all of them. */
function subcommandTerm(command: Command): string {
  return `${command.name()} ${command.usage().replace("[options]", "")}`.replace(/ +/g, " ").trim();
}

/** Every command and flag there is: what is parsed, shown by --help and completed. */
export function meshctl(): Command {
  const program = new Command("meshctl")
    .description("Turns bare KVM hosts into a service mesh of local smart proxies, and proves it.")
    .version(version)
    .enablePositionalOptions()
    .showHelpAfterError("(add --help for the flags)")
    .configureOutput({ writeErr })
    .configureHelp({ subcommandTerm })
    .addHelpText("after", EXIT_CODES);
  for (const command of [
    init,
    provision,
    plan,
    verify,
    status,
    probe,
    restore,
    reboot,
    runs,
    lock,
    unlock,
    validate,
    importing,
    render,
    hosts,
    facts,
    exec,
    join,
    schema,
    completion,
    lab,
  ]) {
    command.exitOverride().showHelpAfterError("(add --help for the flags)").configureOutput({ writeErr });
    program.addCommand(command.addHelpText("after", examplesOf(command.name()) ?? ""));
  }
  program.addCommand(complete.exitOverride(), { hidden: true });
  return program.exitOverride();
}
