import type { AskPassphrase } from "./authentication.ts";
import { DEADLINES, type Deadlines } from "./deadlines.ts";
import { Dialer } from "./dial.ts";
import type { AskHostKey } from "./host-key.ts";
import type { OpenRemote } from "./remote.ts";
import { Session } from "./session.ts";
import { sshConfigReader } from "./ssh-config.ts";

export interface SshOptions {
  /** Asked about unknown host keys where host_keys is "ask"; without it that is as strict as "strict". */
  readonly askHostKey?: AskHostKey;
  /** Asked once for each encrypted key file that nothing else opens. */
  readonly askPassphrase?: AskPassphrase;
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
    askPassphrase: options.askPassphrase,
  });
  return (host, settings) => new Session(host, settings, dialer, deadlines);
}
