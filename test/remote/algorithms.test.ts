import { describe, expect, it } from "vitest";
import { ALGORITHMS, disagreement } from "../../src/remote/algorithms.ts";

/** What a host sends in clear: its version line and its SSH_MSG_KEXINIT with these ten lists. */
function greeting(...lists: string[]): Buffer {
  const names = lists.flatMap((list) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(list.length);
    return [length, Buffer.from(list)];
  });
  return Buffer.concat([
    Buffer.from("banner\r\nSSH-2.0-x\r\n"),
    Buffer.alloc(5),
    Buffer.from([20]),
    Buffer.alloc(16),
    ...names,
  ]);
}
const whole = greeting(
  "kex",
  "hostkey",
  "aes128-cbc,3des-cbc",
  "aes128-cbc,3des-cbc",
  "hmac-sha1",
  "umac\u001b[2J",
  "zlib",
  "zlib",
  "",
  "",
);

describe("a host that speaks nothing that meshctl speaks", () => {
  it.each([
    ["Handshake failed: no matching key exchange algorithm", /The host offers kex\..*KexAlgorithms/],
    ["Handshake failed: no matching host key format", /The host offers hostkey\..*HostKeyAlgorithms/],
    ["Handshake failed: no matching C->S cipher", /The host offers aes128-cbc, 3des-cbc\..*Ciphers/],
    ["Handshake failed: no matching S->C MAC", /The host offers hmac-sha1\..*MACs/],
    ["Handshake failed: no matching C->S compression", /The host offers zlib\..*Compression no/],
  ])("is told apart: %s", (message, expected) => {
    expect(disagreement(message, whole)).toMatch(expected);
  });

  it.each([0, 5, 25, 45, 60])("is told without what it offers when only %i bytes of that came", (bytes) => {
    const told = disagreement("Handshake failed: no matching C->S cipher", whole.subarray(0, bytes));
    expect(told).toMatch(/meshctl speaks AES-GCM/);
    expect(told).not.toContain("The host offers");
  });

  it("may fail for another reason", () => {
    expect(disagreement("Handshake failed: signature verification failed", whole)).toBe(
      "Handshake failed: signature verification failed",
    );
  });
});

describe("what meshctl speaks", () => {
  it("has no SHA-1, no CBC, no MAC over plain text, no prime that a host makes up and no compression", () => {
    const all = Object.values(ALGORITHMS).flat();
    expect(
      all.filter((name) => /sha1|cbc|md5|ripemd|group-exchange|zlib|group1$/.test(String(name))),
    ).toEqual([]);
    expect(ALGORITHMS.hmac).toEqual(["hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com"]);
  });
});
