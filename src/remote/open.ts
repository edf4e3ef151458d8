import type { SshSettings } from "../inventory/ssh-settings.ts";
import { DEADLINES, type Deadlines } from "./deadlines.ts";
import { Dialer } from "./dial.ts";
import type { AskHostKey } from "./host-key.ts";
import { type AskPassphrase, KeyRing } from "./key-ring.ts";
import { OpensshDialer } from "./openssh/dial.ts";
import type { OpenRemote } from "./remote.ts";
import { type Dials, Session } from "./session.ts";
import { sshConfigReader } from "./ssh-config.ts";
import { type AskSudoPassword, TypedPassword } from "./typed-password.ts";

export interface SshOptions {
  /** Asked about unknown host keys where host_keys is "ask"; without it that is as strict as "strict". */
  readonly askHostKey?: AskHostKey;
  /** Asked once for each encrypted key file that nothing else opens, and again after a slip. */
  readonly askPassphrase?: AskPassphrase;
  /** Asked once for each login user whose sudo wants a password that the inventory does not have. */
  readonly askSudoPassword?: AskSudoPassword;
  /** Lets the system's ssh ask a person at the terminal, where hosts are reached by it. */
  readonly atTerminal?: <T>(work: () => Promise<T>) => Promise<T>;
  /** Instead of the user's and the system's ssh_config. */
  readonly sshConfigFile?: string;
  readonly deadlines?: Partial<Deadlines>;
  /** Takes sentences for the person at the terminal. */
  readonly warn?: (message: string) => void;
}

/** Opens hosts over SSH. Hosts opened by one opener share jump hosts and the cap on handshakes under way. */
export function remoteOpener(options: SshOptions = {}): OpenRemote {
  const deadlines = { ...DEADLINES, ...options.deadlines };
  const config = sshConfigReader(options.sshConfigFile, options.warn ?? (() => {}));
  const dialer = new Dialer({
    config,
    deadlines,
    askHostKey: options.askHostKey,
    keyRing: new KeyRing(options.askPassphrase),
  });
  const openssh = new OpensshDialer({
    config,
    sshConfigFile: options.sshConfigFile,
    deadlines,
    atTerminal: options.atTerminal,
  });
  const dialerFor = ({ client }: SshSettings): Dials => (client === "openssh" ? openssh : dialer);
  const typed = new Map<string, TypedPassword>();
  const typedBy = (user: string): TypedPassword | undefined => {
    const { askSudoPassword } = options;
    if (askSudoPassword === undefined) return undefined;
    const password = typed.get(user) ?? new TypedPassword((host) => askSudoPassword(host, user));
    typed.set(user, password);
    return password;
  };
  return (host, settings) => new Session(host, settings, dialerFor(settings), deadlines, typedBy);
}
