import type { HostName } from "../contract/inventory-view.ts";
import { lastLines } from "../terminal-text.ts";
import type { Block, BlockResult } from "./script-block.ts";

/** A host did not do what it was to do. The message is one sentence; `output` is what the host said, several lines. */
export class ChangeFailed extends Error {
  override readonly name = "ChangeFailed";
  readonly host: HostName;
  readonly output: string | undefined;

  constructor(host: HostName, message: string, output?: string) {
    super(message);
    this.host = host;
    this.output = output;
  }
}

/** A block that failed, in words: what it was, how it ended, and the last thing it said. */
export function blockFailure(host: HostName, what: string, block: Block, result: BlockResult): ChangeFailed {
  const output = lastLines(`${result.stdout}\n${result.stderr}`, 12);
  const said = output === "" ? "it said nothing" : lastLines(output, 1);
  return new ChangeFailed(host, `${what}: ${block.name} ${endingOf(block, result)}: ${said}`, output);
}

/** timeout(1) ends with 124 at the limit, and with 137 when it had to kill, as does whatever the kernel kills. */
function endingOf({ timeoutMs }: Block, { exitCode }: BlockResult): string {
  const limit = `${timeoutMs / 1000} s`;
  if (exitCode === 124) return `did not end within ${limit} and was stopped`;
  if (exitCode === 137) return `was killed, for want of memory or because it outlived its ${limit}`;
  return `failed with exit code ${exitCode}`;
}
