import { type Deadline, deadline, turn } from "../own-time.ts";
import type { Remote, Talk } from "../remote/remote.ts";
import type { Answer } from "./answer.ts";
import { readerProgram } from "./program.ts";
import { AnswerStream, decodeAnswer, encodeFrame, type Fields, type Question } from "./protocol.ts";
import { sharedAnswer } from "./shared-values.ts";

/** The reader ended before it had answered. Each life of it that ended has its own. Its cause: the connection was lost. */
export class ReaderLost extends Error {
  override readonly name = "ReaderLost";
  /** Nobody answers: that is not tried a second time. */
  readonly isSilent: boolean;

  constructor(message: string, { isSilent = false, ...options }: ErrorOptions & { isSilent?: boolean } = {}) {
    super(message, options);
    this.isSilent = isSilent;
  }
}

const OPEN_MS = 60_000;
/** Longer than any question may take on the host. */
const SILENCE_MS = 40_000;
/** The host ends a reader that hears nothing for 60 s. */
const HEARTBEAT_MS = 20_000;
/** Where a session is needed for something else, questions under way may be answered for so long. */
const GIVE_WAY_MS = 10_000;
/** Of all that one life of a reader may answer between two moments without a question. */
const MOST_BYTES = 32 * 1024 * 1024;

interface Pending {
  readonly question: Question;
  readonly sentAtMs: number;
  resolve(answer: Answer<Fields>): void;
  reject(error: Error): void;
}

/**
 * The reader of one host: started when first asked, open for as long as the connection. It is started again for the next
 * question when it ended, or when it gave way to something else that needed the host's only session.
 */
export class HostReader {
  readonly #remote: Pick<Remote, "talk">;
  #life: Life | undefined;
  #frames = 0;

  constructor(remote: Pick<Remote, "talk">) {
    this.#remote = remote;
  }

  /** How many frames were sent so far: each is a round trip. */
  get frames(): number {
    return this.#frames;
  }

  /** Asks all in one frame. Each is rejected with ReaderLost when the reader ends first, or with why it cannot start. */
  ask(questions: readonly Question[]): readonly Promise<Answer<Fields>>[] {
    const life = this.#current();
    this.#frames += 1;
    return life.ask(questions);
  }

  /** Ends the reader. Never throws. */
  async end(): Promise<void> {
    await this.#life?.end();
    this.#life = undefined;
  }

  #current(): Life {
    if (this.#life?.isOpen === true) return this.#life;
    const life = new Life(this.#remote, this.#life?.over);
    this.#life = life;
    // It holds what came over its connection.
    void life.over.then(() => {
      if (this.#life === life) this.#life = undefined;
    });
    return life;
  }
}

/** One process of the reader. */
class Life {
  readonly #pending = new Map<number, Pending>();
  readonly #stream = new AnswerStream();
  readonly #talk: Promise<Talk>;
  /** Settled when its channel is closed. */
  readonly over: Promise<void>;
  #sending: Promise<unknown>;
  #nextId = 1;
  #bytes = 0;
  #endedBecause: Error | undefined;
  #isLeaving = false;
  #silence: Deadline | undefined;

  constructor(remote: Pick<Remote, "talk">, before: Promise<void> | undefined) {
    const { script, program } = readerProgram();
    this.#talk = (before ?? Promise.resolve()).then(() =>
      remote.talk(script, {
        during: "reading the host",
        timeoutMs: OPEN_MS,
        onOutput: (bytes) => this.#hear(bytes),
        giveWay: () => this.#giveWay(),
      }),
    );
    this.#sending = this.#talk.then((talk) => talk.send(program)).catch(() => {});
    this.over = this.#talk.then(
      async (talk) => {
        const cause = await talk.ended;
        this.#end(new ReaderLost(cause.message, { cause }));
      },
      (error: Error) => this.#end(error),
    );
    const heartbeat = setInterval(() => this.#send(Buffer.alloc(4)), HEARTBEAT_MS).unref();
    void this.over.then(() => clearInterval(heartbeat));
  }

  get isOpen(): boolean {
    return this.#endedBecause === undefined && !this.#isLeaving;
  }

  ask(questions: readonly Question[]): readonly Promise<Answer<Fields>>[] {
    const numbered = questions.map((question) => ({ id: this.#nextId++, question }));
    if (this.#pending.size === 0) this.#bytes = 0;
    const frame = encodeFrame(numbered);
    // Pending from now on: what ends before it is sent ends for it too.
    const answers = numbered.map(
      ({ id, question }) =>
        new Promise<Answer<Fields>>((resolve, reject) =>
          this.#pending.set(id, { question, sentAtMs: 0, resolve, reject }),
        ),
    );
    this.#send(frame, () => {
      const sentAtMs = performance.now();
      for (const { id } of numbered) {
        const pending = this.#pending.get(id);
        if (pending !== undefined) this.#pending.set(id, { ...pending, sentAtMs });
      }
      this.#expectAnswer();
    });
    return answers;
  }

  async end(): Promise<void> {
    this.#isLeaving = true;
    const talk = await this.#talk.catch(() => undefined);
    await talk?.close();
  }

  #send(frame: Buffer, before: () => void = () => {}): void {
    this.#sending = this.#sending.then(async () => {
      if (this.#endedBecause !== undefined) return;
      const talk = await this.#talk;
      before();
      await talk.send(frame);
    });
  }

  #hear(bytes: Buffer): void {
    if (this.#endedBecause !== undefined) return;
    const told: (() => void)[] = [];
    try {
      this.#bytes += bytes.length;
      if (this.#bytes > MOST_BYTES) throw new Error("answered more than is kept");
      for (const { id, bytes: said } of this.#stream.push(bytes)) {
        const pending = this.#pending.get(id);
        if (pending === undefined) throw new Error("answered what it was not asked");
        const { question, sentAtMs, resolve } = pending;
        const answer =
          question[0] === "clock"
            ? timed(decodeAnswer(said), sentAtMs)
            : sharedAnswer(question, said, decodeAnswer);
        this.#pending.delete(id);
        told.push(() => resolve(answer));
      }
      this.#expectAnswer();
    } catch (error) {
      this.#give(new ReaderLost(`the reader ${(error as Error).message}`));
    }
    if (told.length > 0)
      void turn().then(() => {
        for (const tell of told) tell();
      });
  }

  #expectAnswer(): void {
    this.#silence?.clear();
    if (this.#pending.size === 0) {
      if (this.#isLeaving) void this.end();
      return;
    }
    this.#silence = deadline(SILENCE_MS, () =>
      this.#give(new ReaderLost(`the reader said nothing for ${SILENCE_MS / 1000} s`, { isSilent: true })),
    );
  }

  #giveWay(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    if (this.#pending.size === 0) void this.end();
    else {
      const timer = setTimeout(
        () => this.#give(new ReaderLost("the reader gave way to a change")),
        GIVE_WAY_MS,
      );
      void this.over.then(() => clearTimeout(timer));
    }
  }

  /** Gives it up: what it was asked is lost. */
  #give(because: ReaderLost): void {
    this.#end(because);
    void this.end();
  }

  #end(error: Error): void {
    if (this.#endedBecause !== undefined) return;
    this.#endedBecause = error;
    this.#silence?.clear();
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}

/** The host's time with the two moments of ours that it lies between. */
function timed(answer: Answer<Fields>, sentAtMs: number): Answer<Fields> {
  if (answer.is !== "value") return answer;
  return {
    is: "value",
    value: [...answer.value, Buffer.from(`${sentAtMs}`), Buffer.from(`${performance.now()}`)],
  };
}
