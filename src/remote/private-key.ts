import { createPrivateKey, type KeyObject, sign } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { ParsedKey } from "ssh2";
import type { Secret } from "../secret.ts";
import { keyTypeOf } from "./known-hosts.ts";
import { ssh2 } from "./ssh2.ts";

/** What an identity file turned out to be. */
export type IdentityFile =
  | { readonly is: "missing" }
  | { readonly is: "unreadable"; readonly because: string }
  /** `publicKey` is its wire encoding, where it can be told without the passphrase. */
  | {
      readonly is: "private";
      readonly publicKey: Buffer | undefined;
      readonly encrypted: boolean;
      readonly text: Buffer;
    }
  /** A public key alone: names a key of the agent. */
  | { readonly is: "public"; readonly publicKey: Buffer }
  | { readonly is: "unsupported"; readonly because: string; readonly publicKey: Buffer | undefined };

/** Looks at an identity file without decrypting it. Never throws. */
export async function readIdentityFile(path: string): Promise<IdentityFile> {
  let text: Buffer;
  try {
    text = await readFile(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) {
      return { is: "missing" };
    }
    return { is: "unreadable", because: error instanceof Error ? error.message : String(error) };
  }
  const file = classifyIdentity(text);
  // The older PEM formats hide the public key in the encrypted part; ssh-keygen wrote it beside.
  if (file.is !== "private" || file.publicKey !== undefined) return file;
  const beside = await readFile(`${path}.pub`).then(classifyIdentity, () => undefined);
  return beside?.is === "public" ? { ...file, publicKey: beside.publicKey } : file;
}

/** Told by the file's format alone (PROTOCOL.key of OpenSSH, RFC 7468), never by trial. */
function classifyIdentity(text: Buffer): IdentityFile {
  const words = text.toString("latin1");
  const publicLine = /^((?:sk-)?(?:ssh|ecdsa)-[\w@.-]+) ([A-Za-z0-9+/=]+)/.exec(words.trimStart());
  if (publicLine !== null) {
    const publicKey = Buffer.from(publicLine[2] ?? "", "base64");
    const because = unsupportedType(keyTypeOf(publicKey));
    return because === undefined ? { is: "public", publicKey } : { is: "unsupported", because, publicKey };
  }
  const pem = /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]+?)-----END \1-----/.exec(words);
  if (pem === null) return { is: "unsupported", because: "it holds no SSH key", publicKey: undefined };
  const [, label = "", body = ""] = pem;
  if (label === "OPENSSH PRIVATE KEY") return classifyOpenSshKey(Buffer.from(body, "base64"), text);
  if (label === "ENCRYPTED PRIVATE KEY" || label === "PRIVATE KEY") {
    const because = "it is a PKCS#8 key; convert it with ssh-keygen -p -f FILE";
    return { is: "unsupported", because, publicKey: undefined };
  }
  return { is: "private", publicKey: undefined, encrypted: body.includes("ENCRYPTED"), text };
}

function classifyOpenSshKey(blob: Buffer, text: Buffer): IdentityFile {
  const broken: IdentityFile = { is: "unsupported", because: "it is damaged", publicKey: undefined };
  const magic = "openssh-key-v1\0";
  if (blob.toString("latin1", 0, magic.length) !== magic) return broken;
  let at = magic.length;
  const nextString = (): Buffer | undefined => {
    if (at + 4 > blob.length) return undefined;
    const bytes = blob.readUInt32BE(at);
    const value = blob.subarray(at + 4, at + 4 + bytes);
    at += 4 + bytes;
    return value.length === bytes ? value : undefined;
  };
  const cipher = nextString();
  nextString(); // kdf name
  nextString(); // kdf options
  at += 4; // number of keys
  const publicKey = nextString();
  if (cipher === undefined || publicKey === undefined) return broken;
  const because = unsupportedType(keyTypeOf(publicKey));
  if (because !== undefined) return { is: "unsupported", because, publicKey };
  return { is: "private", publicKey, encrypted: cipher.toString("latin1") !== "none", text };
}

/** Why ssh2 cannot use a key of this type; undefined when it may. */
export function unsupportedType(type: string): string | undefined {
  if (type.includes("-cert-v01@")) return "certificates are not supported; name the key itself";
  if (type.startsWith("sk-")) return "security keys (sk-…) are not supported; use another key";
  return undefined;
}

const WITHOUT_SHA2 =
  "the host takes RSA signatures with SHA-1 only, and meshctl makes none: use an Ed25519 key, or let it take rsa-sha2-512 " +
  "with PubkeyAcceptedAlgorithms in its sshd_config";

/** Why an RSA key must not sign; undefined when it may. `hash` is what ssh2 asks for: "sha1" where the host knows no better. */
export function whyNotSign({ type }: ParsedKey, hash: string | undefined): string | undefined {
  return type === "ssh-rsa" && hash !== "sha256" && hash !== "sha512" ? WITHOUT_SHA2 : undefined;
}

/** What signs with a key is hashed by, where ssh2 names nothing; undefined: by nothing of its own. */
const HASHES: Readonly<Record<string, string>> = {
  "ecdsa-sha2-nistp256": "sha256",
  "ecdsa-sha2-nistp384": "sha384",
  "ecdsa-sha2-nistp521": "sha512",
};

/** Signs as ssh2 does, but with a key that OpenSSL has read once: that takes it ten times as long as a signature. */
function signOnceRead(key: ParsedKey): void {
  let known: KeyObject | undefined;
  key.sign = (data, hash) => {
    const because = whyNotSign(key, hash);
    // ssh2 takes an error for an answer, although the types do not say so.
    if (because !== undefined) return new Error(because) as never;
    try {
      known ??= createPrivateKey(key.getPrivatePEM());
      return sign(hash || HASHES[key.type], Buffer.from(data), known);
    } catch (error) {
      return error as never;
    }
  };
}

const parsed = new Map<string, ParsedKey | Error>();

/** Decrypts a private key: up to two seconds of this process's time, so once for all hosts. */
export function parsePrivateKey(text: Buffer, passphrase: Secret | undefined): ParsedKey | Error {
  const id = `${text.toString("latin1")}\0${passphrase?.reveal() ?? ""}`;
  let key = parsed.get(id);
  if (key === undefined) {
    const result: unknown = ssh2().utils.parseKey(text, passphrase?.reveal());
    key = (Array.isArray(result) ? result[0] : result) as ParsedKey | Error;
    if (!(key instanceof Error)) signOnceRead(key);
    parsed.set(id, key);
  }
  return key;
}
