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

/** Two numbers are the same in any way that the kernel reads them: "0x3c" and "074" are 60. Of any size. */
export function sameValue(some: string, other: string): boolean {
  if (some === other) return true;
  const [these, those] = [some, other].map((text) => normaliseValue(text).split(" ").map(numberOf));
  return (
    these!.length === those!.length &&
    these!.every((number, at) => number !== undefined && number === those![at])
  );
}

/** Undefined of what is no whole number. A leading 0 makes it octal (simple_strtoul() with base 0 in Linux). */
function numberOf(text: string): bigint | undefined {
  const [, sign, digits = ""] = /^(-?)(0x[0-9a-f]+|0[0-7]*|[1-9]\d*)$/i.exec(text) ?? [];
  if (sign === undefined) return undefined;
  const value = BigInt(/^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits);
  return sign === "-" ? -value : value;
}

/** Paths of one and the same variable of the kernel's. */
const TWINS: readonly (readonly string[])[] = [
  ["net/ipv4/ip_forward", "net/ipv4/conf/all/forwarding"],
  ["net/netfilter/nf_conntrack_max", "net/nf_conntrack_max"],
];
/** Of two that exclude each other, a value of one makes the other 0. */
const RIVALS: readonly (readonly string[])[] = [
  ["vm/dirty_bytes", "vm/dirty_ratio"],
  ["vm/dirty_background_bytes", "vm/dirty_background_ratio"],
  ["vm/overcommit_kbytes", "vm/overcommit_ratio"],
];

const othersIn = (groups: readonly (readonly string[])[], path: string): readonly string[] =>
  groups.find((group) => group.includes(path))?.filter((other) => other !== path) ?? [];

export function twinsOf(path: string): readonly string[] {
  return othersIn(TWINS, path);
}

export function sameSetting(some: string, other: string): boolean {
  return some === other || twinsOf(other).includes(some);
}

/** Whether a value of `target` makes that of `path` 0. */
export function endsOther(target: string, value: string, path: string): boolean {
  return othersIn(RIVALS, path).includes(target) && !sameValue(value, "0");
}

/** The module without which the kernel has no such key; undefined of one that is always there. */
export function moduleOf(path: string): string | undefined {
  if (/^net\/(?:netfilter\/nf_conntrack|nf_conntrack)_/.test(path)) return "nf_conntrack";
  const modules: Readonly<Record<string, string>> = {
    "net/bridge/": "br_netfilter",
    "net/sctp/": "sctp",
    "net/ipv4/vs/": "ip_vs",
    "net/mpls/": "mpls_router",
    "fs/nfs/": "lockd",
  };
  return Object.entries(modules).find(([beginning]) => path.startsWith(beginning))?.[1];
}
