import type { ChalkInstance } from "chalk";
import { revealContent, showContent } from "../../secret.ts";
import type { Change, Command } from "../../step.ts";
import { diffView } from "./diff-view.ts";

/** A planned change as a person reads it: what, why, what it disrupts, and the diffs. */
export function planView(
  step: string,
  change: Change,
  options: { readonly paint: ChalkInstance; readonly verbose: boolean },
): string {
  const { paint } = options;
  const lines = [`  ${paint.yellow("~")} ${paint.bold(`${step} · ${change.id}`)}: ${change.why}`];
  if (change.disrupts !== undefined)
    lines.push(`      ${paint.magenta(`${change.disrupts.kind}s ${change.disrupts.what}`)}`);
  if (change.warning !== undefined) lines.push(`      ${paint.yellow(`! ${change.warning}`)}`);
  for (const command of [...change.commands, ...change.activate]) {
    const text = commandView(command, options);
    if (text !== undefined) lines.push(text.replace(/^/gm, "      "));
  }
  return lines.join("\n");
}

function commandView(
  command: Command,
  options: { readonly paint: ChalkInstance; readonly verbose: boolean },
): string | undefined {
  switch (command.kind) {
    case "write":
      if (command.was === revealContent(command.content))
        return `mode ${command.mode}, owner ${command.owner}: ${command.path}`;
      return diffView({ path: command.path, was: command.was, want: showContent(command.content) }, options);
    case "remove":
      return command.was === undefined
        ? `remove ${command.path}`
        : diffView({ path: command.path, was: command.was, want: "" }, options);
    case "install":
      return `apt install ${command.packages.join(" ")}`;
    case "adopt":
      return `take over ${command.path} (a copy is kept on the host)`;
    case "place":
      return `place ${command.path}, built on ${command.artefact.buildHost} if it is not in the store yet`;
    case "run":
      return options.verbose ? `run ${command.argv.join(" ")}` : undefined;
    case "script":
      return options.verbose
        ? `run ${command.file.pathname.split("/").at(-1)} ${command.args.join(" ")}`
        : undefined;
  }
}
