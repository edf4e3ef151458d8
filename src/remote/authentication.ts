import { existsSync } from "node:fs";
import type { AnyAuthMethod, ParsedKey } from "ssh2";
import type { Secret } from "../secret.ts";
import type { AgentUse } from "./agent-keys.ts";
import type { EffectiveSettings } from "./effective-settings.ts";
import type { KeyRing } from "./key-ring.ts";
import { type IdentityFile, readIdentityFile } from "./private-key.ts";
import { sshCommand } from "./ssh-command.ts";

const MORE_THAN_PASSWORD = "it asks for more than a password";

export interface Credentials {
  readonly password: Secret | undefined;
  readonly passphrase: Secret | undefined;
}

interface NamedFile {
  readonly path: string;
  readonly file: IdentityFile;
}

/**
 * Offers a host what there is, in OpenSSH's order: agent, key files, password. Each is offered once: bad
 * credentials are never repeated, or the host would lock the address out (PerSourcePenalties).
 */
export class Authentication {
  /** What was offered, and what could not be, in words for the message when all of it fails. */
  readonly offered: string[] = [];
  readonly notes: string[] = [];
  /** True while a person is being asked, or may be. */
  isAsking = false;
  /** How often a person was waited for so far. */
  waits = 0;
  /** The key that the agent was asked to sign with and has not. */
  signing: string | undefined;
  readonly #settings: EffectiveSettings;
  readonly #credentials: Credentials;
  readonly #keyRing: KeyRing;
  readonly #attempts: AsyncGenerator<AnyAuthMethod, void, void>;
  #accepted: readonly string[] | undefined;
  #isPartial = false;
  #isPasswordSent = false;

  constructor(settings: EffectiveSettings, credentials: Credentials, keyRing: KeyRing) {
    this.#settings = settings;
    this.#credentials = credentials;
    this.#keyRing = keyRing;
    this.#attempts = this.#inOrder();
  }

  /** Whether a password went to the host: one more wrong one may lock the user out. */
  get isPasswordSent(): boolean {
    return this.#isPasswordSent;
  }

  /**
   * The next thing to offer, or undefined when nothing is left. `accepted`: what the host still accepts, if it said;
   * `isPartial`: whether it took the last thing and wants another beside it.
   */
  async next(accepted: readonly string[] | null, isPartial: boolean): Promise<AnyAuthMethod | undefined> {
    if (accepted !== null) this.#accepted = accepted;
    this.#isPartial = isPartial;
    const { value } = await this.#attempts.next();
    return value ?? undefined;
  }

  /** One sentence for when nothing was accepted. */
  get failure(): string {
    const { user } = this.#settings;
    const offered =
      this.offered.length === 0 ? "nothing could be offered" : `refused: ${this.offered.join(", ")}`;
    const accepts = this.#accepted === undefined ? "" : `; it accepts ${this.#accepted.join(", ")}`;
    const notes = this.notes.length === 0 ? "" : ` (${this.notes.join("; ")})`;
    return `${user.value} is not let in: ${offered}${accepts}${notes}. Try: ${sshCommand(this.#settings, "-v")}`;
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
    if (password === undefined) {
      if (["password", "keyboard-interactive"].some((method) => this.#accepted?.includes(method)))
        this.notes.push("it would take a password, and ssh.password is not set");
      return;
    }
    if (this.#accepts("password")) {
      this.offered.push("password");
      this.#isPasswordSent = true;
      yield { type: "password", username, password: password.reveal() };
      // Most hosts have PAM judge both ways: the same wrong password would count twice.
      if (!this.#isPartial) return;
    }
    if (this.#accepts("keyboard-interactive")) yield this.#keyboardInteractive(username, password);
  }

  async *#keys(username: string): AsyncGenerator<AnyAuthMethod, void, void> {
    const { identityFiles, identitiesOnly, identityAgent } = this.#settings;
    const explicit = identityFiles.from !== "default";
    const files: NamedFile[] = await Promise.all(
      identityFiles.value.map(async (path) => ({ path, file: await readIdentityFile(path) })),
    );
    const named = files.flatMap(({ file }) =>
      "publicKey" in file && file.publicKey !== undefined ? [file.publicKey] : [],
    );
    const isNamed = (blob: Buffer) => named.some((other) => other.equals(blob));
    const inAgent = new Set<string>();
    const agent = async (choose: AgentUse["choose"]): Promise<AnyAuthMethod[]> => {
      if (identityAgent.value === undefined) return [];
      // It extends a class of ssh2, and is loaded with it.
      const { AgentKeys } = await import("./agent-keys.ts");
      const keys = new AgentKeys(identityAgent.value, {
        choose,
        offered: (what, blob) => {
          this.offered.push(what);
          inAgent.add(blob.toString("base64"));
        },
        unusable: (because) => this.notes.push(because),
        signing: (what) => {
          this.signing = what;
        },
      });
      return [{ type: "agent", username, agent: keys }];
    };
    yield* await agent((held) => named.flatMap((blob) => held.filter((other) => other.equals(blob))));
    const missed = files.filter(
      ({ file }) =>
        !(
          "publicKey" in file &&
          file.publicKey !== undefined &&
          inAgent.has(file.publicKey.toString("base64"))
        ),
    );
    // Keys that somebody named and that need no typing go before an agent full of others (MaxAuthTries).
    const isReady = ({ file }: NamedFile) =>
      explicit && !(file.is === "private" && file.encrypted && this.#credentials.passphrase === undefined);
    yield* this.#keyFiles(username, missed.filter(isReady), explicit);
    // As ssh does, unless told that only the named ones count; and the inventory names what it wants.
    if (!identitiesOnly.value && identityFiles.from !== "inventory" && this.#accepts("publickey"))
      yield* await agent((held) => held.filter((blob) => !isNamed(blob)));
    yield* this.#keyFiles(
      username,
      missed.filter((file) => !isReady(file)),
      explicit,
    );
    for (const path of this.#settings.certificateFiles.value) {
      this.notes.push(`${path} is not used: certificates are not supported`);
    }
  }

  async *#keyFiles(
    username: string,
    files: readonly NamedFile[],
    explicit: boolean,
  ): AsyncGenerator<AnyAuthMethod, void, void> {
    for (const { path, file } of files) {
      // A key that got half of the way in leaves only the other half to offer.
      if (!this.#accepts("publickey")) return;
      const key = await this.#privateKey(path, file, explicit);
      if (key === undefined) continue;
      this.offered.push(`key file ${path}`);
      if (existsSync(`${path}-cert.pub`)) {
        this.notes.push(`${path}-cert.pub is not used: certificates are not supported`);
      }
      yield { type: "publickey", username, key };
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
        return this.#open(path, file.text, file.encrypted);
    }
  }

  async #open(path: string, text: Buffer, encrypted: boolean): Promise<ParsedKey | undefined> {
    const key = await this.#keyRing.open(path, text, encrypted, this.#credentials.passphrase, () => {
      this.isAsking = true;
      this.waits += 1;
    });
    this.isAsking = false;
    if (typeof key !== "string") return key;
    this.notes.push(key);
    return undefined;
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
          this.#isPasswordSent = true;
          finish([password.reveal()]);
          return;
        }
        // It may ask for as long as it likes.
        if (!this.notes.includes(MORE_THAN_PASSWORD)) this.notes.push(MORE_THAN_PASSWORD);
        finish(prompts.map(() => ""));
      },
    };
  }
}
