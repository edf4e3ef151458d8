import { HostLost } from "../errors.ts";
import { sha256Of } from "../evidence/file.ts";
import type { HostName, Network } from "../inventory/view.ts";
import type { Remote } from "../remote/remote.ts";
import { revealContent } from "../secret.ts";
import type { Change, Command } from "../step.ts";
import type { ArtefactStore } from "./artefacts.ts";
import { blockFailure, ChangeFailed } from "./change-failed.ts";
import { installBlock } from "./install.ts";
import { type Block, batch, scriptText } from "./script-block.ts";

export interface ApplyContext {
  /** Names the folder on the host that keeps what the run replaced. */
  readonly run: string;
  readonly network: Network;
  readonly artefacts: ArtefactStore;
  /** The host that builds an artefact, once it is locked. Throws ChangeFailed when it may not be changed. */
  readonly builder: (host: HostName) => Promise<Remote>;
  /** Packages that other steps will want on the host and that are missing: they ride on the first apt run. */
  readonly alsoInstall: readonly string[];
}

/** As begin.sh says it. */
const STILL_UNDER_WAY = 75;

const script = (name: string) => new URL(`./commands/${name}.sh`, import.meta.url);

/**
 * Makes one change on a host, in one exec: stage and validate, then the commands, then what activates them; the
 * first that fails ends it. Throws ChangeFailed with what it said, HostLost when the outcome is unknown.
 */
export async function apply(remote: Remote, change: Change, context: ApplyContext): Promise<void> {
  const blocks: Block[] = [];
  if (change.validate !== undefined) blocks.push(...validationBlocks(change, context.run));
  for (const command of [...change.commands, ...change.activate])
    blocks.push(await commandBlock(command, context));
  const { script: text, parse } = batch(blocks, { stopAtFailure: true });
  const timeoutMs = blocks.reduce((sum, block) => sum + block.timeoutMs, 30_000);
  const outcome = await remote.run(`${scriptText(script("begin"))}\n${text}`, {
    during: change.id,
    timeoutMs,
  });
  const results = parse(outcome.stdout, outcome.stderr);
  if (outcome.exitCode === STILL_UNDER_WAY && results.length === 0) {
    throw new ChangeFailed(remote.host, `${change.id}: another change is still under way on this host`);
  }
  const failed = results.findIndex((result) => result.exitCode !== 0);
  if (failed !== -1) throw blockFailure(remote.host, change.id, blocks[failed]!, results[failed]!);
  if (results.length < blocks.length) {
    throw new HostLost(
      remote.host,
      change.id,
      `${change.id} ended after ${results.length} of ${blocks.length} commands; its outcome is unknown`,
    );
  }
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

async function commandBlock(command: Command, context: ApplyContext): Promise<Block> {
  const { run } = context;
  const withManifest = (name: string) => `${scriptText(script("manifest"))}\n${scriptText(script(name))}`;
  switch (command.kind) {
    case "run":
      return {
        name: command.argv.join(" "),
        text: `exec "$@"\n`,
        args: command.argv,
        timeoutMs: command.timeoutMs,
      };
    case "script":
      return {
        name: command.file.pathname.split("/").at(-1)!,
        text: scriptText(command.file),
        args: command.args,
        input: command.stdin === undefined ? undefined : Buffer.from(revealContent(command.stdin)),
        timeoutMs: command.timeoutMs,
      };
    case "write": {
      const text = revealContent(command.content);
      return {
        name: `write ${command.path}`,
        text: withManifest("write"),
        args: [command.path, command.mode, command.owner, sha256Of(text), run],
        input: Buffer.from(text),
        timeoutMs: 60_000,
      };
    }
    case "remove":
      return {
        name: `remove ${command.path}`,
        text: withManifest("remove"),
        args: [command.path, run],
        timeoutMs: 30_000,
      };
    case "adopt":
      return {
        name: `adopt ${command.path}`,
        text: withManifest("adopt"),
        args: [command.path, run],
        timeoutMs: 30_000,
      };
    case "install":
      return installBlock([...new Set([...command.packages, ...context.alsoInstall])], context.network);
    case "place": {
      const stored = await context.artefacts.get(command.artefact, context.builder);
      return {
        name: `place ${command.path}`,
        text: scriptText(script("place")),
        args: [command.path, stored.sha256],
        input: stored.bytes,
        timeoutMs: 120_000,
      };
    }
  }
}
