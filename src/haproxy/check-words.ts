/** Words of a server line that are about its checks → how many values follow. */
export const CHECK_WORDS: Readonly<Record<string, number>> = {
  check: 0,
  "check-ssl": 0,
  "check-send-proxy": 0,
  "check-via-socks4": 0,
  "check-sni": 1,
  "check-alpn": 1,
  "check-proto": 1,
  inter: 1,
  fastinter: 1,
  downinter: 1,
  rise: 1,
  fall: 1,
  port: 1,
  addr: 1,
  observe: 1,
  "error-limit": 1,
  "on-error": 1,
  "on-marked-down": 1,
  "on-marked-up": 1,
  track: 1,
  "agent-check": 0,
  "agent-addr": 1,
  "agent-inter": 1,
  "agent-port": 1,
  "agent-send": 1,
};

/** Options of a server line without those about its checks. */
export function uncheckedOptions(options: string): string {
  const words = options.split(" ");
  const kept: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const values = Object.hasOwn(CHECK_WORDS, words[at]!) ? CHECK_WORDS[words[at]!] : undefined;
    if (values === undefined) kept.push(words[at]!);
    else at += values;
  }
  return kept.join(" ");
}

export function saysBackup(options: string): boolean {
  return options.split(" ").includes("backup");
}
