import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { readRevokedKeys } from "../../src/remote/known-hosts-file.ts";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "meshctl-known-hosts-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

describe("a file of revoked keys", () => {
  it.each([
    ["plain", KEY],
    ["after blanks", `  \t${KEY} stolen`],
    ["after a comment, with DOS line ends", `# stolen\r\n\r\n  # more\r\n${KEY}\r\n`],
  ])("takes a key that stands there %s", async (_what, text) => {
    const keys = await readRevokedKeys([file("good", text)]);
    expect(keys.map(({ marker, names, keyType }) => [marker, names, keyType])).toEqual([
      ["revoked", "*", "ssh-ed25519"],
    ]);
  });

  it.each([
    ["half a key", KEY.slice(0, -8)],
    ["a fingerprint", "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"],
    ["another type before the key", KEY.replace("ssh-ed25519", "ssh-rsa")],
    ["names before the key, as in known_hosts", `host ${KEY}`],
    ["text that is no base64", "ssh-ed25519 !!!"],
  ])("that has %s is refused as a whole, with the line", async (_what, text) => {
    const bad = file("bad", `${KEY}\n${text}\n`);
    await expect(readRevokedKeys([bad])).rejects.toThrow(`${bad}:2 is no public key`);
  });
});

describe("a known_hosts lock that was left behind", () => {
  it("is taken by one writer at a time", async () => {
    // The real one, at times a little late, as on a busy machine: between the look and the removal much can happen.
    vi.doMock("node:fs/promises", async (original) => {
      const real = await original<typeof import("node:fs/promises")>();
      const unlink = async (path: string) => {
        await sleep(Math.random() * 5);
        await real.unlink(path);
      };
      return { ...real, unlink };
    });
    // As many processes would: each has its own queue of appends.
    const writers = [];
    for (let made = 0; made < 8; made += 1) {
      vi.resetModules();
      writers.push(await import("../../src/remote/known-hosts-file.ts"));
    }
    expect(new Set(writers.map(({ appendKnownHost }) => appendKnownHost)).size).toBe(8);
    vi.doUnmock("node:fs/promises");
    const known = file("known", "");
    let [inside, most] = [0, 0];
    for (let round = 0; round < 10; round += 1) {
      const old = Date.now() / 1000 - 3_600;
      utimesSync(file("known.meshctl-lock", ""), old, old);
      await Promise.all(
        writers.map(({ appendKnownHost }, index) =>
          appendKnownHost(known, async () => {
            inside += 1;
            most = Math.max(most, inside);
            await sleep(2);
            inside -= 1;
            return `line-${round}-${index}`;
          }),
        ),
      );
    }
    expect(most).toBe(1);
    expect(readFileSync(known, "utf8").trim().split("\n")).toHaveLength(80);
    expect(readdirSync(folder).filter((name) => name.includes("lock"))).toEqual([]);
  });
});
