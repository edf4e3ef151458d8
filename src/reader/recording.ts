import type { Answer } from "./answer.ts";
import type { Ask, Fields, Question } from "./protocol.ts";

/** What hosts answered, as JSON: question → answer, whatever order they came in. Fields are text, or bytes in base64. */
export type Recording = { [question: string]: RecordedAnswer };

type RecordedAnswer =
  | { readonly is: "value"; readonly value: readonly (string | { readonly base64: string })[] }
  | { readonly is: "absent" }
  | { readonly is: "unreadable"; readonly because: string };

/** The recording has no answer to a question. */
class NotRecorded extends Error {
  override readonly name = "NotRecorded";
}

/** Asks on, and writes down what is answered. */
export function recordTo(recording: Recording, ask: Ask): Ask {
  return async (question) => {
    const answer = await ask(question);
    recording[keyOf(question)] = recordedOf(answer);
    return answer;
  };
}

function recordedOf(answer: Answer<Fields>): RecordedAnswer {
  if (answer.is === "value") return { is: "value", value: answer.value.map(asText) };
  return answer.is === "absent" ? answer : { is: "unreadable", because: answer.because };
}

/** Answers as the recording does. Throws NotRecorded with the question that it lacks. */
export function askRecording(recording: Readonly<Recording>): Ask {
  return async (question): Promise<Answer<Fields>> => {
    const key = keyOf(question);
    const answer = recording[key];
    if (answer === undefined) throw new NotRecorded(`the recording has no answer to: ${key}`);
    return answer.is === "value" ? { is: "value", value: answer.value.map(asBytes) } : answer;
  };
}

/** As a person reads it: words parted by blanks, in quotes where they hold any or are empty. */
export function keyOf(question: Question): string {
  return question.map((word) => (/^[^\s"]+$/.test(word) ? word : JSON.stringify(word))).join(" ");
}

function asText(field: Buffer): string | { readonly base64: string } {
  const text = field.toString();
  return Buffer.from(text).equals(field) ? text : { base64: field.toString("base64") };
}

function asBytes(field: string | { readonly base64: string }): Buffer {
  return typeof field === "string" ? Buffer.from(field) : Buffer.from(field.base64, "base64");
}
