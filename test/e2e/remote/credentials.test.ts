import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SshSettings } from "../../../src/inventory/ssh-settings.ts";
import { remoteOpener, type SshOptions } from "../../../src/remote/open.ts";
import { Secret } from "../../../src/secret.ts";
import { settingsFor } from "./settings.ts";
import { authorize, keygen, PASSWORD, startSshd, type TestSshd } from "./sshd.ts";
import { startTcpProxy } from "./tcp-proxy.ts";

let sshd: TestSshd;
let interactive: TestSshd;
let modern: TestSshd;
const children: ChildProcess[] = [];
const servers: Server[] = [];
const now = { during: "test", timeoutMs: 10_000 };

beforeAll(async () => {
  [sshd, interactive, modern] = await Promise.all([
    startSshd({
      sudoers: [
        "Defaults:tenex requiretty",
        "ops, tenex ALL=(ALL) NOPASSWD: ALL",
        "typist ALL=(ALL) ALL",
        "fisher ALL=(ALL) ALL, NOPASSWD: /usr/bin/env",
        "",
      ].join("\n"),
    }),
    startSshd({
      config: [
        "KbdInteractiveAuthentication yes",
        "UsePAM yes",
        "AuthenticationMethods keyboard-interactive",
      ],
    }),
    startSshd({ config: ["KexAlgorithms sntrup761x25519-sha512@openssh.com"] }),
  ]);
});
afterAll(async () => {
  for (const child of children) child.kill();
  for (const server of servers) server.close();
  await Promise.all([sshd, interactive, modern].map((server) => server?.stop()));
});

const inside = (name: string) => join(sshd.directory, name);

/** How each of several hosts, opened by one opener, took a script: "root", or the stage and the message. */
async function attempts(settings: readonly SshSettings[], options: SshOptions = {}): Promise<Attempt[]> {
  const open = remoteOpener(options);
  const remotes = settings.map((one, index) => open(`host-${index + 1}`, one));
  const outcomes = await Promise.all(
    remotes.map((remote) =>
      remote.run("id -un", now).then(
        ({ stdout }) => ({ stage: stdout.trim(), message: "" }),
        (error) => error as Attempt,
      ),
    ),
  );
  await Promise.all(remotes.map((remote) => remote.end()));
  return outcomes;
}
interface Attempt {
  readonly stage: string;
  readonly message: string;
}
async function attempt(settings: SshSettings, options: SshOptions = {}): Promise<Attempt> {
  return (await attempts([settings], options))[0]!;
}

/** Starts an agent that holds these keys. */
async function agentWith(name: string, ...keys: string[]): Promise<string> {
  const socket = inside(name);
  children.push(spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" }));
  while (!existsSync(socket)) await sleep(20);
  if (keys.length > 0)
    execFileSync("ssh-add", ["-q", ...keys], {
      env: { ...process.env, SSH_AUTH_SOCK: socket },
      stdio: "ignore",
    });
  return socket;
}

let configs = 0;
/** Settings for which ssh_config alone says how to log in. */
function byConfig(...lines: string[]): [SshSettings, SshOptions] {
  configs += 1;
  const sshConfigFile = inside(`config-${configs}`);
  writeFileSync(sshConfigFile, `Host *\n${lines.join("\n")}\n`);
  return [settingsFor(sshd, { identityFiles: undefined }), { sshConfigFile }];
}

function newKey(name: string, ...options: string[]): string {
  keygen(inside(name), ...options);
  return inside(name);
}

describe("an encrypted key", () => {
  it("is asked for once for many hosts, again after a slip, and for as long as it takes", async () => {
    const path = inside("encrypted");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "pass phrase", "-a", "2", "-f", path]);
    authorize(sshd, `${path}.pub`);
    const asked: boolean[] = [];
    const outcomes = await attempts(
      Array.from({ length: 8 }, () => settingsFor(sshd, { identityFiles: [path] })),
      {
        deadlines: { authenticationMs: 1_000 },
        askPassphrase: async (_file, isAgain) => {
          asked.push(isAgain);
          await sleep(700);
          return new Secret(isAgain ? "pass phrase" : "pass frase");
        },
      },
    );
    expect(new Set(outcomes.map(({ stage }) => stage))).toEqual(new Set(["root"]));
    expect(asked).toEqual([false, true]);
  });

  it("may be typed more slowly than the host waits", async () => {
    const impatient = await startSshd({ config: ["LoginGraceTime 1"] });
    try {
      const path = inside("slowly");
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "pass phrase", "-a", "2", "-f", path]);
      authorize(impatient, `${path}.pub`);
      const askPassphrase = async () => {
        await sleep(1_500);
        return new Secret("pass phrase");
      };
      expect(
        await attempt(settingsFor(impatient, { identityFiles: [path] }), { askPassphrase }),
      ).toMatchObject({
        stage: "root",
      });
    } finally {
      await impatient.stop();
    }
  });
});

