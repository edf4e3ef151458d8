import type { HostName } from "../contract/inventory-view.ts";
import type { LoadedHost } from "../inventory/inventory.ts";
import { remoteOpener } from "../remote/open.ts";
import type { Remote } from "../remote/remote.ts";
import { FaultyRemote } from "./fault.ts";
import { tracedHosts } from "./traced-hosts.ts";
import { askHostKey, askPassphrase, askSudoPassword } from "./ui/ask.ts";
import type { Progress } from "./ui/progress.ts";

/** The inventory's hosts, each with one session that is opened when it is first needed. */
export interface Remotes {
  of(host: HostName): Remote;
  /** Ends all sessions. Never throws. */
  end(): Promise<void>;
}

export interface ReachedHosts {
  readonly hosts: ReadonlyMap<HostName, Pick<LoadedHost, "ssh">>;
}

/** `interactive`: somebody can answer questions about host keys and passphrases. `isTold`: what runs on hosts is shown. */
export function remotesOf(
  inventory: ReachedHosts,
  progress: Progress,
  interactive: boolean,
  isTold: boolean,
): Remotes {
  const open = remoteOpener({
    ...(interactive
      ? {
          atTerminal: (work) => progress.pause(work),
          askHostKey: (question) => progress.pause(() => askHostKey(question)),
          askPassphrase: (file, isAgain) => progress.pause(() => askPassphrase(file, isAgain)),
          askSudoPassword: (host, user) => progress.pause(() => askSudoPassword(host, user)),
        }
      : {}),
    warn: (message) => progress.see({ event: "note", text: message }),
  });
  const remotes = new Map<HostName, Remote>();
  const plain: Remotes = {
    of(host) {
      const known = remotes.get(host) ?? new FaultyRemote(open(host, inventory.hosts.get(host)!.ssh));
      remotes.set(host, known);
      return known;
    },
    end: async () => void (await Promise.all([...remotes.values()].map((remote) => remote.end()))),
  };
  if (!isTold) return plain;
  const say = (text: string) => progress.above(() => process.stderr.write(text));
  return { ...plain, of: tracedHosts(plain.of, say) };
}

/** Whether a person sits at the terminal and can be asked. */
export function isInteractive({ json }: { readonly json?: boolean }): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true && !process.env.CI && !json;
}
