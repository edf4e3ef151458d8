import type { ConnectStage } from "../../errors.ts";

/** Why OpenSSH's client made no connection. */
export interface Failure {
  readonly stage: ConnectStage;
  /** In ssh's own words, one line. */
  readonly said: string;
  /** The host hung up before it knew who calls, as an overloaded one does: worth another try. */
  readonly isDropped: boolean;
}

/** What ssh says when it gives up, by the stage that it gives up at. The first that fits counts. */
const SAID: readonly (readonly [RegExp, ConnectStage])[] = [
  [
    /^(command-line|\S+): line \d+: |^\S+ line \d+: |Bad owner or permissions|terminating, \d+ bad conf/im,
    "settings",
  ],
  [/Could not resolve hostname/i, "name resolution"],
  [
    /Host key verification failed|HOST IDENTIFICATION HAS CHANGED|host key is known for|host key .*revoked/i,
    "host key",
  ],
  [/Unable to negotiate|no matching .* found|invalid format|Invalid key length/i, "key exchange"],
  [/Permission denied|Too many authentication failures|No more authentication methods/i, "authentication"],
  [/stdio forwarding failed|jumphost|UNKNOWN port 65535/i, "jump host"],
  [/kex_exchange_identification|banner exchange|ssh_dispatch_run_fatal/i, "key exchange"],
  [/connect to (host|address) /i, "connect"],
];

/** How far it came, by what `ssh -v` tells on the way. */
const PASSED: readonly (readonly [RegExp, ConnectStage])[] = [
  [/^debug1: SSH2_MSG_NEWKEYS received/m, "authentication"],
  [/^debug1: (Connection established|Local version string)/m, "key exchange"],
];

/** `log` is what `ssh -v` wrote to its standard error. */
export function failureIn(log: string): Failure {
  const lines = log
    .split("\n")
    // Text from a host must not steer the terminal.
    .map((line) => line.replace(/[\x00-\x1f\x7f-\x9f]+/g, " ").trim());
  const words = lines.filter((line) => line !== "" && !/^(debug\d|OpenSSH_|Authenticated to )/.test(line));
  const text = words.join("\n");
  const stage =
    SAID.find(([pattern]) => pattern.test(text))?.[1] ??
    PASSED.find(([pattern]) => pattern.test(log))?.[1] ??
    "connect";
  const isDropped =
    /connect to host .*: Connection reset/i.test(text) ||
    (stage === "key exchange" && /closed|reset|broken pipe|kex_exchange_identification/i.test(text));
  return { stage, said: told(words).slice(-400), isDropped };
}

/** The last sentences, but for the frame that OpenSSH draws around its warnings. */
function told(words: readonly string[]): string {
  const plain = words.filter((line) => !/^@+$|^@ .* @$/.test(line));
  return plain.slice(-4).join("; ") || "it said nothing";
}

/** What became of a session asked for over a master connection: "open", why it is refused, or not told yet. */
export function sessionIn(
  log: string,
): { readonly is: "open" } | { readonly is: "refused"; readonly because: string } | undefined {
  if (/master session id/.test(log)) return { is: "open" };
  const [, because] = /session request failed: ?(.*)/i.exec(log) ?? [];
  return because === undefined ? undefined : { is: "refused", because };
}
