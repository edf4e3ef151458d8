import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SshSettings } from "../../../src/inventory/ssh-settings.ts";
import { combine } from "../../../src/remote/effective-settings.ts";
import type { HostKeyQuestion } from "../../../src/remote/host-key.ts";
import { remoteOpener, type SshOptions } from "../../../src/remote/open.ts";
import { sshConfigReader } from "../../../src/remote/ssh-config.ts";
import { sshConfigFromFiles } from "../../../src/remote/ssh-config-files.ts";
import { Secret } from "../../../src/secret.ts";
import { settingsFor } from "./settings.ts";
import { authorize, keygen, PASSWORD, startSshd, type TestSshd } from "./sshd.ts";

let sshd: TestSshd;
let strange: TestSshd;
const now = { during: "test", timeoutMs: 10_000 };

beforeAll(async () => {
  sshd = await startSshd({
    sudoers: "ops ALL=(ALL) NOPASSWD: ALL\ntypist ALL=(ALL) ALL\n",
    doasConf: "permit nopass ops\n",
  });
  strange = await startSshd({
    config: ["PasswordAuthentication yes", "KbdInteractiveAuthentication yes", "UsePAM yes", "MaxSessions 1"],
  });
});
afterAll(async () => {
  await sshd?.stop();
  await strange?.stop();
});

/** Says "root" when a script could be run, and how it failed otherwise. */
async function attempt(
  settings: SshSettings,
  options: SshOptions = {},
): Promise<{ stage: string; message: string; mayPass?: boolean }> {
  // Not this machine's own ssh_config, which on Debian hashes new names.
  const remote = remoteOpener({ sshConfigFile: "/dev/null", ...options })("one", settings);
  try {
    const { stdout } = await remote.run("id -un", now);
    return { stage: stdout.trim(), message: "" };
  } catch (error) {
    return error as { stage: string; message: string };
  } finally {
    await remote.end();
  }
}

function file(name: string, text: string): string {
  const path = `${sshd.directory}/${name}`;
  writeFileSync(path, text);
  return path;
}

function fingerprintOf(publicKeyFile: string): string {
  return execFileSync("ssh-keygen", ["-lf", publicKeyFile]).toString().split(" ")[1] as string;
}

