import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { shellQuote } from "../remote/quote.ts";

/** One script among several that go to a host in one exec. */
export interface Block {
  readonly name: string;
  readonly text: string;
  readonly args: readonly string[];
  /** Bytes the script reads from file descriptor 3. */
  readonly input?: Uint8Array | undefined;
  readonly timeoutMs: number;
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
}

/**
 * Joins blocks into one script. Each runs in a shell of its own under `timeout`, so that one that hangs or breaks
 * spares its neighbours. With `stopAtFailure` the first block that fails is the last that runs.
 */
export function batch(blocks: readonly Block[], options: { stopAtFailure: boolean }): Batch {
  const nonce = `meshctl_${randomBytes(12).toString("hex")}`;
  const parts = blocks.map((block, index) => {
    const seconds = Math.max(1, Math.ceil(block.timeoutMs / 1000));
    // 8 is the lock that begin.sh takes: a service that a block starts must not keep it.
    const command = `timeout -k 5 ${seconds} sh -s -- ${block.args.map(shellQuote).join(" ")} 8>&-`;
    const text = block.text.endsWith("\n") ? block.text : `${block.text}\n`;
    const run = `${command} <<'${nonce}_script'\n${text}${nonce}_script\n`;
    const fed =
      block.input === undefined
        ? run
        : `base64 -d <<'${nonce}_input' | {\n${base64Lines(block.input)}${nonce}_input\nexec 3<&0\n${run}}\n`;
    const mark = (what: string) => `printf '\\n${nonce} %s %s %s\\n' ${index} ${what}`;
    return [
      `${mark("begin")} 0`,
      `${mark("begin")} 0 >&2`,
      `${fed}code=$?`,
      `${mark("end")} "$code"`,
      `${mark("end")} "$code" >&2`,
      options.stopAtFailure ? `[ "$code" -eq 0 ] || exit 0` : "",
      "",
    ].join("\n");
  });
  return {
    script: parts.join(""),
    parse(stdout, stderr) {
      const out = splitFrames(stdout, nonce);
      const err = splitFrames(stderr, nonce);
      return blocks.flatMap((block, index) => {
        const frame = out.get(index);
        if (frame?.exitCode === undefined) return [];
        return [
          {
            name: block.name,
            exitCode: frame.exitCode,
            stdout: frame.text,
            stderr: err.get(index)?.text ?? "",
          },
        ];
      });
    },
  };
}

/** Dash reads here-documents line by line: short lines keep that cheap. */
function base64Lines(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString("base64")
    .replace(/.{1,1024}/g, "$&\n");
}

interface Frame {
  text: string;
  exitCode: number | undefined;
}

function splitFrames(stream: string, nonce: string): Map<number, Frame> {
  const frames = new Map<number, Frame>();
  let index = -1;
  let lines: string[] = [];
  for (const line of stream.split("\n")) {
    if (!line.startsWith(`${nonce} `)) {
      lines.push(line);
      continue;
    }
    const [, number, what, code] = line.split(" ");
    // The mark stands on a line of its own; the newline before it is the mark's.
    if (what === "end") frames.set(index, { text: lines.join("\n"), exitCode: Number(code) });
    index = Number(number);
    lines = [];
  }
  if (index >= 0 && !frames.has(index)) frames.set(index, { text: lines.join("\n"), exitCode: undefined });
  return frames;
}

const texts = new Map<string, string>();

/** A shell script of ours, read once. */
export function scriptText(file: URL): string {
  const known = texts.get(file.href);
  if (known !== undefined) return known;
  const text = readFileSync(file, "utf8");
  texts.set(file.href, text);
  return text;
}
