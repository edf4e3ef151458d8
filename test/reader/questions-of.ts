import type { AnyStep } from "../../src/contract/step.ts";
import { NotRead } from "../../src/reader/answer.ts";
import type { Question } from "../../src/reader/protocol.ts";
import { Reader } from "../../src/reader/reader.ts";

/** What a step asks of a host on which nothing is. */
export async function questionsOf(step: AnyStep, desired: unknown): Promise<readonly Question[]> {
  const questions: Question[] = [];
  const ask = async (question: Question) => {
    questions.push(question);
    return { is: "absent" } as const;
  };
  try {
    await step.look(new Reader(ask), desired);
  } catch (error) {
    // Of such a host nothing can be told; it has been asked.
    if (!(error instanceof NotRead)) throw error;
  }
  return questions;
}