describe("a host key", () => {
  it("that nobody knows is refused with its fingerprint and the command that adds it", async () => {
    const empty = file("empty", "");
    const { stage, message } = await attempt(settingsFor(sshd, { knownHostsFiles: [empty] }));
    expect(stage).toBe("host key");
    expect(message).toContain(fingerprintOf(`${sshd.directory}/host_key.pub`));
    expect(message).toContain(`ssh-keyscan -t ed25519 -p ${sshd.port} '127.0.0.1' >> '${empty}'`);
    expect(readFileSync(empty, "utf8")).toBe("");
  });

  it("that has changed is refused with both fingerprints and the line it contradicts", async () => {
    const lines = `# a comment\n[127.0.0.1]:${sshd.port} ${strange.hostPublicKey}\n`;
    for (const hostKeys of ["strict", "accept-new", "ask"] as const) {
      const changed = file("changed", lines);
      const { stage, message } = await attempt(settingsFor(sshd, { knownHostsFiles: [changed], hostKeys }), {
        askHostKey: async () => true,
      });
      expect(stage).toBe("host key");
      expect(message).toContain(`${changed}:2`);
      expect(message).toContain(fingerprintOf(`${sshd.directory}/host_key.pub`));
      expect(message).toContain(fingerprintOf(`${strange.directory}/host_key.pub`));
      expect(readFileSync(changed, "utf8")).toBe(lines);
    }
  });

  it("that is revoked is refused although another line trusts it", async () => {
    const known = readFileSync(sshd.knownHostsFile, "utf8");
    const revoked = file("revoked", `${known}@revoked * ${sshd.hostPublicKey}\n`);
    expect(await attempt(settingsFor(sshd, { knownHostsFiles: [revoked] }))).toMatchObject({
      stage: "host key",
      message: expect.stringContaining(`revoked by ${revoked}:2`),
    });
  });

  it("known only through a certificate authority is refused with that reason", async () => {
    const authority = file("authority", `@cert-authority * ${strange.hostPublicKey}\n`);
    expect(await attempt(settingsFor(sshd, { knownHostsFiles: [authority] }))).toMatchObject({
      stage: "host key",
      message: expect.stringContaining(`${authority}:1 trusts a certificate authority`),
    });
  });

  it("is found hashed, among several files, one of which is not there", async () => {
    const hashed = file("hashed", readFileSync(sshd.knownHostsFile, "utf8"));
    execFileSync("ssh-keygen", ["-H", "-f", hashed], { stdio: "ignore" });
    expect(readFileSync(hashed, "utf8")).toMatch(/^\|1\|/);
    const settings = settingsFor(sshd, { knownHostsFiles: [`${sshd.directory}/nothing`, hashed] });
    expect((await attempt(settings)).stage).toBe("root");
  });

  it("cannot be judged by a file that cannot be read", async () => {
    expect(await attempt(settingsFor(sshd, { knownHostsFiles: [sshd.directory] }))).toMatchObject({
      stage: "host key",
      message: expect.stringContaining("cannot be read"),
    });
  });

  it("of a new host is added once by accept-new, also when twenty connections add it at a time", async () => {
    const fresh = file("fresh", "# no line break at the end");
    const settings = settingsFor(sshd, { knownHostsFiles: [fresh], hostKeys: "accept-new" });
    const stages = await Promise.all(Array.from({ length: 20 }, () => attempt(settings)));
    expect(new Set(stages.map(({ stage }) => stage))).toEqual(new Set(["root"]));
    expect(readFileSync(fresh, "utf8")).toBe(
      `# no line break at the end\n[127.0.0.1]:${sshd.port} ${sshd.hostPublicKey}\n`,
    );
    expect((await attempt({ ...settings, hostKeys: "strict" })).stage).toBe("root");
  });

  it("is added by many processes at a time without losing a line", async () => {
    const fresh = file("crowded", "");
    const program = `
      const { appendKnownHost } = await import(process.argv[1]);
      for (let i = 0; i < 10; i += 1) await appendKnownHost(process.argv[2], async () => process.argv[3] + "-" + i);`;
    const source = fileURLToPath(new URL("../../../src/remote/known-hosts-file.ts", import.meta.url));
    const processes = Array.from({ length: 4 }, (_, i) =>
      spawn(process.execPath, [
        "--import",
        "tsx",
        "--input-type=module",
        "-e",
        program,
        source,
        fresh,
        `line-${i}`,
      ]),
    );
    await Promise.all(processes.map((child) => once(child, "exit")));
    expect(readFileSync(fresh, "utf8").split("\n").sort()).toEqual(
      ["", ...[0, 1, 2, 3].flatMap((i) => Array.from({ length: 10 }, (_, j) => `line-${i}-${j}`))].sort(),
    );
  });

  it("is added with its name hashed where ssh_config says so, and found again", async () => {
    const fresh = file("to-hash", "");
    const sshConfigFile = file("hashing", "HashKnownHosts yes\n");
    const settings = settingsFor(sshd, { knownHostsFiles: [fresh], hostKeys: "accept-new" });
    for (const hostKeys of ["accept-new", "strict"] as const)
      expect((await attempt({ ...settings, hostKeys }, { sshConfigFile })).stage).toBe("root");
    expect(readFileSync(fresh, "utf8")).toMatch(/^\|1\|[^ ]+ ssh-ed25519 [^ ]+\n$/);
    const found = execFileSync("ssh-keygen", ["-F", `[127.0.0.1]:${sshd.port}`, "-f", fresh]).toString();
    expect(found).toContain("found: line 1");
  });

  it("that a RevokedHostKeys file lists is refused, and so is every key where that file cannot be read", async () => {
    const list = file("revoked-keys", `# stolen\n${sshd.hostPublicKey} comment\n`);
    const binary = `${sshd.directory}/revoked.krl`;
    execFileSync("ssh-keygen", ["-q", "-k", "-f", binary, `${sshd.directory}/host_key.pub`]);
    const withList = (path: string) => file("revoking", `RevokedHostKeys ${path}\n`);
    expect(await attempt(settingsFor(sshd), { sshConfigFile: withList(list) })).toMatchObject({
      stage: "host key",
      message: expect.stringContaining(`is revoked by ${list}:2`),
    });
    for (const path of [binary, `${sshd.directory}/gone`]) {
      expect(await attempt(settingsFor(sshd), { sshConfigFile: withList(path) })).toMatchObject({
        stage: "host key",
        message: expect.stringContaining(path),
      });
    }
  });

  it("of the type that is known is asked for first, whichever the host prefers", async () => {
    const ecdsa = `${sshd.directory}/ecdsa`;
    execFileSync("ssh-keygen", ["-q", "-t", "ecdsa", "-N", "", "-C", "", "-f", ecdsa]);
    const both = await startSshd({ config: [`HostKey ${ecdsa}`] });
    try {
      const [type, key] = readFileSync(`${ecdsa}.pub`, "utf8").split(" ");
      const known = file("ecdsa-only", `[127.0.0.1]:${both.port} ${type} ${key}\n`);
      expect((await attempt(settingsFor(both, { knownHostsFiles: [known] }))).stage).toBe("root");
      expect((await attempt(settingsFor(both))).stage).toBe("root");
    } finally {
      await both.stop();
    }
  });

  it("of a new host is asked about, and kept only after a yes", async () => {
    const asked: HostKeyQuestion[] = [];
    const fresh = file("asked", "");
    const settings = settingsFor(sshd, { knownHostsFiles: [fresh], hostKeys: "ask" });
    const answer = (yes: boolean) => async (question: HostKeyQuestion) => {
      asked.push(question);
      return yes;
    };
    expect((await attempt(settings, { askHostKey: answer(false) })).stage).toBe("host key");
    expect(readFileSync(fresh, "utf8")).toBe("");
    expect((await attempt(settings, { askHostKey: answer(true) })).stage).toBe("root");
    expect((await attempt(settings, { askHostKey: answer(false) })).stage).toBe("root");
    expect(asked).toHaveLength(2);
    expect(asked[0]?.fingerprint).toBe(fingerprintOf(`${sshd.directory}/host_key.pub`));
    expect((await attempt({ ...settings, knownHostsFiles: [file("nobody", "")] })).stage).toBe("host key");
  });
});

