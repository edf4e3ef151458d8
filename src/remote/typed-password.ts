import type { HostName } from "../contract/inventory-view.ts";
import type { Secret } from "../secret.ts";

/** Asks a person for the password that sudo wants; undefined when there is no answer. */
export type AskSudoPassword = (host: HostName, user: string) => Promise<Secret | undefined>;

/** How a host answered. "unknown": it was lost before it said. */
type Answer = "taken" | "refused" | "unknown";

export type Typed =
  /** It may be sent to the host, and `answered` must be called with what the host made of it; once is enough. */
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
    let resolve!: (answer: Answer) => void;
    const trial = new Promise<Answer>((settle) => {
      resolve = settle;
    });
    this.#trial = trial;
    let isAnswered = false;
    return this.#use(host, (answer) => {
      // What the host made of it counts once: that it is lost later says nothing about the password.
      if (isAnswered) return;
      isAnswered = true;
      if (answer === "refused") this.#refusedBy = host;
      if (answer === "unknown") this.#trial = undefined;
      resolve(answer);
    });
  }

  async #use(host: HostName, answered: (answer: Answer) => void): Promise<Typed> {
    let password: Secret | undefined;
    try {
      this.#asked ??= this.#ask(host);
      password = await this.#asked;
    } catch (error) {
      answered("unknown");
      throw error;
    }
    if (password === undefined) {
      answered("unknown");
      return { is: "nothing" };
    }
    return { is: "password", password, answered };
  }
}
