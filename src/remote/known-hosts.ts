import { createHash, createHmac, randomBytes } from "node:crypto";

/** One line of a known_hosts file. Format: sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT". */
export interface KnownHostsEntry {
  readonly file: string;
  readonly line: number;
  readonly marker: "revoked" | "cert-authority" | undefined;
  /** The names as written: a comma-separated pattern list, or one hashed name. */
  readonly names: string;
  readonly keyType: string;
  /** The public key's wire encoding. */
  readonly key: Buffer;
}

/** The entries of a file, in order. Lines that are no entry are left out, as OpenSSH does. */
export function parseKnownHosts(text: string, file: string): KnownHostsEntry[] {
  const entries: KnownHostsEntry[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const words = line.trim().split(/[ \t]+/);
    if (words[0] === undefined || words[0] === "" || words[0].startsWith("#")) continue;
    let marker: KnownHostsEntry["marker"];
    if (words[0].startsWith("@")) {
      const word = words.shift();
      if (word === "@revoked") marker = "revoked";
      else if (word === "@cert-authority") marker = "cert-authority";
      else continue;
    }
    const [names, keyType, base64] = words;
    if (names === undefined || keyType === undefined || base64 === undefined) continue;
    const key = Buffer.from(base64, "base64");
    if (keyTypeOf(key) !== keyType) continue;
    entries.push({ file, line: index + 1, marker, names, keyType, key });
  }
  return entries;
}

/**
 * A file of public keys, one a line, as sshd(8) has it in authorized_keys without options. Throws at a line that is
 * neither a key, a comment nor blank.
 */
export function parsePublicKeys(
  text: string,
  file: string,
): Pick<KnownHostsEntry, "line" | "keyType" | "key">[] {
  const keys: Pick<KnownHostsEntry, "line" | "keyType" | "key">[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const [keyType = "", base64 = ""] = line.trim().split(/[ \t]+/);
    if (keyType === "" || keyType.startsWith("#")) continue;
    const key = Buffer.from(base64, "base64");
    if (keyTypeOf(key) !== keyType || !isWhole(key, keyType))
      throw new Error(`${file}:${index + 1} is no public key ("TYPE BASE64")`);
    keys.push({ line: index + 1, keyType, key });
  }
  return keys;
}

/** Whether the parts of a key, each with its length before it, end where the key does. Certificates have others, too. */
function isWhole(key: Buffer, keyType: string): boolean {
  if (keyType.includes("-cert-")) return true;
  let at = 0;
  while (at + 4 <= key.length) at += 4 + key.readUInt32BE(at);
  return at === key.length;
}

/** The name under which known_hosts keeps a host: a port other than 22 is part of it. */
export function knownHostsName(host: string, port: number): string {
  const lower = host.toLowerCase();
  return port === 22 ? lower : `[${lower}]:${port}`;
}

/** A name as ssh-keygen -H writes it: it can be recognised and not be read. */
export function hashedName(name: string): string {
  const salt = randomBytes(20);
  return `|1|${salt.toString("base64")}|${createHmac("sha1", salt).update(name).digest("base64")}`;
}

/** Whether an entry is about a host, by its known_hosts name. */
export function isAbout(entry: KnownHostsEntry, name: string): boolean {
  const lower = name.toLowerCase();
  if (entry.names.startsWith("|1|")) {
    const [, , salt, hash] = entry.names.split("|");
    if (salt === undefined || hash === undefined) return false;
    const digest = createHmac("sha1", Buffer.from(salt, "base64")).update(lower).digest();
    return digest.equals(Buffer.from(hash, "base64"));
  }
  // Most lines name one host, and hundreds of hosts are looked for in hundreds of lines.
  if (!/[*?!,]/.test(entry.names)) return entry.names.toLowerCase() === lower;
  let matched = false;
  for (const pattern of entry.names.toLowerCase().split(",")) {
    const negated = pattern.startsWith("!");
    if (!matchesPattern(lower, negated ? pattern.slice(1) : pattern)) continue;
    // One negated match voids the whole line, wherever it stands.
    if (negated) return false;
    matched = true;
  }
  return matched;
}

export type HostKeyVerdict =
  | { readonly is: "known"; readonly entry: KnownHostsEntry }
  | { readonly is: "revoked"; readonly entry: KnownHostsEntry }
  /** Another key of the same type is known: what an attack looks like. */
  | { readonly is: "changed"; readonly entry: KnownHostsEntry }
  /** Only keys of other types are known. */
  | { readonly is: "other type"; readonly entry: KnownHostsEntry }
  | { readonly is: "unknown"; readonly authority: KnownHostsEntry | undefined };

/** What the entries say of the key that a host presented. `names` are the host's known_hosts names, best first. */
export function judgeHostKey(
  entries: readonly KnownHostsEntry[],
  names: readonly string[],
  key: Buffer,
): HostKeyVerdict {
  const about = names.map((name) => entries.filter((entry) => isAbout(entry, name)));
  const revoked = about.flat().find((entry) => entry.marker === "revoked" && entry.key.equals(key));
  if (revoked !== undefined) return { is: "revoked", entry: revoked };
  const plain = about.map((list) => list.filter((entry) => entry.marker === undefined));
  const known = plain.flat().find((entry) => entry.key.equals(key));
  if (known !== undefined) return { is: "known", entry: known };
  // Only the best name can contradict: another daemon on another port of the host has another key by right.
  const first = plain[0] ?? [];
  const changed = first.find((entry) => entry.keyType === keyTypeOf(key));
  if (changed !== undefined) return { is: "changed", entry: changed };
  if (first[0] !== undefined) return { is: "other type", entry: first[0] };
  return { is: "unknown", authority: about.flat().find((entry) => entry.marker === "cert-authority") };
}

/**
 * The key types known for a host, to be asked for first: another type would look like another host. Of the best name
 * that is known at all, as only that can contradict.
 */
export function knownKeyTypes(entries: readonly KnownHostsEntry[], names: readonly string[]): string[] {
  for (const name of names) {
    const about = entries.filter((entry) => entry.marker === undefined && isAbout(entry, name));
    if (about.length > 0) return [...new Set(about.map((entry) => entry.keyType))];
  }
  return [];
}

/** As `ssh-keygen -l` prints it: "SHA256:…". */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}

/** The type a public key's wire encoding begins with; "" when it is none. */
export function keyTypeOf(key: Buffer): string {
  if (key.length < 4) return "";
  const bytes = key.readUInt32BE(0);
  return bytes > 64 || key.length < 4 + bytes ? "" : key.toString("latin1", 4, 4 + bytes);
}

/** "*" is any text, "?" is one character; everything else, also "[", is itself. */
export function matchesPattern(name: string, pattern: string): boolean {
  const source = pattern.replace(/[\\^$.*+?()[\]{}|/-]/g, (sign) =>
    sign === "*" ? ".*" : sign === "?" ? "." : `\\${sign}`,
  );
  return new RegExp(`^${source}$`, "s").test(name);
}
