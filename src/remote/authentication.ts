import { existsSync } from "node:fs";
import type { AnyAuthMethod, ParsedKey } from "ssh2";
import type { Secret } from "../secret.ts";
import { AgentKeys } from "./agent-keys.ts";
import type { EffectiveSettings } from "./effective-settings.ts";
import { type IdentityFile, parsePrivateKey, readIdentityFile } from "./private-key.ts";

/** Asks a person for the passphrase of a key file; undefined when there is nobody to ask. */
export type AskPassphrase = (file: string) => Promise<Secret | undefined>;

export interface Credentials {
  readonly password: Secret | undefined;
  readonly passphrase: Secret | undefined;
}

/**
 * Offers a host what there is, in OpenSSH's order: agent, key files, password. Each is offered once: bad
 * credentials are never repeated, or the host would lock the address out (PerSourcePenalties).
 */
export class Authentication {
  /** What was offered, and what could not be, in words for the message when all of it fails. */
  readonly offered: string[] = [];
  readonly notes: string[] = [];
  readonly #settings: EffectiveSettings;
  readonly #credentials: Credentials;
  readonly #askPassphrase: AskPassphrase | undefined;
  readonly #attempts: AsyncGenerator<AnyAuthMethod, void, void>;
  #accepted: readonly string[] | undefined;

  constructor(
    settings: EffectiveSettings,
    credentials: Credentials,
    askPassphrase: AskPassphrase | undefined,
  ) {
    this.#settings = settings;
    this.#credentials = credentials;
    this.#askPassphrase = askPassphrase;
    this.#attempts = this.#inOrder();
  }

  /** The next thing to offer, or undefined when nothing is left. `accepted`: what the host still accepts, if it said. */
  async next(accepted: readonly string[] | null): Promise<AnyAuthMethod | undefined> {
    if (accepted !== null) this.#accepted = accepted;
    const { value } = await this.#attempts.next();
    return value ?? undefined;
  }

  /** One sentence for when nothing was accepted. */
  get failure(): string {
    const { user, alias } = this.#settings;
    const offered =
      this.offered.length === 0 ? "nothing could be offered" : `refused: ${this.offered.join(", ")}`;
    const accepts = this.#accepted === undefined ? "" : `; it accepts ${this.#accepted.join(", ")}`;
    const notes = this.notes.length === 0 ? "" : ` (${this.notes.join("; ")})`;
    return `${user.value} is not let in: ${offered}${accepts}${notes}. Try: ssh -v ${user.value}@${alias}`;
  }

  #accepts(method: string): boolean {
    return this.#accepted === undefined || this.#accepted.includes(method);
  }

  async *#inOrder(): AsyncGenerator<AnyAuthMethod, void, void> {
    const username = this.#settings.user.value;
    // Asks what is accepted, and gets in where nothing is asked for. OpenSSH begins so, too.
    yield { type: "none", username };
    if (this.#accepts("publickey")) yield* this.#keys(username);
    const password = this.#credentials.password;
    if (password === undefined) return;
    if (this.#accepts("password")) {
      this.offered.push("password");
      yield { type: "password", username, password: password.reveal() };
    }
    if (this.#accepts("keyboard-interactive")) yield this.#keyboardInteractive(username, password);
  }

  async *#keys(username: string): AsyncGenerator<AnyAuthMethod, void, void> {
    const { identityFiles, identitiesOnly, identityAgent } = this.#settings;
    const explicit = identityFiles.from !== "default";
    const files: { path: string; file: IdentityFile }[] = await Promise.all(
      identityFiles.value.map(async (path) => ({ path, file: await readIdentityFile(path) })),
    );
    const inAgent = new Set<string>();
    if (identityAgent.value !== undefined) {
      const named = files.flatMap(({ file }) =>
        "publicKey" in file && file.publicKey !== undefined ? [file.publicKey] : [],
      );
      const agent = new AgentKeys(
        identityAgent.value,
        named,
        explicit || identitiesOnly.value,
        (what, blob) => {
          this.offered.push(what);
          inAgent.add(blob.toString("base64"));
        },
      );
      yield { type: "agent", username, agent };
    }
    for (const { path, file } of files) {
      // A key that got half of the way in leaves only the other half to offer.
      if (!this.#accepts("publickey")) return;
      if (
        "publicKey" in file &&
        file.publicKey !== undefined &&
        inAgent.has(file.publicKey.toString("base64"))
      )
        continue;
      const key = await this.#privateKey(path, file, explicit);
      if (key === undefined) continue;
      this.offered.push(`key file ${path}`);
      if (existsSync(`${path}-cert.pub`)) {
        this.notes.push(`${path}-cert.pub is not used: certificates are not supported`);
      }
      yield { type: "publickey", username, key };
    }
    for (const path of this.#settings.certificateFiles.value) {
      this.notes.push(`${path} is not used: certificates are not supported`);
    }
  }

  async #privateKey(path: string, file: IdentityFile, explicit: boolean): Promise<ParsedKey | undefined> {
    switch (file.is) {
      case "missing":
        if (explicit) this.notes.push(`${path} does not exist`);
        return undefined;
      case "unreadable":
        this.notes.push(`${path} cannot be read: ${file.because}`);
        return undefined;
      case "unsupported":
        this.notes.push(`${path} cannot be used: ${file.because}`);
        return undefined;
      case "public":
        this.notes.push(`${path} is a public key, and the agent does not have its private half`);
        return undefined;
      case "private":
        return this.#decrypt(path, file.text, file.encrypted);
    }
  }

  async #decrypt(path: string, text: Buffer, encrypted: boolean): Promise<ParsedKey | undefined> {
    let passphrase: Secret | undefined;
    if (encrypted) {
      passphrase = this.#credentials.passphrase ?? (await this.#askPassphrase?.(path));
      if (passphrase === undefined) {
        this.notes.push(`${path} is encrypted and no passphrase is given: ssh-add it, or set ssh.passphrase`);
        return undefined;
      }
    }
    const key = parsePrivateKey(text, passphrase);
    if (key instanceof Error) {
      this.notes.push(
        encrypted
          ? `${path} does not open with the passphrase given`
          : `${path} cannot be used: ${key.message}`,
      );
      return undefined;
    }
    return key;
  }

  #keyboardInteractive(username: string, password: Secret): AnyAuthMethod {
    this.offered.push("password (keyboard-interactive)");
    let answered = false;
    return {
      type: "keyboard-interactive",
      username,
      prompt: (_name, _instructions, _language, prompts, finish) => {
        // One hidden question is the password; anything else (a second factor) has no answer here.
        if (prompts.length === 1 && prompts[0]?.echo !== true && !answered) {
          answered = true;
          finish([password.reveal()]);
          return;
        }
        this.notes.push("it asks for more than a password");
        finish(prompts.map(() => ""));
      },
    };
  }
}
