import type { Algorithms } from "ssh2";

/** What a handshake agrees on, by the names of RFC 4253, 7.1, in the order in which a host lists what it speaks. */
const KINDS = [
  "key exchange",
  "host key",
  "cipher",
  "cipher",
  "MAC",
  "MAC",
  "compression",
  "compression",
] as const;
type Kind = (typeof KINDS)[number];

/**
 * What meshctl speaks, best first. No group exchange: nothing would check the prime that a host makes up. No SHA-1,
 * no CBC, no MAC over the plain text (those without "etm"), no compression: a host could inflate without end.
 */
export const ALGORITHMS: Pick<Algorithms, "kex" | "cipher" | "hmac" | "compress"> = {
  kex: [
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group18-sha512",
    "diffie-hellman-group14-sha256",
    "diffie-hellman-group15-sha512",
    "diffie-hellman-group17-sha512",
  ],
  cipher: [
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
  ],
  hmac: ["hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com"],
  compress: ["none"],
};

/** What is spoken of each kind, and how a host is told to speak it, too. */
const SPOKEN: Readonly<Record<Kind, { readonly words: string; readonly advice: string }>> = {
  "key exchange": {
    words:
      "For the exchange of keys meshctl speaks curve25519, ECDH and Diffie-Hellman in fixed groups with SHA-2, not the " +
      "post-quantum exchanges and no group exchange",
    advice: "allow one of them with KexAlgorithms in the host's sshd_config",
  },
  "host key": {
    words: "For host keys meshctl speaks Ed25519, ECDSA and RSA with SHA-2, not certificates and not SHA-1",
    advice: "give the host such a key with HostKey in its sshd_config, or allow it with HostKeyAlgorithms",
  },
  cipher: {
    words: "To encrypt meshctl speaks AES-GCM, ChaCha20-Poly1305 and AES-CTR, not CBC",
    advice: "allow one of them with Ciphers in the host's sshd_config",
  },
  MAC: {
    words: `To protect what AES-CTR encrypts meshctl speaks hmac-sha2-256-etm@openssh.com and hmac-sha2-512-etm@openssh.com only`,
    advice: "allow one of them with MACs in the host's sshd_config, or AES-GCM with Ciphers",
  },
  compression: {
    words: "meshctl does not compress",
    advice: 'let the host do without with "Compression no" in its sshd_config',
  },
};

/** Why a handshake found nothing in common, and what to do. `message` is ssh2's; `greeting` what the host sent in clear. */
export function disagreement(message: string, greeting: Buffer): string {
  const kind = kindIn(message);
  if (kind === undefined) return message;
  const { words, advice } = SPOKEN[kind];
  const offered = offeredIn(greeting)?.[KINDS.indexOf(kind)];
  const host = offered === undefined ? "" : ` The host offers ${offered.replaceAll(",", ", ") || "none"}.`;
  // OpenSSH's client may speak more, but inflates what it is sent as well.
  const other = kind === "compression" ? "" : ', or reach it with "client: openssh"';
  return `${message}. ${words}.${host} To mend it ${advice}${other}.`;
}

function kindIn(message: string): Kind | undefined {
  if (!/no matching/i.test(message)) return undefined;
  if (message.includes("key exchange")) return "key exchange";
  if (message.includes("host key")) return "host key";
  return KINDS.find((kind) => message.endsWith(kind));
}

const KEXINIT = 20;
/** The longest that is shown of what a host lists. */
const MOST_SHOWN = 400;

/** The name lists of the host's SSH_MSG_KEXINIT, which is the first packet behind its version line; undefined without. */
function offeredIn(greeting: Buffer): readonly string[] | undefined {
  const version = greeting.indexOf("SSH-2.0-");
  const lineEnd = version === -1 ? -1 : greeting.indexOf("\n", version);
  if (lineEnd === -1) return undefined;
  // Length of the packet, length of its padding, kind of message, 16 random bytes.
  let at = lineEnd + 1 + 4 + 1;
  if (greeting[at] !== KEXINIT) return undefined;
  at += 1 + 16;
  const lists: string[] = [];
  while (lists.length < KINDS.length) {
    if (at + 4 > greeting.length) return undefined;
    const length = greeting.readUInt32BE(at);
    if (at + 4 + length > greeting.length) return undefined;
    const names = greeting.toString("latin1", at + 4, at + 4 + length);
    const real = names.split(",").filter((name) => !/^(kex-strict|ext-info)-/.test(name));
    lists.push(
      real
        .join(",")
        .replace(/[^\x21-\x7e]/g, "?")
        .slice(0, MOST_SHOWN),
    );
    at += 4 + length;
  }
  return lists;
}