describe("a login", () => {
  it("with a wrong key fails once, and says what was offered and what is accepted", async () => {
    keygen(`${sshd.directory}/wrong`);
    const { stage, message } = await attempt(
      settingsFor(sshd, { identityFiles: [`${sshd.directory}/wrong`] }),
    );
    expect(stage).toBe("authentication");
    expect(message).toContain(`refused: key file ${sshd.directory}/wrong; it accepts publickey`);
  });

  it("with an encrypted key needs its passphrase", async () => {
    const path = `${sshd.directory}/encrypted`;
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "pass phrase", "-a", "2", "-f", path]);
    authorize(sshd, `${path}.pub`);
    const settings = settingsFor(sshd, { identityFiles: [path] });
    expect((await attempt({ ...settings, passphrase: new Secret("pass phrase") })).stage).toBe("root");
    expect((await attempt(settings, { askPassphrase: async () => new Secret("pass phrase") })).stage).toBe(
      "root",
    );
    expect((await attempt(settings)).message).toContain("is encrypted and no passphrase is given");
    expect((await attempt({ ...settings, passphrase: new Secret("no") })).message).toContain("does not open");
  });

  it("with a key of the agent offers only the key that is named, and needs no passphrase", async () => {
    const socket = `${sshd.directory}/agent`;
    const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
    while (!existsSync(socket)) await sleep(20);
    const environment = { ...process.env, SSH_AUTH_SOCK: socket };
    for (const name of ["a", "b", "c", "d", "e", "f", "g", "right"]) {
      keygen(`${sshd.directory}/agent_${name}`);
      execFileSync("ssh-add", ["-q", `${sshd.directory}/agent_${name}`], {
        env: environment,
        stdio: "ignore",
      });
    }
    authorize(sshd, `${sshd.directory}/agent_right.pub`);
    const before = process.env.SSH_AUTH_SOCK;
    process.env.SSH_AUTH_SOCK = socket;
    try {
      // Seven wrong keys before the right one would run into MaxAuthTries (6).
      const settings = settingsFor(sshd, { identityFiles: [`${sshd.directory}/agent_right.pub`] });
      expect(await attempt(settings)).toMatchObject({ stage: "root" });
    } finally {
      if (before === undefined) delete process.env.SSH_AUTH_SOCK;
      else process.env.SSH_AUTH_SOCK = before;
      agent.kill();
    }
  });

  it("gets past an agent that is not there", async () => {
    const before = process.env.SSH_AUTH_SOCK;
    process.env.SSH_AUTH_SOCK = `${sshd.directory}/no-agent`;
    try {
      expect((await attempt(settingsFor(sshd))).stage).toBe("root");
    } finally {
      if (before === undefined) delete process.env.SSH_AUTH_SOCK;
      else process.env.SSH_AUTH_SOCK = before;
    }
  });

  it("says what is missing or cannot be used", async () => {
    const missing = `${sshd.directory}/missing`;
    expect((await attempt(settingsFor(sshd, { identityFiles: [missing] }))).message).toContain(
      "does not exist",
    );
    const certificate = `${sshd.directory}/certified`;
    keygen(certificate);
    execFileSync("ssh-keygen", ["-q", "-s", `${sshd.directory}/host_key`, "-I", "x", `${certificate}.pub`]);
    const settings = settingsFor(sshd, { identityFiles: [`${certificate}-cert.pub`] });
    expect((await attempt(settings)).message).toContain("certificates are not supported");
  });

  it("with a password works, and fails once with a wrong one", async () => {
    const settings = settingsFor(strange, { identityFiles: [] });
    expect((await attempt({ ...settings, password: new Secret(PASSWORD) })).stage).toBe("root");
    const failed = () => strange.log().split(/Failed (?:password|keyboard-interactive)/).length - 1;
    const before = failed();
    expect(await attempt({ ...settings, password: new Secret("wrong") })).toMatchObject({
      stage: "authentication",
      message: expect.stringMatching(/refused: password; it accepts .*keyboard-interactive/),
      mayPass: false,
    });
    // Before the connection is closed sshd has logged whatever it refused.
    await expect.poll(() => strange.log()).toMatch(/Connection closed by authenticating user ops/);
    expect(failed() - before).toBe(1);
  });

  it("with a wrong password is not tried again where the host hangs up on it without a word", async () => {
    // PAM makes a wrong password wait for longer than sshd does.
    const impatient = await startSshd({
      config: ["PasswordAuthentication yes", "UsePAM yes", "LoginGraceTime 1"],
    });
    try {
      const settings = settingsFor(impatient, { identityFiles: [], password: new Secret("wrong") });
      expect(await attempt(settings)).toMatchObject({
        stage: "authentication",
        message: expect.stringContaining(
          "the host closed the connection. ops is not let in: refused: password",
        ),
        mayPass: false,
      });
    } finally {
      await impatient.stop();
    }
  });

  it("with a password may come right where only root may log in yet, which the message says", async () => {
    const booting = await startSshd({
      config: ["PasswordAuthentication yes", "UsePAM yes"],
      nologin: "System is booting up.\n",
    });
    try {
      const settings = settingsFor(booting, { identityFiles: [], password: new Secret(PASSWORD) });
      expect(await attempt(settings)).toMatchObject({
        stage: "authentication",
        message: expect.stringContaining("said: System is booting up."),
        mayPass: true,
      });
    } finally {
      await booting.stop();
    }
  });
});

