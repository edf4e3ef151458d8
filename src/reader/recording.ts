import { maskForeignSecrets } from "../foreign-secrets.ts";
import { MASK, maskSecrets } from "../secret.ts";
import type { Answer } from "./answer.ts";
import type { HostReader } from "./host-reader.ts";
import type { Ask, Fields, Question } from "./protocol.ts";

/** What hosts answered, as JSON: question → answer, whatever order they came in. Fields are text, or bytes in base64. */
export type Recording = { [question: string]: RecordedAnswer };

type RecordedAnswer =
  | { readonly is: "value"; readonly value: (string | { readonly base64: string })[] }
  | { readonly is: "absent" }
  | { readonly is: "unreadable"; readonly because: string };

/** The recording has no answer to a question: for tests, which should fail by it. */
class NotRecorded extends Error {
  override readonly name = "NotRecorded";
}

/** The clock of this process, which the answer to this question goes by. */
const CLOCK = "clock";

/** Notes what a host's reader answers, with all secrets that are known masked. A later answer replaces an earlier one. */
export class RecordingReader implements Pick<HostReader, "ask"> {
  readonly #reader: Pick<HostReader, "ask">;
  readonly #recording: Recording;

  constructor(reader: Pick<HostReader, "ask">, recording: Recording) {
    this.#reader = reader;
    this.#recording = recording;
  }

  ask(questions: readonly Question[]): readonly Promise<Answer<Fields>>[] {
    const note = (question: Question) => (answer: Answer<Fields>) => {
      const key = mask(keyOf(question));
      const recorded = recordedOf(answer, mask);
      if (question[0] !== CLOCK) this.#recording[key] = recorded;
      // The quickest of several is the one that counts.
      else if (widthOf(recorded) <= widthOf(this.#recording[key]))
        this.#recording[key] = shifted(recorded, 1);
      return answer;
    };
    return this.#reader.ask(questions).map((answer, at) => answer.then(note(questions[at]!)));
  }
}

/** Answers as a recording does; what it does not hold is unreadable, and says so by the question's name. */
export class RecordedReader implements Pick<HostReader, "ask"> {
  readonly #recording: Readonly<Recording>;

  constructor(recording: Readonly<Recording>) {
    this.#recording = recording;
  }

  ask(questions: readonly Question[]): readonly Promise<Answer<Fields>>[] {
    return questions.map(async (question): Promise<Answer<Fields>> => {
      const key = mask(keyOf(question));
      const answer = this.#recording[key];
      if (answer === undefined) return { is: "unreadable", because: lacks(key) };
      return answerOf(question[0] === CLOCK ? shifted(answer, -1) : answer);
    });
  }
}

function mask(text: string): string {
  return maskForeignSecrets(maskSecrets(text));
}

/** A question of every property of a unit has a whole paragraph. */
const MOST_SHOWN = 80;

function lacks(key: string): string {
  const shown = key.length > MOST_SHOWN ? `${key.slice(0, MOST_SHOWN)}…` : key;
  return `the recording has no answer to: ${shown}`;
}

/** Our own moments of a clock's answer, from performance.now() to milliseconds since 1970, or back. */
function shifted(answer: RecordedAnswer, direction: 1 | -1): RecordedAnswer {
  if (answer.is !== "value") return answer;
  const [host, ...moments] = answer.value;
  const move = (moment: unknown) => `${Number(moment) + direction * performance.timeOrigin}`;
  return { is: "value", value: [host!, ...moments.map(move)] };
}

/** Between our two moments of a clock's answer. */
function widthOf(answer: RecordedAnswer | undefined): number {
  if (answer?.is !== "value") return Number.POSITIVE_INFINITY;
  return Number(answer.value[2]) - Number(answer.value[1]);
}

/** Asks on, and writes down what is answered. */
export function recordTo(recording: Recording, ask: Ask): Ask {
  return async (question) => {
    const answer = await ask(question);
    recording[keyOf(question)] = recordedOf(answer, (text) => text);
    return answer;
  };
}

function recordedOf(answer: Answer<Fields>, show: (text: string) => string): RecordedAnswer {
  if (answer.is === "value") return { is: "value", value: answer.value.map((field) => asText(field, show)) };
  return answer.is === "absent" ? answer : { is: "unreadable", because: show(answer.because) };
}

function answerOf(answer: RecordedAnswer): Answer<Fields> {
  return answer.is === "value" ? { is: "value", value: answer.value.map(asBytes) } : answer;
}

/** Answers as the recording does. Throws NotRecorded with the question that it lacks. */
export function askRecording(recording: Readonly<Recording>): Ask {
  return async (question): Promise<Answer<Fields>> => {
    const key = keyOf(question);
    const answer = recording[key];
    if (answer === undefined) throw new NotRecorded(lacks(key));
    return answerOf(answer);
  };
}

/** As a person reads it: words parted by blanks, in quotes where they hold any or are empty. */
export function keyOf(question: Question): string {
  return question.map((word) => (/^[^\s"]+$/.test(word) ? word : JSON.stringify(word))).join(" ");
}

function asText(field: Buffer, show: (text: string) => string): string | { readonly base64: string } {
  const text = field.toString();
  if (Buffer.from(text).equals(field)) return show(text);
  // Byte by byte: what is around a secret need not be text.
  const shown = show(field.toString("latin1")).replaceAll(MASK, "*".repeat(MASK.length));
  return { base64: Buffer.from(shown, "latin1").toString("base64") };
}

function asBytes(field: string | { readonly base64: string }): Buffer {
  return typeof field === "string" ? Buffer.from(field) : Buffer.from(field.base64, "base64");
}
