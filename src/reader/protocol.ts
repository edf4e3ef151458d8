import { quotable } from "../terminal-text.ts";
import type { Answer } from "./answer.ts";

/** A question by its name, with values that reader.pl checks. */
export type Question = readonly [name: string, ...values: string[]];

/** What the host said, field by field as the question defines them (see reader.pl). */
export type Fields = readonly Buffer[];

/** Asks one thing of a host, or of a recording. Rejects when the host cannot be reached. */
export interface Ask {
  (question: Question): Promise<Answer<Fields>>;
  /** Asks the host once more what it was asked before. Absent where nothing else would be answered. */
  readonly anew?: () => Ask;
}

/** reader.pl cuts an answer at 4 MiB; a little goes to its fields' lengths. */
const MOST_ANSWER_BYTES = 5 * 1024 * 1024;

/** Questions as they travel: a length, then each question with its own: its number and its words, each with its length. */
export function encodeFrame(
  questions: readonly { readonly id: number; readonly question: Question }[],
): Buffer {
  const asked = questions.map(({ id, question }) => {
    const lengths = question.map((word) => Buffer.byteLength(word));
    return { id, question, lengths, length: lengths.reduce((sum, length) => sum + 4 + length, 4) };
  });
  const length = asked.reduce((sum, { length }) => sum + 4 + length, 0);
  const frame = Buffer.allocUnsafe(4 + length);
  let at = frame.writeUInt32BE(length);
  for (const { id, question, lengths, length } of asked) {
    at = frame.writeUInt32BE(length, at);
    at = frame.writeUInt32BE(id, at);
    for (const [index, word] of question.entries()) {
      at = frame.writeUInt32BE(lengths[index]!, at);
      at += frame.write(word, at);
    }
  }
  return frame;
}

/** The stream is not that of reader.pl. */
class NoAnswer extends Error {
  override readonly name = "NoAnswer";
}

/** Takes the stream of answers apart. */
export class AnswerStream {
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Bytes that must be there before it is worth looking again. */
  #wanted = 4;

  /** Answers that are whole now, each with the number of its question. Throws NoAnswer. */
  push(chunk: Buffer): readonly { readonly id: number; readonly bytes: Buffer }[] {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < this.#wanted) return [];
    let seen = Buffer.concat(this.#chunks);
    const answers = [];
    for (;;) {
      this.#wanted = 4;
      if (seen.length < 4) break;
      const length = seen.readUInt32BE();
      if (length > MOST_ANSWER_BYTES || (length > 0 && length < 4))
        throw new NoAnswer("sent something that is no answer");
      this.#wanted = 4 + length;
      if (seen.length < this.#wanted) break;
      // An empty one only sees to it that the one before it comes whole.
      if (length > 0) answers.push({ id: seen.readUInt32BE(4), bytes: seen.subarray(8, this.#wanted) });
      seen = seen.subarray(this.#wanted);
    }
    // A copy: the rest is a part of all that came.
    this.#chunks = seen.length === 0 ? [] : [Buffer.from(seen)];
    this.#bytes = seen.length;
    return answers;
  }
}

/** An answer as it travels, without the number of its question. Throws NoAnswer. */
export function decodeAnswer(bytes: Buffer): Answer<Fields> {
  const fields: Buffer[] = [];
  let at = 0;
  while (at + 4 <= bytes.length) {
    const end = at + 4 + bytes.readUInt32BE(at);
    fields.push(bytes.subarray(at + 4, end));
    at = end;
  }
  const [kind, ...values] = fields;
  if (at !== bytes.length || kind === undefined) throw new NoAnswer("sent an answer that is cut");
  switch (kind.toString()) {
    case "value":
      return { is: "value", value: values };
    case "absent":
      return { is: "absent" };
    case "unreadable":
      return { is: "unreadable", because: quotable(values[0]?.toString() ?? "") };
    default:
      throw new NoAnswer("sent an answer of an unknown kind");
  }
}
