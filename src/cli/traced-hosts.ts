import type { HostName } from "../contract/inventory-view.ts";
import { type AnsweringReader, readThrough } from "../engine/readers.ts";
import { maskForeignSecrets } from "../foreign-secrets.ts";
import type { Answer } from "../reader/answer.ts";
import type { Fields, Question } from "../reader/protocol.ts";
import { keyOf } from "../reader/recording.ts";
import type { Held, Outcome, Remote, RunOptions, Talk, TalkOptions } from "../remote/remote.ts";
import { shownText } from "./shown.ts";

/** Says a text of one line or more, which ends with a line break. */
type Say = (text: string) => void;

/** Of a file with a thousand lines the first are shown: `--record` keeps all. */
const MOST_LINES = 40;
const MOST_IN_A_LINE = 400;
/** What a script hands to a block of its own (script-block.ts): in base64, which hides a secret from the mask. */
const INPUT = /^(base64 -d <<'(meshctl_\w+_input)' \| \{\n)[\s\S]*?^(?=\2$)/gm;
/** The content of a file in what a script answers (evidence/prelude.sh), in base64 as well. */
const CONTENT = /^(file\t(?:[^\t\n]*\t){7})[^\t\n]+$/gm;

/** The same hosts; every script that is run on one, every question and what came back is said, secrets masked. */
export function tracedHosts(remoteOf: (host: HostName) => Remote, say: Say): (host: HostName) => Remote {
  const hosts = new Map<HostName, Remote>();
  return (host) => {
    const known = hosts.get(host) ?? traced(remoteOf(host), say);
    hosts.set(host, known);
    return known;
  };
}

function traced(remote: Remote, say: Say): Remote {
  const host = new TracedRemote(remote, say);
  readThrough(host, (reader) => new TracedReader(host.host, reader, say));
  return host;
}

/** Asks on, and says what was asked and answered. */
export class TracedReader implements AnsweringReader {
  readonly #host: HostName;
  readonly #reader: AnsweringReader;
  readonly #say: Say;

  constructor(host: HostName, reader: AnsweringReader, say: Say) {
    this.#host = host;
    this.#reader = reader;
    this.#say = say;
  }

  ask(questions: readonly Question[]): readonly Promise<Answer<Fields>>[] {
    return this.#reader.ask(questions).map(async (answering, at) => {
      const answer = await answering;
      this.#say(block(`${this.#host} ? ${keyOf(questions[at]!)}`, answerText(answer)));
      return answer;
    });
  }
}

function answerText(answer: Answer<Fields>): string {
  if (answer.is === "value") return answer.value.map(fieldText).join("\n");
  return answer.is === "absent" ? "absent" : `unreadable: ${answer.because}`;
}

function fieldText(field: Buffer): string {
  const text = field.toString();
  return Buffer.from(text).equals(field) ? text : `(${field.length} bytes)`;
}

class TracedRemote implements Remote {
  readonly #remote: Remote;
  readonly #say: Say;

  constructor(remote: Remote, say: Say) {
    this.#remote = remote;
    this.#say = say;
  }

  get host(): HostName {
    return this.#remote.host;
  }

  get execs(): number {
    return this.#remote.execs;
  }

  run(script: string, options: RunOptions): Promise<Outcome> {
    return this.#told(script, options, this.#remote.run(script, options), ({ exitCode, stdout, stderr }) => [
      `exit code ${exitCode}`,
      `${stdout.replaceAll(CONTENT, "$1(not shown)")}${stderr}`,
    ]);
  }

  hold(script: string, options: RunOptions): Promise<Held> {
    return this.#told(script, options, this.#remote.hold(script, options), ({ firstLine }) => [
      "held",
      firstLine,
    ]);
  }

  talk(script: string, options: TalkOptions): Promise<Talk> {
    return this.#remote.talk(script, options);
  }

  anew(): Remote {
    return traced(this.#remote.anew(), this.#say);
  }

  end(): Promise<void> {
    return this.#remote.end();
  }

  async #told<T>(
    script: string,
    { during }: Pick<RunOptions, "during">,
    running: Promise<T>,
    answer: (ended: T) => readonly [string, string],
  ): Promise<T> {
    const title = `${this.host} $ ${during}`;
    this.#say(block(title, script.replaceAll(INPUT, "$1(not shown)\n"), Number.POSITIVE_INFINITY));
    try {
      const ended = await running;
      const [how, said] = answer(ended);
      this.#say(block(`${title}: ${how}`, said));
      return ended;
    } catch (error) {
      this.#say(block(`${title}: ${(error as Error).message}`, ""));
      throw error;
    }
  }
}

function block(title: string, text: string, most = MOST_LINES): string {
  const lines = maskForeignSecrets(shownText(text)).trimEnd().split("\n");
  const shown = lines.slice(0, most).map(short);
  if (lines.length > shown.length) shown.push(`… ${lines.length - shown.length} more lines`);
  const body = shown.filter((line) => line !== "").map((line) => `    ${line}\n`);
  return `${short(maskForeignSecrets(shownText(title)))}\n${body.join("")}`;
}

function short(line: string): string {
  return line.length > MOST_IN_A_LINE ? `${line.slice(0, MOST_IN_A_LINE)}…` : line;
}
