import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { type Command, CommanderError } from "commander";
import { EXIT } from "../engine/exit-code.ts";
import { ConfigurationError } from "../errors.ts";
import { InvalidFiles } from "../inventory/invalid-files.ts";
import { watchDeparture } from "./departure.ts";
import { exampleOf } from "./examples.ts";
import { hintFor, wantedBy, whatThereIs, wrongFlag } from "./hints.ts";
import { meshctl } from "./program.ts";
import { shownText } from "./shown.ts";
import { maskTypedSecrets } from "./typed-secrets.ts";

/** Runs the command line; sets process.exitCode. Mistakes in files or flags end with 3 and no stack trace. */
export async function main(argv: readonly string[]): Promise<void> {
  watchDeparture();
  const words = argv.slice(2);
  maskTypedSecrets(words);
  const program = meshctl();
  const names = program.commands.map((each) => each.name());
  // A word that is a bit like it would be another answer.
  program.showSuggestionAfterError(hintFor(words, names) === undefined);
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    if (error instanceof CommanderError) {
      const hint =
        error.exitCode === 0
          ? undefined
          : (wantedBy(
              error.message,
              program.commands.flatMap((each) => each.options),
            ) ??
            hintFor(words, names, wrongFlag(error.message, words, knownTo(program))) ??
            whatThereIs(error, words, knownTo(program)));
      if (hint !== undefined) process.stderr.write(`${shownText(hint)}\n`);
      if (error.exitCode !== 0) await tellPrograms(error, argv, hint);
      // Help and version end with 0; every other complaint of commander is about the flags.
      process.exitCode = error.exitCode === 0 ? EXIT.asWanted : EXIT.configuration;
    } else if (error instanceof ConfigurationError) {
      await tellPrograms(error, argv);
      const text = shownText(error.message);
      process.stderr.write(`${await shownMistakes(text, error instanceof InvalidFiles, argv)}\n`);
      process.exitCode = EXIT.configuration;
    } else {
      // A defect of ours: with its stack, but not with what Node would print of the secrets in its message.
      process.stderr.write(`${shownText(inspect(error))}\n`);
      process.exitCode = EXIT.failed;
    }
  }
}

function knownTo(program: Command) {
  return program
    .createHelp()
    .visibleCommands(program)
    .filter((command) => command.name() !== "help")
    .map((command) => ({
      name: command.name(),
      flags: command.options.flatMap(({ long, short }) => [long ?? [], short ?? []].flat()),
      example: exampleOf(command.name()),
    }));
}

/** The same on standard output for who asked for JSON there. */
async function tellPrograms(error: Error, argv: readonly string[], hint?: string): Promise<void> {
  const { asksForJson, mistakeEvents } = await import("./report/mistakes.ts");
  if (asksForJson(argv)) process.stdout.write(mistakeEvents(error, hint));
}

async function shownMistakes(text: string, isOfFiles: boolean, argv: readonly string[]): Promise<string> {
  const [{ mistakesView }, { paintFor }, { brokenFor }] = await Promise.all([
    import("./ui/mistakes.ts"),
    import("./ui/paint.ts"),
    import("./ui/wrapped.ts"),
  ]);
  const broken = (line: string) => brokenFor(process.stderr, line);
  if (!isOfFiles) return broken(text);
  return mistakesView(text, paintFor(process.stderr, !argv.includes("--no-color")), broken);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  void main(process.argv);
