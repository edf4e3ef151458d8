import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { Command, CommanderError } from "commander";
import { EXIT } from "../engine/exit-code.ts";
import { ConfigurationError } from "../errors.ts";
import { exec } from "./commands/exec.ts";
import { facts } from "./commands/facts.ts";
import { hosts } from "./commands/hosts.ts";
import { importing } from "./commands/import.ts";
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
import { watchDeparture } from "./departure.ts";
import { hintFor } from "./hints.ts";
import { shownText } from "./shown.ts";

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));

const EXIT_CODES = `
Exit codes: 0 all as wanted · 1 all hosts failed · 2 drift · 3 files or flags wrong, nothing touched ·
4 all hosts unreachable · 5 some hosts failed or unreachable · 130 interrupted`;

/** Runs the command line; sets process.exitCode. Mistakes in files or flags end with 3 and no stack trace. */
export async function main(argv: readonly string[]): Promise<void> {
  watchDeparture();
  const program = new Command("meshctl")
    .description("Turns bare KVM hosts into a service mesh of local smart proxies, and proves it.")
    .version(version)
    .showHelpAfterError("(add --help for the flags)")
    .addHelpText("after", EXIT_CODES);
  for (const command of [
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
    schema,
  ]) {
    program.addCommand(command.exitOverride().showHelpAfterError("(add --help for the flags)"));
  }
  program.exitOverride();
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    if (error instanceof CommanderError) {
      const hint =
        error.exitCode === 0
          ? undefined
          : hintFor(
              argv.slice(2),
              program.commands.map((each) => each.name()),
            );
      if (hint !== undefined) process.stderr.write(`${shownText(hint)}\n`);
      // Help and version end with 0; every other complaint of commander is about the flags.
      process.exitCode = error.exitCode === 0 ? EXIT.asWanted : EXIT.configuration;
    } else if (error instanceof ConfigurationError) {
      process.stderr.write(`${shownText(error.message)}\n`);
      process.exitCode = EXIT.configuration;
    } else {
      // A defect of ours: with its stack, but not with what Node would print of the secrets in its message.
      process.stderr.write(`${shownText(inspect(error))}\n`);
      process.exitCode = EXIT.failed;
    }
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  await main(process.argv);
