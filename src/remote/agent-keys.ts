import ssh2, {
  type IdentityCallback,
  type ParsedKey,
  type SignCallback,
  type SigningRequestOptions,
} from "ssh2";
import { listAgentKeys } from "./agent-list.ts";
import { fingerprint, keyTypeOf } from "./known-hosts.ts";
import { unsupportedType, whyNotSign } from "./private-key.ts";

const LIST_TIMEOUT_MS = 5_000;

/** What becomes of the agent's keys, told while they are offered. */
export interface AgentUse {
  /** Which keys to offer, in order, by their wire encodings: servers count every one (MaxAuthTries). */
  readonly choose: (held: readonly Buffer[]) => readonly Buffer[];
  readonly offered: (what: string, publicKey: Buffer) => void;
  /** A key that was chosen and that ssh2 cannot use. */
  readonly unusable: (because: string) => void;
  /** The agent is asked for a signature, which may need a person; undefined once it has answered. */
  readonly signing: (what: string | undefined) => void;
}

/** The keys of an SSH agent, in an order of our own. */
export class AgentKeys extends ssh2.BaseAgent<ParsedKey> {
  readonly #socketPath: string;
  readonly #agent: ssh2.OpenSSHAgent;
  readonly #use: AgentUse;

  constructor(socketPath: string, use: AgentUse) {
    super();
    this.#socketPath = socketPath;
    this.#agent = new ssh2.OpenSSHAgent(socketPath);
    this.#use = use;
  }

  override getIdentities(callback: IdentityCallback<ParsedKey>): void {
    listAgentKeys(this.#socketPath, LIST_TIMEOUT_MS).then((held) => {
      const offered = this.#use.choose(held).flatMap((blob) => {
        const what = nameOf(blob);
        const because = unsupportedType(keyTypeOf(blob));
        // The types do not say that it takes a public key's wire encoding, which is what an agent hands out.
        const key: ParsedKey | Error = ssh2.utils.parseKey(blob as never) as ParsedKey | Error;
        if (because !== undefined || key instanceof Error) {
          this.#use.unusable(`${what} cannot be used: ${because ?? (key as Error).message}`);
          return [];
        }
        this.#use.offered(what, blob);
        return [key];
      });
      callback(undefined, offered);
    }, callback);
  }

  override sign(
    key: ParsedKey,
    data: Buffer,
    options: SigningRequestOptions | SignCallback,
    callback?: SignCallback,
  ): void {
    const answer = typeof options === "function" ? options : callback;
    const signed: SignCallback = (error, signature) => {
      this.#use.signing(undefined);
      answer?.(error, signature);
    };
    const because = whyNotSign(key, typeof options === "function" ? undefined : options.hash);
    if (because !== undefined) {
      answer?.(new Error(because));
      return;
    }
    this.#use.signing(nameOf(key.getPublicSSH()));
    if (typeof options === "function") this.#agent.sign(key, data, signed);
    else this.#agent.sign(key, data, options, signed);
  }
}

function nameOf(publicKey: Buffer): string {
  return `agent key ${fingerprint(publicKey)}`;
}
