/**
 * A key's path below /proc/sys. Files write "net.ipv4.tcp_fin_timeout" or "net/ipv4/tcp_fin_timeout": the first
 * separator decides, and where that is a dot, a slash stands for a dot ("net.ipv4.conf.eth0/100.rp_filter").
 * https://www.freedesktop.org/software/systemd/man/latest/sysctl.d.html#Configuration%20Format
 */
export function procPathOf(key: string): string {
  const path = /^[^./]*\./.test(key) ? key.replace(/[./]/g, (mark) => (mark === "." ? "/" : ".")) : key;
  return path.replace(/\/+/g, "/").replace(/^\/|\/$/g, "");
}

/** Whether a path in a file stands for several keys. */
export function isGlob(path: string): boolean {
  return /[*?[]/.test(path);
}

/** As glob(3) does it: no wildcard matches a slash. A host's file says the pattern: no regular expression of it. */
export function globMatches(glob: string, path: string): boolean {
  const [patterns, names] = [glob.split("/"), path.split("/")];
  return (
    patterns.length === names.length &&
    patterns.every((pattern, at) => nameMatches(tokensOf(pattern), names[at]!))
  );
}

/** "*", or whether a character is matched. */
type Token = "*" | ((character: string) => boolean);

function tokensOf(pattern: string): readonly Token[] | undefined {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length; at += 1) {
    const mark = pattern[at]!;
    if (mark === "*") tokens.push("*");
    else if (mark === "?") tokens.push(() => true);
    else if (mark === "[") {
      const isNegated = pattern[at + 1] === "!" || pattern[at + 1] === "^";
      const first = at + (isNegated ? 2 : 1);
      // A "]" that comes first stands for itself.
      const end = pattern.indexOf("]", first + 1);
      // An unfinished bracket is no pattern: glob(3) finds nothing with it.
      if (end === -1) return undefined;
      const set = pattern.slice(first, end);
      tokens.push((character) => isInSet(set, character) !== isNegated);
      at = end;
    } else tokens.push((character) => character === mark);
  }
  return tokens;
}

function isInSet(set: string, character: string): boolean {
  for (let at = 0; at < set.length; at += 1) {
    if (set[at + 1] === "-" && at + 2 < set.length) {
      if (set[at]! <= character && character <= set[at + 2]!) return true;
      at += 2;
    } else if (set[at] === character) return true;
  }
  return false;
}

/** Goes back to the last star only: what an earlier one could take the last one can, too. */
function nameMatches(tokens: readonly Token[] | undefined, name: string): boolean {
  if (tokens === undefined) return false;
  let [token, at, star, starAt] = [0, 0, -1, 0];
  while (at < name.length) {
    const wanted = tokens[token];
    if (wanted === "*") {
      star = token;
      starAt = at;
      token += 1;
    } else if (wanted?.(name[at]!)) {
      token += 1;
      at += 1;
    } else if (star === -1) return false;
    else {
      token = star + 1;
      starAt += 1;
      at = starAt;
    }
  }
  return tokens.slice(token).every((rest) => rest === "*");
}

/** A value as it is compared: the kernel parts several numbers by tabs, people by spaces. */
export function normaliseValue(value: string): string {
  return value.trim().replace(/\s+/g, " ");
}