describe("root", () => {
  it("is had by sudo with a password, which no shell sees", async () => {
    const settings = settingsFor(sshd, { user: "typist", sudoPassword: new Secret(PASSWORD) });
    expect((await attempt(settings)).stage).toBe("root");
    expect(existsSync("/tmp/never")).toBe(false);
  });

  it("is had where a password is given and none is needed, and no shell executes it", async () => {
    const settings = settingsFor(sshd, { sudoPassword: new Secret("touch /tmp/never") });
    expect((await attempt(settings)).stage).toBe("root");
    expect((await attempt({ ...settings, user: "root" })).stage).toBe("root");
    expect(existsSync("/tmp/never")).toBe(false);
  });

  it("is not had with a wrong password: asked once, no second guess", async () => {
    const settings = settingsFor(sshd, { user: "typist", sudoPassword: new Secret("wrong") });
    expect(await attempt(settings)).toMatchObject({
      stage: "privilege",
      message: expect.stringContaining("did not take the password"),
    });
  });

  /** As sudo's own log counts them. */
  function wrongPasswords(): number {
    const log = readFileSync(join(sshd.directory, "sudo.log"), "utf8");
    return log.split("incorrect password attempt").length - 1;
  }

  it("is asked for once with a wrong password, however many scripts there are", async () => {
    const settings = settingsFor(sshd, { user: "typist", sudoPassword: new Secret("wrong") });
    const remote = remoteOpener()("one", settings);
    const before = wrongPasswords();
    const failures = await Promise.allSettled(Array.from({ length: 5 }, () => remote.run("id", now)));
    failures.push(...(await Promise.allSettled([remote.run("id", now)])));
    expect(failures.map((failure) => failure.status === "rejected" && failure.reason.stage)).toEqual(
      Array.from({ length: 6 }, () => "privilege"),
    );
    expect(wrongPasswords() - before).toBe(1);
    await remote.end();
  });

  it("is not had without the password that sudo wants", async () => {
    expect(await attempt(settingsFor(sshd, { user: "typist" }))).toMatchObject({
      stage: "privilege",
      message: expect.stringContaining("Set ssh.sudo_password"),
    });
  });

  it("is not had by a user where privilege is root", async () => {
    expect((await attempt(settingsFor(sshd, { privilege: "root" }))).stage).toBe("privilege");
  });

  it("is had by doas", async () => {
    expect((await attempt(settingsFor(sshd, { privilege: "doas" }))).stage).toBe("root");
  });
});

