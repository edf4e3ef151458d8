import type { HostName } from "../inventory/view.ts";
import type { Secret } from "../secret.ts";

/** Asks a person for the password that sudo wants; undefined when there is no answer. */
export type AskSudoPassword = (host: HostName, user: string) => Promise<Secret | undefined>;

/** How a host answered. "unknown": it was lost before it said. */
type Answer = "taken" | "refused" | "unknown";

export type Typed =
  /** It may be sent to the host, and `answered` must be called with what the host made of it. */
  | { readonly is: "password"; readonly password: Secret; readonly answered: (answer: Answer) => void }
  | { readonly is: "nothing" }
  /** Another host refused it: it is not tried on the rest, or a typing error would lock the user out everywhere. */
  | { readonly is: "refused"; readonly by: HostName };

/**
 * A user's password for sudo, typed once for all hosts that want one. The first host tries it alone; the others wait
 * for its answer.
 */
export class TypedPassword {
  readonly #ask: (host: HostName) => Promise<Secret | undefined>;
  #asked: Promise<Secret | undefined> | undefined;
  #trial: Promise<Answer> | undefined;
  #refusedBy: HostName | undefined;

  constructor(ask: (host: HostName) => Promise<Secret | undefined>) {
    this.#ask = ask;
  }

  async for(host: HostName): Promise<Typed> {
    for (;;) {
      if (this.#refusedBy !== undefined) return { is: "refused", by: this.#refusedBy };
      if (this.#trial === undefined) break;
      const answer = await this.#trial;
      if (answer === "taken") return this.#use(host, () => {});
      // Lost on the way: the next in line tries it.
    }
    let answered!: (answer: Answer) => void;
    const trial = new Promise<Answer>((resolve) => {
      answered = resolve;
    });
    this.#trial = trial;
    return this.#use(host, (answer) => {
      if (answer === "refused") this.#refusedBy = host;
      if (answer === "unknown" && this.#trial === trial) this.#trial = undefined;
      answered(answer);
    });
  }

  async #use(host: HostName, answered: (answer: Answer) => void): Promise<Typed> {
    this.#asked ??= this.#ask(host);
    const password = await this.#asked;
    if (password === undefined) {
      answered("unknown");
      return { is: "nothing" };
    }
    return { is: "password", password, answered };
  }
}
