import ssh2, {
  type IdentityCallback,
  type ParsedKey,
  type SignCallback,
  type SigningRequestOptions,
} from "ssh2";
import { fingerprint } from "./known-hosts.ts";

/**
 * The agent's keys in the order of the identity files that name them. Servers count every key that is offered
 * (MaxAuthTries), so keys that nobody named are left out where `onlyNamed`.
 */
export class AgentKeys extends ssh2.BaseAgent<ParsedKey> {
  readonly #agent: ssh2.OpenSSHAgent;
  readonly #named: readonly Buffer[];
  readonly #onlyNamed: boolean;
  readonly #onOffer: (what: string, publicKey: Buffer) => void;

  constructor(
    socketPath: string,
    named: readonly Buffer[],
    onlyNamed: boolean,
    onOffer: (what: string, publicKey: Buffer) => void,
  ) {
    super();
    this.#agent = new ssh2.OpenSSHAgent(socketPath);
    this.#named = named;
    this.#onlyNamed = onlyNamed;
    this.#onOffer = onOffer;
  }

  override getIdentities(callback: IdentityCallback<ParsedKey>): void {
    this.#agent.getIdentities((error, keys) => {
      if (error !== undefined && error !== null) {
        callback(error);
        return;
      }
      // The agent of ssh2 always parses what it lists.
      const all = (keys ?? []) as ParsedKey[];
      const named = this.#named.flatMap((blob) => all.filter((key) => key.getPublicSSH().equals(blob)));
      const others = this.#onlyNamed ? [] : all.filter((key) => !named.includes(key));
      const offered = [...named, ...others];
      for (const key of offered) {
        const publicKey = key.getPublicSSH();
        this.#onOffer(`agent key ${fingerprint(publicKey)}`, publicKey);
      }
      callback(undefined, offered);
    });
  }

  override sign(
    key: ParsedKey,
    data: Buffer,
    options: SigningRequestOptions | SignCallback,
    callback?: SignCallback,
  ): void {
    if (typeof options === "function") this.#agent.sign(key, data, options);
    else this.#agent.sign(key, data, options, callback);
  }
}
