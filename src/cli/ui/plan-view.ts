import type { ChalkInstance } from "chalk";
import type { Change, Command, Trial } from "../../contract/change.ts";
import type { Hook, Hooks } from "../../contract/hook.ts";
import { namedList } from "../../named-list.ts";
import { counted, showAge } from "../../quantity-text.ts";
import { showContent } from "../../secret.ts";
import { shownData } from "../shown.ts";
import { type DiffOptions, diffView } from "./diff-view.ts";

export interface PlannedChange {
  readonly step: string;
  readonly change: Change;
  /** What becomes of the host's backends meanwhile. */
  readonly drain?: string | undefined;
}

/**
 * Everything that would be changed. Hosts with the same plan share it, and the diffs of a change are shown for the first of
 * the hosts that have it.
 */
export function planView(
  planned: ReadonlyMap<string, readonly PlannedChange[]>,
  options: DiffOptions,
): string {
  const hostsByPlan = new Map<string, { hosts: string[]; changes: { head: string; body: string }[] }>();
  for (const [host, plan] of shownData(planned)) {
    const changes = plan.map((entry) => ({
      head: changeHead(entry, options),
      body: changeBody(entry, options),
    }));
    const key = JSON.stringify(changes);
    const hosts = hostsByPlan.get(key)?.hosts ?? [];
    hostsByPlan.set(key, { hosts: [...hosts, host], changes });
  }
  const { paint } = options;
  const shownFor = new Map<string, string>();
  const blocks = [...hostsByPlan.values()].map(({ hosts, changes }) => {
    const texts = changes.map(({ head, body }) => {
      if (body === "") return head;
      const text = `${head}\n${body}`;
      const first = shownFor.get(text);
      if (first !== undefined) return `${head}\n${paint.dim(`      as on ${first}`)}`;
      shownFor.set(text, hosts[0]!);
      return text;
    });
    return `${paint.bold(hosts.join(", "))}\n${texts.join("\n")}`;
  });
  return blocks.join("\n\n");
}

export interface PlannedWaves {
  readonly step: string;
  readonly waves: readonly (readonly string[])[];
  /** How long the mesh is watched after each. */
  readonly holdMs: number;
}

const MOST_NAMED = 6;

/** Who is disrupted when: each wave is begun when the one before it is proven. */
export function wavesView(planned: readonly PlannedWaves[], paint: ChalkInstance): string {
  return shownData(planned)
    .map(({ step, waves, holdMs }) => {
      const lines = waves.map((hosts, index) => {
        return `  ${String(index + 1).padStart(3)}. ${namedList(hosts, MOST_NAMED)}`;
      });
      const disrupts = `${step} disrupts ${counted(waves.flat().length, "host")} in ${counted(waves.length, "wave")}`;
      const watched = `watched for ${showAge(Math.ceil(holdMs / 1000))}`;
      const proven = "each begun when the one before is proven";
      const order =
        waves.length === 1
          ? `after which the mesh is ${watched}`
          : `${proven}${holdMs === 0 ? "" : ` and the mesh was ${watched}`}`;
      const head = `${disrupts}, ${order}:`;
      return [paint.bold(head), ...lines].join("\n");
    })
    .join("\n\n");
}

export interface PlannedHooks {
  readonly step: string;
  readonly hosts: readonly string[];
  readonly hooks: Hooks;
}

/** Commands of the user's own that would run around the changes of each step. */
export function hooksView(planned: readonly PlannedHooks[], paint: ChalkInstance): string {
  return shownData(planned)
    .map(({ step, hosts, hooks }) => {
      const head = `around the changes of ${step} on ${namedList(hosts, MOST_NAMED)}:`;
      const line = (when: string) => (hook: Hook) => `  ${when.padEnd(6)} ${hookWords(hook)}`;
      return [paint.bold(head), ...hooks.before.map(line("before")), ...hooks.after.map(line("after"))].join(
        "\n",
      );
    })
    .join("\n\n");
}

function hookWords({ command, timeoutMs, per }: Hook): string {
  const where = per === "wave" ? "once for a wave, on its first host" : "on each host";
  return `${command} (${where}, ${timeoutMs / 1000} s at most)`;
}

/** What is changed and why, what it disrupts and what it weakens. */
function changeHead({ step, change, drain }: PlannedChange, { paint }: DiffOptions): string {
  const lines = [`  ${paint.yellow("~")} ${paint.bold(`${step} · ${change.id}`)}: ${change.why}`];
  if (change.disrupts !== undefined)
    lines.push(`      ${paint.magenta(`${change.disrupts.kind}s ${change.disrupts.what}`)}`);
  if (drain !== undefined) lines.push(`      ${paint.dim(drain)}`);
  if (change.trial !== undefined) lines.push(`      ${paint.dim(trialWords(change.trial))}`);
  if (change.warning !== undefined) lines.push(`      ${paint.yellow(`! ${change.warning}`)}`);
  return lines.join("\n");
}

function trialWords({ undoneAfterMs }: Trial): string {
  return `tried first: the host takes it back after ${undoneAfterMs / 1000} s unless a new connection confirms it`;
}

/** Its diffs and commands; empty when there is nothing to show. */
function changeBody({ change }: PlannedChange, options: DiffOptions): string {
  return [...(change.trial?.commands ?? []), ...change.commands, ...change.activate]
    .map((command) => commandView(command, options)?.replace(/^/gm, "      "))
    .filter((text) => text !== undefined)
    .join("\n");
}

function commandView(command: Command, options: DiffOptions): string | undefined {
  switch (command.kind) {
    case "write":
      if (command.was === showContent(command.content))
        return `mode ${command.mode}, owner ${command.owner}: ${command.path}`;
      return diffView({ path: command.path, was: command.was, want: showContent(command.content) }, options);
    case "remove":
      return command.was === undefined
        ? `remove ${command.path}`
        : diffView({ path: command.path, was: command.was, want: "" }, options);
    case "restore":
      return diffView(command.diff, options);
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
