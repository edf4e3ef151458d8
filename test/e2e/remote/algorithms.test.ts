import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { SshSettings } from "../../../src/inventory/ssh-settings.ts";
import { remoteOpener } from "../../../src/remote/open.ts";
import { settingsFor } from "./settings.ts";
import { authorize, keygen, startSshd, type TestSshd } from "./sshd.ts";

let directory: string;
let agent: ChildProcess | undefined;
const started: TestSshd[] = [];
const inside = (name: string) => join(directory, name);

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "meshctl-algorithms-"));
  keygen(inside("short"), "-t", "rsa", "-b", "1024");
  keygen(inside("long"), "-t", "rsa", "-b", "2048");
});
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const sshd of started.splice(0)) await sshd.stop();
});
afterAll(() => {
  agent?.kill();
  rmSync(directory, { recursive: true, force: true });
});

/** What becomes of a script on a host whose sshd is configured so: "root", or why it did not run. */
async function attempt(config: readonly string[], changed: Partial<SshSettings> = {}): Promise<string> {
  const sshd = await startSshd({ config });
  started.push(sshd);
  authorize(sshd, inside("long.pub"));
  const settings = {
    hostKeys: "accept-new",
    knownHostsFiles: [join(sshd.directory, "seen")],
    ...changed,
  } as const;
  const remote = remoteOpener()("one", settingsFor(sshd, settings));
  try {
    return (await remote.run("id -un", { during: "test", timeoutMs: 20_000 })).stdout.trim();
  } catch (error) {
    return (error as Error).message;
  } finally {
    await remote.end();
  }
}

describe("a host is spoken to", () => {
  it.each([
    ["with AES-GCM", ["Ciphers aes256-gcm@openssh.com"]],
    ["with ChaCha20-Poly1305", ["Ciphers chacha20-poly1305@openssh.com"]],
    [
      "with AES-CTR and a MAC over what is encrypted",
      ["Ciphers aes256-ctr", "MACs hmac-sha2-512-etm@openssh.com"],
    ],
    ["with Diffie-Hellman in a fixed group", ["KexAlgorithms diffie-hellman-group14-sha256"]],
    ["with an RSA key of 2048 bits", ["HostKeyAlgorithms rsa-sha2-512", "HostKey LONG"]],
  ])("%s", async (_, config) => {
    expect(await attempt(config.map((line) => line.replace("LONG", inside("long"))))).toBe("root");
  });

  it.each([
    [
      "with a MAC over the plain text",
      ["Ciphers aes256-ctr", "MACs hmac-sha2-256,umac-128-etm@openssh.com"],
      /^key exchange: .*no matching .* MAC.* The host offers hmac-sha2-256, umac-128-etm@openssh.com\. .*MACs/,
    ],
    [
      "with SHA-1",
      ["Ciphers aes128-ctr", "MACs hmac-sha1,hmac-sha1-etm@openssh.com"],
      /The host offers hmac-sha1, hmac-sha1-etm@openssh.com/,
    ],
    [
      "with CBC",
      ["Ciphers aes256-cbc,aes128-cbc"],
      /no matching .* cipher.* The host offers aes256-cbc, aes128-cbc\. .*Ciphers/,
    ],
    [
      "with primes that it makes up",
      ["KexAlgorithms diffie-hellman-group-exchange-sha256"],
      /no matching key exchange algorithm.* The host offers diffie-hellman-group-exchange-sha256\. .*KexAlgorithms/,
    ],
    [
      "with a short RSA key",
      ["HostKeyAlgorithms rsa-sha2-512", "HostKey SHORT"],
      /^host key: its RSA key SHA256:\S+ has 1024 bits, and 2048 are the least.*ssh-keygen -A/,
    ],
  ])("never %s", async (_, config, expected) => {
    expect(await attempt(config.map((line) => line.replace("SHORT", inside("short"))))).toMatch(expected);
  });
});

describe("an RSA key of a user", () => {
  it("signs with SHA-2, from a file and in an agent", async () => {
    expect(await attempt([], { identityFiles: [inside("long")] })).toBe("root");
    const socket = inside("agent");
    agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
    await vi.waitUntil(() => existsSync(socket), { timeout: 10_000 });
    vi.stubEnv("SSH_AUTH_SOCK", socket);
    execFileSync("ssh-add", ["-q", inside("long")]);
    expect(await attempt([], { identityFiles: [inside("long.pub")] })).toBe("root");
  });
});
