import type { HostLost, HostUnreachable } from "../../src/errors.ts";
import type { Answer } from "../../src/reader/answer.ts";
import { readerProgram } from "../../src/reader/program.ts";
import type { Ask, Fields, Question } from "../../src/reader/protocol.ts";
import type { Talk, TalkOptions } from "../../src/remote/remote.ts";

type Lost = HostLost | HostUnreachable;

/** Talks as a host's reader does, without one: what it is asked is told. */
export class ToldTalk implements Talk {
  readonly ended: Promise<Lost>;
  readonly #end: (because: Lost) => void;
  readonly #options: TalkOptions;
  readonly #tell: Ask;
  readonly #before: (questions: readonly Question[]) => Promise<Lost | undefined>;
  /** Of the program, which comes first. */
  #unsent: number;
  #seen = Buffer.alloc(0);
  #isOver = false;

  /** `before` is waited for before a frame is answered: with an error the talk ends instead. */
  constructor(
    options: TalkOptions,
    tell: Ask,
    before: (questions: readonly Question[]) => Promise<Lost | undefined>,
    programBytes = readerProgram().program.length,
  ) {
    this.#unsent = programBytes;
    this.#options = options;
    this.#tell = tell;
    this.#before = before;
    const { promise, resolve } = withResolvers<Lost>();
    this.ended = promise;
    this.#end = resolve;
  }

  async send(bytes: Uint8Array): Promise<void> {
    const isProgram = Math.min(this.#unsent, bytes.length);
    this.#unsent -= isProgram;
    this.#seen = Buffer.concat([this.#seen, bytes.subarray(isProgram)]);
    while (this.#seen.length >= 4 && this.#seen.length >= 4 + this.#seen.readUInt32BE()) {
      const [frame] = withLengths(this.#seen);
      this.#seen = this.#seen.subarray(4 + frame!.length);
      // A beat of the heart holds nothing.
      if (frame!.length > 0) void this.#answer(withLengths(frame!));
    }
  }

  async close(): Promise<void> {
    this.#isOver = true;
    this.#end(new Error("the talk was closed") as Lost);
  }

  async #answer(asked: readonly Buffer[]): Promise<void> {
    const questions = asked.map((bytes) => ({
      id: bytes.readUInt32BE(),
      question: withLengths(bytes.subarray(4)).map(String) as unknown as Question,
    }));
    const lost = await this.#before(questions.map(({ question }) => question));
    if (lost !== undefined) {
      this.#isOver = true;
      this.#end(lost);
      return;
    }
    for (const { id, question } of questions) {
      const answer = await this.#tell(question);
      if (!this.#isOver) this.#options.onOutput(encoded(id, answer));
    }
  }
}

function encoded(id: number, answer: Answer<Fields>): Buffer {
  const fields: readonly Buffer[] =
    answer.is === "value" ? answer.value : answer.is === "unreadable" ? [Buffer.from(answer.because)] : [];
  const words = [Buffer.from(answer.is), ...fields].map(withLength);
  return Buffer.concat([withLength(Buffer.concat([uint32(id), ...words])), uint32(0)]);
}

function uint32(number: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  return bytes;
}

function withLength(bytes: Buffer): Buffer {
  return Buffer.concat([uint32(bytes.length), bytes]);
}

/** All that come whole. */
function withLengths(bytes: Buffer): readonly Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at + 4 <= bytes.length; ) {
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) break;
    found.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return found;
}

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
