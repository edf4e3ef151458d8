import type { Change, Command, ScriptCommand, Trial } from "../contract/change.ts";
import type { HostName, Network } from "../contract/inventory-view.ts";
import type { StepName } from "../contract/names.ts";
import { HostLost, HostUnreachable } from "../errors.ts";
import { sha256Of } from "../evidence/file.ts";
import { perlScript } from "../perl-script.ts";
import type { Remote } from "../remote/remote.ts";
import { scriptText } from "../script-text.ts";
import { revealContent } from "../secret.ts";
import type { ArtefactStore } from "./artefacts.ts";
import { bootItems } from "./boot-items.ts";
import { ChangeFailed } from "./change-failed.ts";
import { commandsOf } from "./commands-of.ts";
import type { Hear } from "./events.ts";
import { installBlock } from "./install.ts";
import { runChange } from "./run-change.ts";
import type { Block } from "./script-block.ts";

export interface ApplyContext {
  /** Names the folder on the host that keeps what the run replaced. */
  readonly run: string;
  /** The step whose change it is: the record on the host says so. */
  readonly step: StepName;
  readonly network: Network;
  readonly artefacts: ArtefactStore;
  /** The host that builds an artefact, once it is locked. Throws ChangeFailed when it may not be changed. */
  readonly builder: (host: HostName) => Promise<Remote>;
  /** Packages that others will want on the host and that are missing: they ride on the apt run of a change that has one. */
  readonly alsoInstall: readonly string[];
  readonly hear?: Hear | undefined;
}

const KEEPER = new URL("../evidence/keeper.sh", import.meta.url);
const script = (name: string) => new URL(`./commands/${name}.sh`, import.meta.url);
/** Functions that scripts of ours share, on the hosts, too. */
const HOST: Readonly<Record<string, URL>> = {
  manifest: new URL("../host/manifest.sh", import.meta.url),
  receive: new URL("../host/receive.sh", import.meta.url),
};

/**
 * Makes one change on a host, in one exec: stage and validate, then the commands, then what activates them; the
 * first that fails ends it. Where there is a trial it goes first, and the rest over a connection of its own. Throws
 * ChangeFailed with what it said, HostLost when the outcome is unknown.
 */
export async function apply(remote: Remote, change: Change, context: ApplyContext): Promise<void> {
  const blocks: Block[] = [];
  if (change.validate !== undefined) blocks.push(...validationBlocks(change, context.run));
  const items = [...bootItems(change), ...context.alsoInstall.map((name) => `package ${name}`)];
  if (items.length > 0) blocks.push(recordBlock(items));
  blocks.push(...(await commandBlocks(commandsOf(change), context)));
  if (change.trial === undefined) {
    await runChange(remote, change.id, blocks, context);
    return;
  }
  await tryOut(remote, change.id, change.trial, await commandBlocks(change.trial.commands, context));
  const anew = remote.anew();
  try {
    await runChange(anew, change.id, blocks, context);
  } catch (error) {
    if (!(error instanceof HostUnreachable)) throw error;
    const tried = `with ${change.id} in force no new connection came about (${error.message})`;
    throw new ChangeFailed(remote.host, `${tried}, ${takenBack(change.trial)}`);
  } finally {
    await anew.end();
  }
}

/** A trial that cuts the connection it came by is not kept whatever became of it: that much is known. */
async function tryOut(remote: Remote, what: string, trial: Trial, blocks: readonly Block[]): Promise<void> {
  try {
    await runChange(remote, what, blocks);
  } catch (error) {
    if (!(error instanceof HostLost)) throw error;
    throw new ChangeFailed(
      remote.host,
      `${what} was tried and the connection did not last (${error.message}), ${takenBack(trial)}`,
    );
  }
}

function takenBack({ undoneAfterMs }: Trial): string {
  return `so it is not kept: the host takes it back by itself within ${undoneAfterMs / 1000} s`;
}

async function commandBlocks(commands: readonly Command[], context: ApplyContext): Promise<Block[]> {
  const blocks: Block[] = [];
  for (const command of commands) blocks.push(await commandBlock(command, context));
  return blocks;
}

function recordBlock(items: readonly string[]): Block {
  return {
    name: "note what is changed in this boot",
    text: [HOST.manifest!, script("changed")].map(scriptText).join("\n"),
    args: [...new Set(items)],
    timeoutMs: 30_000,
  };
}

function validationBlocks(change: Change, run: string): Block[] {
  const validate = change.validate!;
  const directory = `/var/lib/meshctl/runs/${run}/staged/${sha256Of(change.id).slice(0, 12)}`;
  const staged = change.commands.flatMap((command): Block[] =>
    command.kind !== "write"
      ? []
      : [
          {
            name: `stage ${command.path}`,
            text: scriptText(script("stage")),
            args: [directory, command.path, command.mode, command.owner],
            input: Buffer.from(revealContent(command.content)),
            timeoutMs: 30_000,
          },
        ],
  );
  return [
    ...staged,
    {
      name: `validate ${change.id}`,
      text: scriptText(validate.file),
      args: [directory, ...validate.args],
      timeoutMs: validate.timeoutMs,
    },
  ];
}

function programText({ file, before = [] }: ScriptCommand): string {
  return file.pathname.endsWith(".pl") ? perlScript([...before, file]) : scriptText(file);
}

/** A script of a step's. */
export function scriptBlock(command: ScriptCommand): Block {
  return {
    name: command.file.pathname.split("/").at(-1)!,
    text: `${scriptText(KEEPER)}\n${programText(command)}`,
    args: command.args,
    input: command.stdin === undefined ? undefined : Buffer.from(revealContent(command.stdin)),
    timeoutMs: command.timeoutMs,
  };
}

async function commandBlock(command: Command, context: ApplyContext): Promise<Block> {
  const { run, step } = context;
  const text = (...names: string[]) =>
    [KEEPER, ...["guard", ...names].map((name) => HOST[name] ?? script(name))].map(scriptText).join("\n");
  switch (command.kind) {
    case "run":
      return {
        name: command.argv.join(" "),
        text: `exec "$@"\n`,
        args: command.argv,
        timeoutMs: command.timeoutMs,
      };
    case "script":
      return scriptBlock(command);
    case "write": {
      const content = revealContent(command.content);
      return {
        name: `write ${command.path}`,
        text: text("manifest", "receive", "write"),
        args: [command.path, command.mode, command.owner, sha256Of(content), run, step],
        input: Buffer.from(content),
        timeoutMs: 60_000,
      };
    }
    case "remove":
      return {
        name: `remove ${command.path}`,
        text: text("manifest", "remove"),
        args: [command.path, run, step],
        timeoutMs: 30_000,
      };
    case "adopt":
      return {
        name: `adopt ${command.path}`,
        text: text("manifest", "adopt"),
        args: [command.path, run, step],
        timeoutMs: 30_000,
      };
    case "restore":
      return {
        name: `put back ${command.path}`,
        text: text("manifest", "receive", "restore"),
        args: [command.path, run, step, command.from, command.expected],
        timeoutMs: 30_000,
      };
    case "install":
      return installBlock([...new Set([...command.packages, ...context.alsoInstall])], context.network);
    case "place": {
      const stored = await context.artefacts.get(command.artefact, context.builder);
      return {
        name: `place ${command.path}`,
        text: text("receive", "place"),
        args: [command.path, stored.sha256],
        input: stored.bytes,
        timeoutMs: 120_000,
      };
    }
  }
}