describe("an agent", () => {
  it("full of other keys is offered after the key that ssh_config names, and before nothing at all", async () => {
    const others = Array.from({ length: 8 }, (_, i) => newKey(`other-${i}`));
    const mine = newKey("mine");
    authorize(sshd, `${mine}.pub`);
    const full = await agentWith("full", ...others);
    const [settings, options] = byConfig(`IdentityAgent ${full}`, `IdentityFile ${mine}`);
    expect(await attempt(settings, options)).toMatchObject({ stage: "root" });
    const unnamed = await agentWith("unnamed", mine);
    const [other, otherOptions] = byConfig(`IdentityAgent ${unnamed}`, `IdentityFile ${others[0]}`);
    expect(await attempt(other, otherOptions)).toMatchObject({ stage: "root" });
    const [only, onlyOptions] = byConfig(
      `IdentityAgent ${unnamed}`,
      `IdentityFile ${others[0]}`,
      "IdentitiesOnly yes",
    );
    expect(await attempt(only, onlyOptions)).toMatchObject({
      stage: "authentication",
      message: expect.stringContaining(`refused: key file ${others[0]};`),
    });
  });

  it("that does not answer is passed by, and named when nothing else gets in", async () => {
    const socket = inside("deaf");
    const server = createServer(() => {});
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    const wrong = newKey("deaf-wrong");
    const [settings, options] = byConfig(
      `IdentityAgent ${socket}`,
      `IdentityFile ${wrong}`,
      "IdentitiesOnly yes",
    );
    expect(await attempt(settings, options)).toMatchObject({
      stage: "authentication",
      message: expect.stringMatching(/refused: key file .*\(the agent: .*deaf did not answer within 5 s/),
    });
  });

  it("that waits for a person when it should sign is what the deadline names", async () => {
    const mine = newKey("confirmed");
    authorize(sshd, `${mine}.pub`);
    const real = await agentWith("confirming", mine);
    // In front of a real agent: lists keys, and swallows requests to sign (SSH_AGENTC_SIGN_REQUEST, 13).
    const socket = inside("silent-signer");
    const server = createServer((client) => {
      client.on("error", () => {});
      client.on("data", (chunk) => {
        if (chunk[4] === 13) return;
        const agent = spawn("perl", ["-MIO::Socket::UNIX", "-e", ASK_AGENT, real]);
        agent.stdout.on("data", (answer) => client.write(answer));
        agent.stdin.end(chunk);
      });
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    const [settings, options] = byConfig(`IdentityAgent ${socket}`, `IdentityFile ${mine}.pub`);
    expect(await attempt(settings, { ...options, deadlines: { authenticationMs: 1_000 } })).toMatchObject({
      stage: "authentication",
      message: expect.stringMatching(/the SSH agent did not sign with agent key SHA256:.* within 1 s/),
    });
  });

  it("with keys that ssh2 cannot use says so of each", async () => {
    const certified = newKey("certified");
    execFileSync("ssh-keygen", ["-q", "-s", inside("host_key"), "-I", "x", `${certified}.pub`]);
    const securityKey = inside("security");
    writeFileSync(securityKey, securityKeyFile(), { mode: 0o600 });
    const odd = await agentWith("odd", certified, securityKey);
    const [settings, options] = byConfig(`IdentityAgent ${odd}`);
    const { stage, message } = await attempt(settings, options);
    expect(stage).toBe("authentication");
    expect(message).toMatch(/agent key SHA256:\S+ cannot be used: security keys \(sk-…\) are not supported/);
    expect(message).toMatch(/agent key SHA256:\S+ cannot be used: certificates are not supported/);
    expect((await attempt(settingsFor(sshd, { identityFiles: [securityKey] }))).message).toContain(
      `${securityKey} cannot be used: security keys (sk-…) are not supported`,
    );
  });
});

describe("a host", () => {
  it("that takes nothing but keyboard-interactive is given the password once", async () => {
    const settings = settingsFor(interactive, { identityFiles: [] });
    expect((await attempt({ ...settings, password: new Secret(PASSWORD) })).stage).toBe("root");
    expect(await attempt({ ...settings, password: new Secret("wrong") })).toMatchObject({
      stage: "authentication",
      message: expect.stringContaining("refused: password (keyboard-interactive)"),
    });
    expect(await attempt(settings)).toMatchObject({
      stage: "authentication",
      message: expect.stringMatching(/it accepts keyboard-interactive.*ssh\.password/),
    });
    // Pam's own count of failures: one for the wrong password, none for the host that was asked nothing.
    expect(interactive.log().split("authentication failure").length - 1).toBeLessThanOrEqual(1);
  });

  it("that speaks post-quantum key exchanges only is refused with the setting that would let meshctl in", async () => {
    expect(await attempt(settingsFor(modern))).toMatchObject({
      stage: "key exchange",
      message: expect.stringMatching(
        /no matching key exchange algorithm.*not the post-quantum.*KexAlgorithms/,
      ),
    });
  });

  it("that lets nobody in is tried with an ssh command that does the same", async () => {
    const wrong = newKey("reproduced");
    const { message } = await attempt(settingsFor(sshd, { identityFiles: [wrong] }));
    const command = /Try: (.*)$/.exec(message)?.[1] ?? "";
    expect(command).toBe(
      `ssh -v -i ${wrong} -o 'UserKnownHostsFile="${sshd.knownHostsFile}"' -p ${sshd.port} -l ops 127.0.0.1`,
    );
    const again = () =>
      execFileSync("sh", ["-c", `${command.replace("ssh -v", "ssh -o BatchMode=yes")} true`], {
        stdio: "pipe",
      });
    expect(again).toThrow(/Permission denied/);
    authorize(sshd, `${wrong}.pub`);
    expect(again).not.toThrow();
  });
});

describe("a password for sudo", () => {
  const typist = () => settingsFor(sshd, { user: "typist" });
  function wrongPasswords(): number {
    return readFileSync(inside("sudo.log"), "utf8").split("incorrect password attempt").length - 1;
  }

  it("is asked for once, when the first host turns out to want it, and used for all", async () => {
    const asked: string[] = [];
    const settings = [settingsFor(sshd), ...Array.from({ length: 5 }, typist)];
    const outcomes = await attempts(settings, {
      askSudoPassword: async (host, user) => {
        asked.push(`${user} ${host.slice(0, 5)}`);
        await sleep(200);
        return new Secret(PASSWORD);
      },
    });
    expect(outcomes.map(({ stage }) => stage)).toEqual(Array.from({ length: 6 }, () => "root"));
    expect(asked).toEqual(["typist host-"]);
  });

  it("that the first host refuses is sent to no other", async () => {
    const before = wrongPasswords();
    const outcomes = await attempts(Array.from({ length: 4 }, typist), {
      askSudoPassword: async () => new Secret("a slip"),
    });
    expect(outcomes.map(({ stage }) => stage)).toEqual(Array.from({ length: 4 }, () => "privilege"));
    const messages = outcomes.map(({ message }) => message);
    expect(messages.filter((message) => message.includes("sudo did not take the password"))).toHaveLength(1);
    expect(
      messages.filter((message) => /was refused by host-\d and is not tried here/.test(message)),
    ).toHaveLength(3);
    expect(wrongPasswords() - before).toBe(1);
  });

  it("goes to the next host where the one that asked for it is lost before it takes it", async () => {
    const proxy = await startTcpProxy(sshd.port);
    const open = remoteOpener({
      askSudoPassword: async () => {
        await proxy.stop();
        return new Secret(PASSWORD);
      },
    });
    const known = { hostKeys: "accept-new", knownHostsFiles: ["/dev/null"] } as const;
    const lost = open("lost", { ...typist(), ...known, port: proxy.port });
    const others = ["one", "other"].map((name) => open(name, typist()));
    const first = lost.run("id -un", now);
    await expect(first).rejects.toMatchObject({ stage: "connect" });
    const outcomes = await Promise.all(others.map((remote) => remote.run("id -un", now)));
    expect(outcomes.map(({ stdout }) => stdout)).toEqual(["root\n", "root\n"]);
    await Promise.all([lost, ...others].map((remote) => remote.end()));
  });

  it("that nobody types leaves the advice", async () => {
    const asked: string[] = [];
    const [one, other] = await attempts([typist(), typist()], {
      askSudoPassword: async (host) => {
        asked.push(host);
        return undefined;
      },
    });
    expect(one).toMatchObject({
      stage: "privilege",
      message: expect.stringContaining("Set ssh.sudo_password"),
    });
    expect(other?.stage).toBe("privilege");
    expect(asked).toHaveLength(1);
  });

  it("that a rule for one command makes needless is not executed by the shell which that rule starts", async () => {
    const settings = settingsFor(sshd, { user: "fisher", sudoPassword: new Secret("touch /tmp/never") });
    expect(await attempt(settings)).toMatchObject({ stage: "root" });
    expect(existsSync("/tmp/never")).toBe(false);
  });

  it("cannot help where sudo wants a terminal, which the message says", async () => {
    expect(await attempt(settingsFor(sshd, { user: "tenex" }))).toMatchObject({
      stage: "privilege",
      message: expect.stringMatching(/must have a tty.*!requiretty/),
    });
  });
});

/** Sends what it reads to the agent at $ARGV[0] and prints the answer. */
const ASK_AGENT = `
  my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die; binmode STDIN; local $/; syswrite $s, <STDIN>;
  sysread $s, my $n, 4; my $want = unpack "N", $n; my $all = "";
  while (length $all < $want) { sysread $s, my $b, $want or die; $all .= $b } print $n, $all`;

/** A private key file of a security key, as ssh-keygen would write it with one at hand (OpenSSH's PROTOCOL.key). */
function securityKeyFile(): string {
  const part = (bytes: Buffer | string) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, Buffer.from(bytes)]);
  };
  const key = Buffer.concat([part("sk-ssh-ed25519@openssh.com"), part(Buffer.alloc(32, 7)), part("ssh:")]);
  const secret = [Buffer.alloc(8), key, Buffer.from([1]), part(Buffer.alloc(64, 9)), part(""), part("")];
  const unpadded = Buffer.concat(secret);
  const padding = Buffer.from(Array.from({ length: (8 - (unpadded.length % 8)) % 8 }, (_, i) => i + 1));
  const whole = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    part("none"),
    part("none"),
    part(""),
    Buffer.from([0, 0, 0, 1]),
    part(key),
    part(Buffer.concat([unpadded, padding])),
  ]);
  const lines = whole.toString("base64").replace(/(.{70})/g, "$1\n");
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}\n-----END OPENSSH PRIVATE KEY-----\n`;
}
