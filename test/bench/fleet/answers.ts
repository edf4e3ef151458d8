import type { Question } from "../../../src/reader/protocol.ts";
import { RecordedReader, type Recording } from "../../../src/reader/recording.ts";

interface Named {
  readonly name: string;
  readonly address: string;
}

type Asked = { readonly id: number; readonly question: Question };

/** Gives the answers of a recorded host for others that are like it, as they travel. */
export class Answers {
  readonly #reader: RecordedReader;
  readonly #recorded: Named;
  /** Answers by the words of their questions, without number, as the recorded host gave them. */
  readonly #known = new Map<string, { readonly fields: readonly Buffer[]; readonly isOwn: boolean }>();

  constructor(recording: Readonly<Recording>, recorded: Named) {
    this.#reader = new RecordedReader(recording);
    this.#recorded = recorded;
    for (const key of Object.keys(recording)) void this.#prepare(wordsOf(key));
  }

  /** The questions of one frame, without its length. */
  static questions(frame: Buffer): readonly Asked[] {
    return parts(frame).map((one) => ({
      id: one.readUInt32BE(),
      question: parts(one.subarray(4)).map(String) as unknown as Question,
    }));
  }

  static encode(id: number, fields: readonly (string | Buffer)[]): Buffer {
    const body = fields.flatMap((field) => [uint32(Buffer.byteLength(field)), Buffer.from(field)]);
    const length = body.reduce((sum, { length }) => sum + length, 4);
    return Buffer.concat([uint32(length), uint32(id), ...body]);
  }

  /** What `host` answers: the recorded host's own name and address are its own. */
  to({ id, question }: Asked, host: Named): Buffer {
    if (question[0] === "clock") return Answers.encode(id, ["value", `${Date.now() * 1000}`]);
    const asRecorded = question.map((word) => swapped(word, host, this.#recorded));
    const known = this.#known.get(asRecorded.join("\0"));
    if (known === undefined)
      return Answers.encode(id, ["unreadable", `the recording has no answer to: ${question.join(" ")}`]);
    if (!known.isOwn) return Answers.encode(id, known.fields);
    const own = known.fields.map((field) => swapped(field.toString("latin1"), this.#recorded, host));
    return Answers.encode(
      id,
      own.map((field) => Buffer.from(field, "latin1")),
    );
  }

  async #prepare(question: Question): Promise<void> {
    const answer = await this.#reader.ask([question])[0]!;
    const fields =
      answer.is === "value"
        ? [Buffer.from("value"), ...answer.value]
        : [answer.is, ...(answer.is === "unreadable" ? [answer.because] : [])].map((word) =>
            Buffer.from(word),
          );
    const isOwn = fields.some(
      (field) => field.includes(this.#recorded.name) || field.includes(this.#recorded.address),
    );
    this.#known.set(question.join("\0"), { fields, isOwn });
  }
}

/** The words of a question as a recording has it for a key. */
function wordsOf(key: string): Question {
  return (key.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? []).map((word) =>
    word.startsWith('"') ? JSON.parse(word) : word,
  ) as unknown as Question;
}

function swapped(text: string, from: Named, to: Named): string {
  return text.replaceAll(from.address, to.address).replaceAll(from.name, to.name);
}

function parts(bytes: Buffer): readonly Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 + bytes.readUInt32BE(at);
    found.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return found;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
