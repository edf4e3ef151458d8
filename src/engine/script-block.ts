import { randomBytes } from "node:crypto";
import { StringDecoder } from "node:string_decoder";
import { shellQuote } from "../shell-quote.ts";

/** One script among several that go to a host in one exec. */
export interface Block {
  readonly name: string;
  readonly text: string;
  readonly args: readonly string[];
  /** Bytes the script reads from file descriptor 3. */
  readonly input?: Uint8Array | undefined;
  readonly timeoutMs: number;
  /** Whether what it prints tells a person how far it is: apt, a build, a command of the user's own. */
  readonly tells?: boolean;
}

export interface BlockResult {
  readonly name: string;
  /** 124 when the time-out ended it. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Several blocks as one shell text, and the way to read its output back. */
export interface Batch {
  readonly script: string;
  /** Blocks that ended, in order; a block missing at the end did not run or did not finish. */
  parse(stdout: string, stderr: string): readonly BlockResult[];
  /** Takes the standard output as it comes, and hands on whole lines of those blocks that tell how far they are. */
  listener(hear: (line: string) => void): (bytes: Buffer) => void;
}

/**
 * Joins blocks into one script that runs them one after another. Each runs in a shell of its own under `timeout`, so
 * that one that hangs or breaks spares its neighbours. The first block that fails is the last that runs.
 */
export function inOrder(blocks: readonly Block[]): Batch {
  const nonce = newNonce();
  const script = blocks.map((block, index) => {
    // What was printed before belongs to no block.
    const begin = mark(nonce, `${index} begin`, "");
    return `${begin}\n${begin} >&2\n${framed(block, index, nonce)}[ "$code" -eq 0 ] || exit 0\n`;
  });
  return {
    script: script.join(""),
    parse: (stdout, stderr) => results(blocks, nonce, stdout, stderr),
    listener: (hear) => lineListener(blocks, nonce, hear),
  };
}

const newNonce = () => `meshctl_${randomBytes(12).toString("hex")}`;

/** Runs one block and marks its end on both streams. Sets "code". */
function framed(block: Block, index: number, nonce: string): string {
  const end = mark(nonce, `${index} end`, "$code");
  return `${call(block, nonce)}code=$?\n${end}\n${end} >&2\n`;
}

/** A mark stands on a line of its own; the newline before it is the mark's. `code` is the shell's to expand. */
function mark(nonce: string, what: string, code: string): string {
  return `printf '\\n${nonce} ${what} %s\\n' "${code}"`;
}

function call(block: Block, nonce: string): string {
  const seconds = Math.max(1, Math.ceil(block.timeoutMs / 1000));
  // 8 and 7 are the locks that begin.sh takes: a service that a block starts must not keep them.
  const command = `timeout -k 5 ${seconds} sh -s -- ${block.args.map(shellQuote).join(" ")} 8>&- 7>&-`;
  const text = block.text.endsWith("\n") ? block.text : `${block.text}\n`;
  const run = `${command} <<'${nonce}_script'\n${text}${nonce}_script\n`;
  return block.input === undefined
    ? run
    : `base64 -d <<'${nonce}_input' | {\n${base64Lines(block.input)}${nonce}_input\nexec 3<&0\n${run}}\n`;
}

function results(blocks: readonly Block[], nonce: string, output: string, errors: string): BlockResult[] {
  const out = splitFrames(output, nonce);
  const err = splitFrames(errors, nonce);
  return blocks.flatMap(({ name }, index) => {
    const frame = out.get(index);
    if (frame === undefined) return [];
    const stderr = err.get(index)?.stdout ?? "";
    return [{ name, exitCode: frame.exitCode, stdout: frame.stdout, stderr }];
  });
}

/** Dash reads here-documents line by line: short lines keep that cheap. */
function base64Lines(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString("base64")
    .replace(/.{1,1024}/g, "$&\n");
}

/** Longer lines are told by their beginning. */
const LONGEST_LINE = 1000;

function lineListener(blocks: readonly Block[], nonce: string, hear: (line: string) => void) {
  const decoder = new StringDecoder();
  let tells = false;
  let line = "";
  return (bytes: Buffer): void => {
    const [rest, ...whole] = decoder.write(bytes).split("\n");
    line = (line + rest).slice(0, LONGEST_LINE);
    for (const next of whole) {
      const [mark, index, what] = line.split(" ");
      if (mark === nonce) tells = what === "begin" && blocks[Number(index)]?.tells === true;
      else if (tells && line.trim() !== "") hear(line);
      line = next.slice(0, LONGEST_LINE);
    }
  };
}

interface Frame {
  readonly stdout: string;
  readonly exitCode: number;
}

/** Looks for the marks alone: a host may print nothing but line breaks. */
function splitFrames(stream: string, nonce: string): Map<number, Frame> {
  const frames = new Map<number, Frame>();
  const mark = `${nonce} `;
  // What is behind the last mark, up to the line break that is the next one's.
  let from = 0;
  for (let at = nextMark(stream, mark, 0); at !== -1; at = nextMark(stream, mark, from)) {
    const text = stream.slice(from, Math.max(from, at - 1));
    const lineEnd = stream.indexOf("\n", at);
    const end = lineEnd === -1 ? stream.length : lineEnd;
    from = end + 1;
    // No mark of ours is longer, and a host may make its lines as long as it likes.
    const [, index, what, code] = stream.slice(at, Math.min(end, at + LONGEST_MARK)).split(" ");
    if (what === "begin") frames.delete(Number(index));
    else frames.set(Number(index), { stdout: text, exitCode: Number(code) });
  }
  return frames;
}

const LONGEST_MARK = 80;

/** Where the next line begins that is a mark; -1 when there is none. */
function nextMark(stream: string, mark: string, from: number): number {
  if (stream.startsWith(mark, from)) return from;
  const lineBreak = stream.indexOf(`\n${mark}`, from);
  return lineBreak === -1 ? -1 : lineBreak + 1;
}
