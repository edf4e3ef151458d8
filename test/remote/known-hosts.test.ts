import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  fingerprint,
  isAbout,
  judgeHostKey,
  type KnownHostsEntry,
  keyTypeOf,
  knownHostsName,
  knownKeyTypes,
  parseKnownHosts,
} from "../../src/remote/known-hosts.ts";

function key(type: string, seed: string): Buffer {
  const part = (bytes: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  return Buffer.concat([part(Buffer.from(type)), part(Buffer.from(seed))]);
}
const one = key("ssh-ed25519", "one");
const two = key("ssh-ed25519", "two");
const rsa = key("ssh-rsa", "one");

function line(names: string, blob: Buffer, marker = ""): string {
  return `${marker}${names} ${keyTypeOf(blob)} ${blob.toString("base64")} a comment`;
}
function hashed(name: string): string {
  const salt = Buffer.from("0123456789abcdefghij");
  return `|1|${salt.toString("base64")}|${createHmac("sha1", salt).update(name).digest("base64")}`;
}
function entry(names: string): KnownHostsEntry {
  return parseKnownHosts(line(names, one), "f")[0] as KnownHostsEntry;
}

describe("the names of an entry", () => {
  it.each([
    ["host", "host", true],
    ["HOST", "host", true],
    ["host", "HOST", true],
    ["host", "hosts", false],
    ["a,host,b", "host", true],
    ["*", "host", true],
    ["*.example.org", "kvm-1.example.org", true],
    ["*.example.org", "example.org", false],
    ["kvm-?", "kvm-1", true],
    ["kvm-?", "kvm-10", false],
    ["kvm.1", "kvmx1", false],
    ["*,!host", "host", false],
    ["!host,*", "host", false],
    ["*,!host", "other", true],
    ["!host", "other", false],
    ["[host]:2222", "[host]:2222", true],
    ["[host]:2222", "host", false],
    ["[host]:2222", "h", false],
    ["[*]:2222", "[host]:2222", true],
    ["*", "[host]:2222", true],
    ["10.0.0.*", "10.0.0.7", true],
    ["[fd00::1]:22", "[fd00::1]:22", true],
    [hashed("host"), "host", true],
    [hashed("host"), "HOST", true],
    [hashed("host"), "other", false],
    [hashed("[host]:2222"), "[host]:2222", true],
    ["|1|broken", "host", false],
  ])("%s and %s: %s", (names, name, expected) => {
    expect(isAbout(entry(names), name)).toBe(expected);
  });

  it("carry a port that is not 22", () => {
    expect(knownHostsName("Host", 22)).toBe("host");
    expect(knownHostsName("Host", 2222)).toBe("[host]:2222");
  });
});

describe("a known_hosts file", () => {
  it("is read with its line numbers; comments and broken lines are nothing", () => {
    const text = [
      "# comment",
      "",
      line("a", one),
      "no key",
      "b ssh-ed25519 !!!",
      `c ssh-rsa ${one.toString("base64")}`,
      `  ${line("d", rsa)}\r`,
      line("e", one, "@revoked "),
      line("*", one, "@cert-authority\t"),
      line("g", one, "@unknown "),
    ].join("\n");
    expect(parseKnownHosts(text, "f").map(({ line, names, marker }) => [line, names, marker])).toEqual([
      [3, "a", undefined],
      [7, "d", undefined],
      [8, "e", "revoked"],
      [9, "*", "cert-authority"],
    ]);
  });
});

describe("a key that a host presents", () => {
  it.each([
    ["is known when any line has it", [line("h", two), line("h", one)], "known"],
    ["is unknown without lines", [], "unknown"],
    ["is unknown when the lines are about others", [line("other", one)], "unknown"],
    ["is changed when a line has another of its type", [line("h", two)], "changed"],
    ["is of another type when only those are known", [line("h", rsa)], "other type"],
    ["is revoked whatever else is there", [line("h", one), line("*", one, "@revoked ")], "revoked"],
    ["is not revoked by another key's line", [line("h", one), line("*", two, "@revoked ")], "known"],
    ["is unknown under a certificate authority", [line("*", two, "@cert-authority ")], "unknown"],
    ["is not known through the authority's own key", [line("*", one, "@cert-authority ")], "unknown"],
  ])("%s", (_what, lines, expected) => {
    expect(judgeHostKey(parseKnownHosts(lines.join("\n"), "f"), ["h"], one).is).toBe(expected);
  });

  it("may be known by the bare name, which cannot contradict another port", () => {
    const names = ["[h]:2222", "h"];
    expect(judgeHostKey(parseKnownHosts(line("h", one), "f"), names, one).is).toBe("known");
    expect(judgeHostKey(parseKnownHosts(line("h", two), "f"), names, one).is).toBe("unknown");
    expect(judgeHostKey(parseKnownHosts(line("h", one, "@revoked "), "f"), names, one).is).toBe("revoked");
  });

  it("is asked for by the types that are known", () => {
    const entries = parseKnownHosts([line("h", rsa), line("*", one, "@cert-authority ")].join("\n"), "f");
    expect(knownKeyTypes(entries, ["h"])).toEqual(["ssh-rsa"]);
  });

  it("is not asked for by the types of another port, unless nothing else is known", () => {
    const names = ["[h]:2222", "h"];
    const lines = [line("[h]:2222", rsa), line("h", one)];
    expect(knownKeyTypes(parseKnownHosts(lines.join("\n"), "f"), names)).toEqual(["ssh-rsa"]);
    expect(knownKeyTypes(parseKnownHosts(line("h", one), "f"), names)).toEqual(["ssh-ed25519"]);
  });

  it("is shown as ssh-keygen shows it", () => {
    // ssh-keygen -lf of this very key.
    const blob = Buffer.from(
      "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl",
      "base64",
    );
    expect(keyTypeOf(blob)).toBe("ssh-ed25519");
    expect(fingerprint(blob)).toBe("SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU");
  });
});
