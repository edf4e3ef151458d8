import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { AgentKeys } from "../../src/remote/agent-keys.ts";
import { parsePrivateKey } from "../../src/remote/private-key.ts";

const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const rsa = parsePrivateKey(Buffer.from(privateKey.export({ type: "pkcs1", format: "pem" })), undefined);
if (rsa instanceof Error) throw rsa;
const data = Buffer.from("what is signed");

describe("a key of which ssh2 names no hash", () => {
  it.each(["P-256", "P-384", "P-521"])("signs as its curve has it: %s", (namedCurve) => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve });
    const key = parsePrivateKey(Buffer.from(privateKey.export({ type: "sec1", format: "pem" })), undefined);
    if (key instanceof Error) throw key;
    expect(key.verify(data, key.sign(data))).toBe(true);
  });

  it("signs with none: Ed25519", () => {
    const key = parsePrivateKey(ed25519(), undefined);
    if (key instanceof Error) throw key;
    for (const _ of [1, 2]) expect(key.verify(data, key.sign(data))).toBe(true);
    expect(key.verify(Buffer.from("another"), key.sign(data))).toBe(false);
  });
});

/** As ssh-keygen writes it. */
function ed25519(): Buffer {
  const { d, x } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  const [seed, publicKey] = [d, x].map((part) => Buffer.from(part!, "base64url"));
  const field = (content: Buffer | string) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(content.length);
    return Buffer.concat([length, Buffer.from(content)]);
  };
  const named = Buffer.concat([field("ssh-ed25519"), field(publicKey!)]);
  const secret = [Buffer.alloc(8), named, field(Buffer.concat([seed!, publicKey!])), field("")];
  const padding = Buffer.from([1, 2, 3, 4, 5, 6, 7]);
  const plain = Buffer.concat(secret);
  const padded = Buffer.concat([plain, padding.subarray(0, (8 - (plain.length % 8)) % 8)]);
  const one = Buffer.from([0, 0, 0, 1]);
  const body = [field("none"), field("none"), field(""), one, field(named), field(padded)];
  const whole = Buffer.concat([Buffer.from("openssh-key-v1\0"), ...body]).toString("base64");
  const pem = (kind: string) => `-----${kind} OPENSSH PRIVATE KEY-----\n`;
  return Buffer.from(`${pem("BEGIN")}${whole}\n${pem("END")}`);
}

describe("an RSA key", () => {
  it.each(["sha256", "sha512"])("in a file signs with %s", (hash) => {
    expect(rsa.verify(data, rsa.sign(data, hash), hash)).toBe(true);
  });

  // As ssh2 asks for it where the host does not say that it takes rsa-sha2.
  it.each(["sha1", undefined])("in a file never signs with %s", (hash) => {
    expect(rsa.sign(data, hash)).toEqual(
      expect.objectContaining({ message: expect.stringContaining("SHA-1 only") }),
    );
  });

  it.each([{}, { hash: "sha1" }])(
    "in an agent never signs as %j asks, nor is the agent asked",
    async (options) => {
      const asked: unknown[] = [];
      const keys = new AgentKeys("/nowhere", {
        choose: (held) => held,
        offered: () => {},
        unusable: () => {},
        signing: (what) => asked.push(what),
      });
      const answer = new Promise((resolve) =>
        keys.sign(rsa, data, options as never, (error) => resolve(error)),
      );
      expect(await answer).toEqual(
        expect.objectContaining({ message: expect.stringContaining("SHA-1 only") }),
      );
      expect(asked).toEqual([]);
    },
  );
});
