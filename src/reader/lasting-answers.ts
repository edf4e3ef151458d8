import type { Answer } from "./answer.ts";
import type { HostReader } from "./host-reader.ts";
import type { Fields, Question } from "./protocol.ts";

/**
 * Questions that are dear to answer and whose answers only packages, files of the boot and people's hands alter. Of what
 * services do by themselves "boot" alone tells: which of them have processes.
 */
const LASTING: ReadonlySet<string> = new Set([
  "boot",
  "boot.changes",
  "boot.lines",
  "candidate",
  "candidate.version",
  "cleans",
  "database.options",
  "database.validation",
  "kernel.writers",
  "manager",
  "packages",
  "packages.altered",
  "tree.damage",
  "virtualization",
]);

/** How long such an answer is taken for what the host would say now. */
const LASTS_MS = 30_000;

interface Kept {
  readonly askedAtMs: number;
  readonly answer: Answer<Fields>;
}

/** What one host answered to questions of this kind, for looks that only wait for a change to show. */
export class LastingAnswers {
  readonly #kept = new Map<string, Kept>();

  /**
   * Asks the host, and keeps what lasts. What it was asked since `sinceMs`, by performance.now(), is not asked again for a
   * while. What was not read is no answer, and is asked again.
   */
  through(reader: Pick<HostReader, "ask">, sinceMs: number): Pick<HostReader, "ask"> {
    return {
      ask: (questions) => {
        const askedAtMs = performance.now();
        const oldestMs = Math.max(sinceMs, askedAtMs - LASTS_MS);
        const known = questions.map((question) => this.#known(question, oldestMs));
        const unknown = questions.filter((_, at) => known[at] === undefined);
        const asked = unknown.length === 0 ? [] : reader.ask(unknown);
        const answers = [...asked].values();
        return questions.map((question, at) => {
          const answer = known[at];
          if (answer !== undefined) return Promise.resolve(answer);
          return this.#keeping(question, askedAtMs, answers.next().value!);
        });
      },
    };
  }

  #known(question: Question, oldestMs: number): Answer<Fields> | undefined {
    const kept = this.#kept.get(keyOf(question));
    return kept !== undefined && kept.askedAtMs >= oldestMs ? kept.answer : undefined;
  }

  #keeping(question: Question, askedAtMs: number, answer: Promise<Answer<Fields>>): Promise<Answer<Fields>> {
    if (!LASTING.has(question[0])) return answer;
    return answer.then((told) => {
      if (told.is === "unreadable") this.#kept.delete(keyOf(question));
      else this.#kept.set(keyOf(question), { askedAtMs, answer: told });
      return told;
    });
  }
}

function keyOf(question: Question): string {
  return question.join("\0");
}
