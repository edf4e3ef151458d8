import type { ParsedKey } from "ssh2";
import type { Secret } from "../secret.ts";
import { parsePrivateKey } from "./private-key.ts";

/** Asks a person for the passphrase of a key file; undefined when there is nobody to ask, or no answer. */
export type AskPassphrase = (file: string, isAgain: boolean) => Promise<Secret | undefined>;

/** As ssh does: a slip of the finger is not the end. Nothing is sent to a host before the key is open. */
const MOST_ASKED = 3;

/** Opened private keys of one run: each is asked for and decrypted once, however many hosts want it. */
export class KeyRing {
  readonly #ask: AskPassphrase | undefined;
  readonly #typed = new Map<string, Promise<ParsedKey | string>>();

  constructor(ask: AskPassphrase | undefined) {
    this.#ask = ask;
  }

  /**
   * The key in `text`, or why there is none. `asking` is called where a person is waited for: that may take long.
   * `passphrase`: the inventory's, which nobody is asked for then.
   */
  async open(
    path: string,
    text: Buffer,
    encrypted: boolean,
    passphrase: Secret | undefined,
    asking: () => void,
  ): Promise<ParsedKey | string> {
    if (!encrypted) return openOr(text, undefined, (message) => `${path} cannot be used: ${message}`);
    if (passphrase !== undefined)
      return openOr(text, passphrase, () => `${path} does not open with the passphrase given`);
    let typed = this.#typed.get(path);
    if (typed === undefined) {
      typed = this.#askFor(path, text);
      this.#typed.set(path, typed);
    }
    asking();
    return typed;
  }

  async #askFor(path: string, text: Buffer): Promise<ParsedKey | string> {
    for (let asked = 0; asked < MOST_ASKED; asked += 1) {
      const passphrase = await this.#ask?.(path, asked > 0);
      if (passphrase === undefined) {
        return asked === 0
          ? `${path} is encrypted and no passphrase is given: ssh-add it, or set ssh.passphrase`
          : `${path} does not open with the passphrase given`;
      }
      const key = parsePrivateKey(text, passphrase);
      if (!(key instanceof Error)) return key;
    }
    return `${path} does not open with the passphrase given`;
  }
}

function openOr(text: Buffer, passphrase: Secret | undefined, refusal: (message: string) => string) {
  const key = parsePrivateKey(text, passphrase);
  return key instanceof Error ? refusal(key.message) : key;
}
