import { DEADLINES, type Deadlines } from "./deadlines.ts";
import { Dialer } from "./dial.ts";
import type { AskHostKey } from "./host-key.ts";
import { type AskPassphrase, KeyRing } from "./key-ring.ts";
import type { OpenRemote } from "./remote.ts";
import { Session } from "./session.ts";
import { sshConfigReader } from "./ssh-config.ts";
import { type AskSudoPassword, TypedPassword } from "./typed-password.ts";

export interface SshOptions {
  /** Asked about unknown host keys where host_keys is "ask"; without it that is as strict as "strict". */
  readonly askHostKey?: AskHostKey;
  /** Asked once for each encrypted key file that nothing else opens, and again after a slip. */
  readonly askPassphrase?: AskPassphrase;
  /** Asked once for each login user whose sudo wants a password that the inventory does not have. */
  readonly askSudoPassword?: AskSudoPassword;
  /** Instead of the user's and the system's ssh_config. */
  readonly sshConfigFile?: string;
  readonly deadlines?: Partial<Deadlines>;
  /** Takes sentences for the person at the terminal. */
  readonly warn?: (message: string) => void;
}

/** Opens hosts over SSH. Hosts opened by one opener share jump hosts and the cap on handshakes under way. */
export function remoteOpener(options: SshOptions = {}): OpenRemote {
  const deadlines = { ...DEADLINES, ...options.deadlines };
  const dialer = new Dialer({
    config: sshConfigReader(options.sshConfigFile, options.warn ?? (() => {})),
    deadlines,
    askHostKey: options.askHostKey,
    keyRing: new KeyRing(options.askPassphrase),
  });
  const typed = new Map<string, TypedPassword>();
  const typedBy = (user: string): TypedPassword | undefined => {
    const { askSudoPassword } = options;
    if (askSudoPassword === undefined) return undefined;
    const password = typed.get(user) ?? new TypedPassword((host) => askSudoPassword(host, user));
    typed.set(user, password);
    return password;
  };
  return (host, settings) => new Session(host, settings, dialer, deadlines, typedBy);
}