describe("a host that allows one session", () => {
  it("still runs scripts side by side, and beside a hold", async () => {
    const remote = remoteOpener()("one", settingsFor(strange));
    const run = (text: string) => remote.run(`sleep 0.1; echo ${text}`, now);
    expect((await Promise.all(["a", "b", "c"].map(run))).map(({ stdout }) => stdout)).toEqual([
      "a\n",
      "b\n",
      "c\n",
    ]);
    const held = await remote.hold("echo mine; cat >/dev/null", now);
    expect((await run("d")).stdout).toBe("d\n");
    expect((await Promise.all(["e", "f"].map(run))).map(({ stdout }) => stdout)).toEqual(["e\n", "f\n"]);
    expect(held.isHeld).toBe(true);
    await held.release();
    await remote.end();
  });
});

describe("ssh_config", () => {
  it("names user, port, key, known_hosts and a jump host, which is shared and verified", async () => {
    const config = file(
      "ssh_config",
      `Host bastion
  HostName 127.0.0.1
  Port ${strange.port}
  User ops
  IdentityFile ${strange.identityFile}
  UserKnownHostsFile ${strange.knownHostsFile}
Host inner
  HostName 127.0.0.1
  Port ${sshd.port}
  User ops
  IdentityFile ${sshd.identityFile}
  UserKnownHostsFile ${sshd.knownHostsFile}
  ProxyJump bastion
Host aliased
  HostName 127.0.0.1
  Port ${sshd.port}
  User ops
  IdentityFile ${sshd.identityFile}
  HostKeyAlias other-name
  UserKnownHostsFile ${file("aliased", `other-name ${sshd.hostPublicKey}\n`)}
Host command
  HostName 127.0.0.1
  Port ${sshd.port}
  User ops
  IdentityFile ${sshd.identityFile}
  UserKnownHostsFile ${sshd.knownHostsFile}
  ProxyCommand perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new("%h:%p"); if (fork) { while (sysread STDIN, $b, 65536) { syswrite $s, $b } $s->shutdown(1) } else { while (sysread $s, $b, 65536) { syswrite STDOUT, $b } }'
Host unverified
  HostName 127.0.0.1
  Port ${sshd.port}
  ProxyJump stranger
Host stranger
  HostName 127.0.0.1
  Port ${strange.port}
  UserKnownHostsFile ${file("stranger", "")}
`,
    );
    const bare = settingsFor(sshd, {
      port: undefined,
      user: undefined,
      identityFiles: undefined,
      knownHostsFiles: undefined,
    });
    const open = remoteOpener({ sshConfigFile: config });
    const before = strange.log().split("Accepted publickey").length;
    const remotes = [1, 2, 3].map((i) => open(`inner-${i}`, { ...bare, host: "inner" }));
    const outcomes = await Promise.all(remotes.map((remote) => remote.run("id -un", now)));
    expect(outcomes.map(({ stdout }) => stdout)).toEqual(["root\n", "root\n", "root\n"]);
    expect(strange.log().split("Accepted publickey").length - before).toBe(1);
    await Promise.all(remotes.map((remote) => remote.end()));
    for (const host of ["aliased", "command"]) {
      expect(await attempt({ ...bare, host }, { sshConfigFile: config })).toMatchObject({ stage: "root" });
    }
    expect(await attempt({ ...bare, host: "unverified" }, { sshConfigFile: config })).toMatchObject({
      stage: "jump host",
      message: expect.stringMatching(/^jump host stranger: host key: no known_hosts file/),
    });
  });

  it("means without an ssh client what it means to one", async () => {
    mkdirSync(`${sshd.directory}/conf.d/deep`, { recursive: true });
    file("conf.d/10-users", "Host db-*\n  User dba\nHost app-*\n  User deploy\n");
    file("conf.d/20-ports", "Port 2222\nIdentityFile ~/.ssh/fleet\n");
    file("conf.d/.hidden", "Port 1\n");
    file("conf.d/deep/secret", "Host *\n  ProxyJump hidden-way\n");
    const config = file(
      "included",
      `Include "${sshd.directory}/conf.d/*"
HostName %h.example
Host db-* !db-9
  Include = ${sshd.directory}/conf.d/deep/secret ${sshd.directory}/no-such-file
  ServerAliveInterval 7
Host *
  ConnectTimeout 4
Match user ops
  IdentityFile ~/.ssh/for-ops
Match host "db-1*"
  HostKeyAlias one
`,
    );
    const keywords =
      "hostname user port identityfile proxyjump serveraliveinterval connecttimeout hostkeyalias".split(" ");
    const targets = [
      { name: "db-1", user: undefined, port: undefined },
      { name: "db-9", user: undefined, port: undefined },
      { name: "app-1", user: "ops", port: undefined },
      { name: "other", user: undefined, port: 22 },
    ];
    const defaults = await sshConfigReader("/dev/null", () => {}).defaults();
    for (const target of targets) {
      const real = await sshConfigReader(config, () => {}).valuesFor(target);
      const own = await sshConfigFromFiles(target, config);
      for (const keyword of keywords) {
        if (keyword === "port" && target.port !== undefined) continue;
        if (keyword === "user" && target.user === undefined && target.name === "other") continue;
        if (keyword === "hostname") {
          expect(combine("a", settingsFor(sshd, { host: target.name }), own, defaults).hostName.value).toBe(
            real.get(keyword)?.[0],
          );
          continue;
        }
        const expected = real.get(keyword);
        const isDefault = expected?.join() === defaults.get(keyword)?.join();
        expect([target.name, keyword, own.get(keyword)]).toEqual([
          target.name,
          keyword,
          isDefault ? undefined : expected,
        ]);
      }
    }
  });

  it("is read without an ssh client, which is said once", async () => {
    const config = file("no-client", `Include ${file("port", `Port ${sshd.port}\n`)}\n`);
    const warnings: string[] = [];
    const path = process.env.PATH;
    process.env.PATH = "/nowhere";
    try {
      const settings = settingsFor(sshd, { port: undefined });
      const options = { sshConfigFile: config, warn: (message: string) => warnings.push(message) };
      expect(await attempt(settings, options)).toMatchObject({ stage: "root" });
    } finally {
      process.env.PATH = path;
    }
    expect(warnings).toEqual([expect.stringContaining("without Match exec")]);
  });

  it("that is wrong is said to be wrong", async () => {
    const config = file("broken_config", "Host *\n  NoSuchKeyword yes\n");
    expect(await attempt(settingsFor(sshd), { sshConfigFile: config })).toMatchObject({
      stage: "settings",
      message: expect.stringContaining("NoSuchKeyword".toLowerCase()),
    });
  });
});
