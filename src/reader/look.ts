import type { Answer } from "./answer.ts";
import { type HostReader, ReaderLost } from "./host-reader.ts";
import type { Ask, Fields, Question } from "./protocol.ts";

/** How often a reader that ends is started again within one look. */
const MOST_RESTARTS = 1;

interface Waiting {
  readonly question: Question;
  resolve(answer: Answer<Fields>): void;
  reject(error: unknown): void;
}

/**
 * One look at a host: the same question is asked once, and all that is asked in one tick goes in one frame. A reader that
 * ends is started once more, and what it had not answered is asked again; what it then does not answer is unreadable, and
 * so is what one that stands still does not answer.
 * Rejects as `Remote.talk` does when the host cannot be reached.
 */
export function lookThrough(reader: Pick<HostReader, "ask">): Ask {
  const known = new Map<string, Promise<Answer<Fields>>>();
  const lost = new Set<Error>();
  let queue: Waiting[] = [];

  const flush = () => {
    const asked = queue;
    queue = [];
    const answers = reader.ask(asked.map(({ question }) => question));
    for (const [index, waiting] of asked.entries()) {
      answers[index]!.then(waiting.resolve, (error: unknown) => {
        if (!(error instanceof ReaderLost)) return waiting.reject(error);
        lost.add(error);
        if (lost.size <= MOST_RESTARTS && !error.isSilent) return enqueue(waiting);
        const { cause } = error;
        waiting.resolve({
          is: "unreadable",
          because: error.message,
          ...(cause instanceof Error ? { cause } : {}),
        });
      });
    }
  };
  const enqueue = (waiting: Waiting) => {
    queue.push(waiting);
    if (queue.length === 1) setImmediate(flush);
  };

  const ask = (question: Question) => {
    const key = question.join("\0");
    const answer =
      known.get(key) ??
      new Promise<Answer<Fields>>((resolve, reject) => enqueue({ question, resolve, reject }));
    known.set(key, answer);
    return answer;
  };
  return Object.assign(ask, { anew: () => lookThrough(reader) });
}
