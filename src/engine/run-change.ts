import { HostLost } from "../errors.ts";
import type { Remote } from "../remote/remote.ts";
import { scriptText } from "../script-text.ts";
import { blockFailure, ChangeFailed } from "./change-failed.ts";
import type { Hear } from "./events.ts";
import { type Block, type BlockResult, inOrder } from "./script-block.ts";

const BEGIN = ["locks", "begin"].map((name) => new URL(`./commands/${name}.sh`, import.meta.url));
/** As begin.sh says it. */
const STILL_UNDER_WAY = 75;

/** A change says what it did, and apt is the one that says most: some hundred KiB for everything that there is. */
const MOST_OUTPUT_BYTES = 1024 * 1024;

interface ChangeOptions {
  readonly maxOutputBytes?: number;
  /** Told what blocks say that tell how far they are. */
  readonly hear?: Hear | undefined;
}

/** When the last change that this run has to make on a host will have ended. Never rejects. */
const turns = new WeakMap<Remote, Promise<unknown>>();

/**
 * Runs blocks that change a host, in one exec; the first that fails ends it. What else this run has to do there (one
 * host's build is needed by another's change) waits its turn, and begin.sh keeps everybody else's away. Returns what
 * each block said. Throws ChangeFailed with what the host said, HostLost when the outcome is unknown, as it is when the
 * host prints more than `maxOutputBytes`.
 */
export function runChange(
  remote: Remote,
  what: string,
  blocks: readonly Block[],
  options: ChangeOptions = {},
): Promise<readonly BlockResult[]> {
  const turn = (turns.get(remote) ?? Promise.resolve()).then(() => runBlocks(remote, what, blocks, options));
  turns.set(
    remote,
    turn.catch(() => {}),
  );
  return turn;
}

async function runBlocks(
  remote: Remote,
  what: string,
  blocks: readonly Block[],
  { maxOutputBytes = MOST_OUTPUT_BYTES, hear }: ChangeOptions,
): Promise<readonly BlockResult[]> {
  const { script, parse, listener } = inOrder(blocks);
  const timeoutMs = blocks.reduce((sum, block) => sum + block.timeoutMs, 30_000);
  const about = { host: remote.host, during: what };
  hear?.({ ...about, is: "begun" });
  const outcome = await remote
    .run(`${BEGIN.map(scriptText).join("\n")}\n${script}`, {
      during: what,
      timeoutMs,
      maxOutputBytes,
      listen: hear === undefined ? undefined : listener((line) => hear({ ...about, is: "line", line })),
    })
    .finally(() => hear?.({ ...about, is: "ended" }));
  const results = parse(outcome.stdout, outcome.stderr);
  if (outcome.exitCode === STILL_UNDER_WAY && results.length === 0) {
    throw new ChangeFailed(remote.host, `${what}: another change is still under way on this host`);
  }
  const failed = results.findIndex(({ exitCode }) => exitCode !== 0);
  if (failed !== -1) throw blockFailure(remote.host, what, blocks[failed]!, results[failed]!);
  if (results.length < blocks.length) {
    throw new HostLost(
      remote.host,
      what,
      `${what} ended after ${results.length} of ${blocks.length} commands; its outcome is unknown`,
    );
  }
  return results;
}
