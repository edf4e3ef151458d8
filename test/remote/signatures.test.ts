import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { AgentKeys } from "../../src/remote/agent-keys.ts";
import { parsePrivateKey } from "../../src/remote/private-key.ts";

const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const rsa = parsePrivateKey(Buffer.from(privateKey.export({ type: "pkcs1", format: "pem" })), undefined);
if (rsa instanceof Error) throw rsa;
const data = Buffer.from("what is signed");

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
