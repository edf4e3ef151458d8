import { execFile } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HostLost, type HostUnreachable } from "../../../src/errors.ts";
import { remoteOpener } from "../../../src/remote/open.ts";
import type { Remote } from "../../../src/remote/remote.ts";
import { eventually } from "../backends.ts";
import { settingsFor } from "./settings.ts";
import { keygen, startSshd, type TestSshd } from "./sshd.ts";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";

let first: TestSshd;
let second: TestSshd;
let host: TestSshd;
let proxy: TcpProxy;
/** Between the first jump host and the host. */
let inner: TcpProxy;
let config: string;
const now = { during: "writing the file", timeoutMs: 10_000 };

beforeAll(async () => {
  [first, second, host] = await Promise.all([startSshd(), startSshd(), startSshd()]);
  proxy = await startTcpProxy(first.port);
  inner = await startTcpProxy(host.port);
  const knownInner = `${host.directory}/known_proxy`;
  writeFileSync(knownInner, `[127.0.0.1]:${inner.port} ${host.hostPublicKey}\n`);
  const knownFirst = `${first.directory}/known_proxy`;
  writeFileSync(knownFirst, `[127.0.0.1]:${proxy.port} ${first.hostPublicKey}\n`);
  const wrongKey = `${first.directory}/wrong`;
  keygen(wrongKey);
  const nothing = `${first.directory}/nothing`;
  writeFileSync(nothing, "");
  config = `${first.directory}/ssh_config`;
  const entry = (name: string, port: number, sshd: TestSshd, known: string, ...more: string[]) =>
    [
      `Host ${name}`,
      "HostName 127.0.0.1",
      `Port ${port}`,
      "User ops",
      `IdentityFile ${sshd.identityFile}`,
      `UserKnownHostsFile ${known}`,
      ...more,
    ].join("\n  ");
  writeFileSync(
    config,
    [
      entry("first", proxy.port, first, knownFirst),
      entry("second", second.port, second, second.knownHostsFile, "ProxyJump first"),
      entry("listed", host.port, host, host.knownHostsFile, "ProxyJump first,plain"),
      entry("plain", second.port, second, second.knownHostsFile),
      entry("nested", host.port, host, host.knownHostsFile, "ProxyJump second"),
      entry("near", host.port, host, host.knownHostsFile, "ProxyJump first"),
      entry("behind", inner.port, host, knownInner, "ProxyJump first"),
      entry("circle", host.port, host, host.knownHostsFile, "ProxyJump circle"),
      entry("untrusted", second.port, second, nothing, "ProxyJump first"),
      entry("over-untrusted", host.port, host, host.knownHostsFile, "ProxyJump untrusted"),
      entry("locked", second.port, { ...second, identityFile: wrongKey }, second.knownHostsFile),
      entry("over-locked", host.port, host, host.knownHostsFile, "ProxyJump locked"),
      entry("beyond", 1, host, host.knownHostsFile, "ProxyJump first"),
      entry(
        "broken-command",
        host.port,
        host,
        host.knownHostsFile,
        "ProxyCommand sh -c 'echo no such way >&2; exit 7'",
      ),
      "",
    ].join("\n"),
  );
});
afterAll(async () => {
  await Promise.all([proxy?.stop(), inner?.stop()]);
  await Promise.all([first, second, host].map((sshd) => sshd?.stop()));
});

function opener(keepaliveMs = 10_000) {
  const open = remoteOpener({ sshConfigFile: config, deadlines: { keepaliveMs } });
  const bare = { port: undefined, user: undefined, identityFiles: undefined, knownHostsFiles: undefined };
  return (name: string, alias: string): Remote => open(name, settingsFor(host, { ...bare, host: alias }));
}

function logins(sshd: TestSshd): number {
  return sshd.log().split("Accepted publickey").length - 1;
}

async function failure(promise: Promise<unknown>): Promise<HostUnreachable | HostLost> {
  return promise.then(
    () => expect.fail("it should have failed"),
    (error) => error,
  );
}

describe("a chain of jump hosts", () => {
  it.each(["nested", "listed"])("is taken hop by hop, with one connection to each (%s)", async (alias) => {
    const before = [first, second, host].map(logins);
    const open = opener();
    const remotes = ["a", "b", "c", "d"].map((name) => open(name, alias));
    const outcomes = await Promise.all(remotes.map((remote) => remote.run("echo in", now)));
    expect(outcomes.map(({ stdout }) => stdout)).toEqual(["in\n", "in\n", "in\n", "in\n"]);
    expect([first, second, host].map((sshd, i) => logins(sshd) - before[i]!)).toEqual([1, 1, 4]);
    await Promise.all(remotes.map((remote) => remote.end()));
  });

  it("is trusted at every hop: one unknown key in the middle ends it, at the first look, by name", async () => {
    const open = opener();
    const before = second.log().split("Connection closed by").length;
    const errors = [];
    for (const name of ["a", "b", "c"])
      errors.push(await failure(open(name, "over-untrusted").run("true", now)));
    for (const error of errors) {
      expect(error).toMatchObject({
        name: "HostUnreachable",
        stage: "jump host",
        message: expect.stringMatching(/^jump host untrusted: host key: no known_hosts file has a key for/),
      });
    }
    // A host with PerSourcePenalties counts every look that does not log in.
    expect(second.log().split("Connection closed by").length).toBeLessThanOrEqual(before + 1);
  });

  it("that goes in a circle is refused", async () => {
    expect(await failure(opener()("a", "circle").run("true", now))).toMatchObject({
      stage: "jump host",
      message: expect.stringContaining("in a circle"),
    });
  });
});

describe("a jump host", () => {
  it("that refuses the key is asked once for all hosts behind it", async () => {
    const open = opener();
    const before = second.log().split("Connection closed by authenticating user").length;
    const errors = await Promise.all(
      ["a", "b", "c"].map((name) => failure(open(name, "over-locked").run("true", now))),
    );
    errors.push(await failure(open("d", "over-locked").run("true", now)));
    for (const error of errors) {
      expect(error).toMatchObject({
        stage: "jump host",
        message: expect.stringMatching(
          /^jump host locked: authentication: ops is not let in: refused: key file/,
        ),
      });
    }
    await sleep(100);
    expect(
      second.log().split("Connection closed by authenticating user").length - before,
    ).toBeLessThanOrEqual(1);
  });

  it("that does not get further is named with what it said", async () => {
    expect(await failure(opener()("a", "beyond").run("true", now))).toMatchObject({
      stage: "jump host",
      message: expect.stringMatching(
        /^jump host first: cannot open a connection to 127.0.0.1 port 1: .*refused/,
      ),
    });
  });

  it("that is cut off in the middle of a run is reported for every host behind it, and connected again", async () => {
    const open = opener();
    const remotes = [open("a", "near"), open("b", "nested"), open("c", "near")];
    await Promise.all(remotes.map((remote) => remote.run("true", now)));
    const running = remotes.map((remote) => failure(remote.run("echo begun; sleep 20", now)));
    await sleep(300);
    proxy.cut();
    for (const error of await Promise.all(running)) {
      expect(error).toBeInstanceOf(HostLost);
      expect(error.message).toMatch(
        /^writing the file was cut off: the jump host first was lost: .*unknown$/,
      );
    }
    const before = logins(first);
    const again = await Promise.all(remotes.map((remote) => remote.run("echo again", now)));
    expect(again.map(({ stdout }) => stdout)).toEqual(["again\n", "again\n", "again\n"]);
    expect(logins(first) - before).toBe(1);
    await Promise.all(remotes.map((remote) => remote.end()));
  });

  it("that falls silent is what the hosts behind it are said to have lost", async () => {
    const open = opener(150);
    const remotes = [open("a", "near"), open("b", "nested")];
    await Promise.all(remotes.map((remote) => remote.run("true", now)));
    const running = remotes.map((remote) => failure(remote.run("echo begun; sleep 20", now)));
    await sleep(200);
    proxy.freeze();
    try {
      for (const error of await Promise.all(running)) {
        expect(error).toBeInstanceOf(HostLost);
        expect(error.message).toContain("the jump host first was lost: Keepalive timeout");
      }
    } finally {
      proxy.thaw();
      await Promise.all(remotes.map((remote) => remote.end()));
    }
  });
});

describe("a host behind a jump host", () => {
  it("that freezes in the middle of an upload is lost, can be reached again, and is not waited for", async () => {
    const remote = opener(150)("a", "behind");
    await remote.run("true", now);
    let begun = 0;
    async function* upload() {
      const piece = Buffer.alloc(1024 * 1024);
      yield piece;
      begun += 1;
      if (begun === 6) inner.freeze();
      for (let pieces = 0; pieces < 3; pieces += 1) yield piece;
    }
    // Each may send 2 MiB before the host takes it: together more than the buffers on the way hold.
    const uploads = Array.from({ length: 6 }, () =>
      failure(remote.run("cat >/dev/null", { ...now, timeoutMs: 600_000, stdin: upload() })),
    );
    try {
      for (const error of await Promise.all(uploads)) {
        expect(error).toBeInstanceOf(HostLost);
        expect(error.message).toBe("writing the file was cut off: Keepalive timeout; its outcome is unknown");
      }
    } finally {
      inner.thaw();
    }
    expect((await remote.run("echo again", now)).stdout).toBe("again\n");
    inner.freeze();
    await remote.end();
    inner.thaw();
  });
});

describe("a ProxyCommand", () => {
  it("that fails is tried once and reported with its exit code and its words", async () => {
    expect(await failure(opener()("a", "broken-command").run("true", now))).toMatchObject({
      stage: "connect",
      message: expect.stringMatching(/^connect: ProxyCommand .* ended with code 7: no such way/),
    });
  });

  it("that hangs is what the deadline names, and keeps neither itself nor meshctl alive", async () => {
    const command = `${first.directory}/hang.sh`;
    writeFileSync(command, `trap "" TERM\nwhile :; do sleep 1; done\n`);
    const hanging = `${first.directory}/hanging_config`;
    writeFileSync(hanging, `Host *\n  ProxyCommand sh ${command}\n`);
    const program = `
      const { remoteOpener } = await import(process.argv[1]);
      const { sshConfigFile, settings } = JSON.parse(process.argv[2]);
      const remote = remoteOpener({ sshConfigFile, deadlines: { keyExchangeMs: 500 } })("one", settings);
      await remote.run("true", { during: "test", timeoutMs: 5000 }).catch((error) => console.log(error.message));
      await remote.end();`;
    const source = fileURLToPath(new URL("../../../src/remote/open.ts", import.meta.url));
    const given = JSON.stringify({ sshConfigFile: hanging, settings: settingsFor(host) });
    const { stdout } = await promisify(execFile)(process.execPath, [
      "--import",
      "tsx",
      "--input-type=module",
      "-e",
      program,
      source,
      given,
    ]);
    expect(stdout).toMatch(/^connect: ProxyCommand sh \S+hang.sh brought no answer within 0.5 s\./);
    // Nobody may have taken note of its end, but then it has no arguments any more.
    const { stdout: left } = await promisify(execFile)("ps", ["ax", "-o", "args"]);
    expect(left).not.toContain(command);
  });

  it("is told to end when meshctl is dropped, and so lets go of the host", async () => {
    const marker = `${first.directory}/dropped`;
    const command = `${first.directory}/dropped.sh`;
    writeFileSync(command, `echo begun >${marker}\nexec sleep 987\n`);
    const waiting = `${first.directory}/dropped_config`;
    writeFileSync(waiting, `Host *\n  ProxyCommand sh ${command}\n`);
    const program = `
      const { existsSync } = await import("node:fs");
      const { remoteOpener } = await import(process.argv[1]);
      const { sshConfigFile, settings, marker } = JSON.parse(process.argv[2]);
      void remoteOpener({ sshConfigFile })("one", settings).run("true", { during: "test", timeoutMs: 5000 });
      setInterval(() => existsSync(marker) && process.exit(130), 50);`;
    const source = fileURLToPath(new URL("../../../src/remote/open.ts", import.meta.url));
    const given = JSON.stringify({ sshConfigFile: waiting, settings: settingsFor(host), marker });
    const ended = promisify(execFile)(process.execPath, [
      ...["--import", "tsx", "--input-type=module", "-e", program, source, given],
    ]);
    await expect(ended).rejects.toMatchObject({ code: 130 });
    await eventually(
      "the command has ended",
      async () => (await promisify(execFile)("ps", ["ax", "-o", "args"])).stdout,
      (left) => !left.includes("sleep 987"),
    );
  });

  it("ends with the session", async () => {
    const marker = `${first.directory}/way`;
    const command = join(first.directory, "way.sh");
    writeFileSync(
      command,
      `echo $$ > ${marker}\nexec ssh -F ${config} -o BatchMode=yes -W 127.0.0.1:${host.port} first\n`,
    );
    writeFileSync(
      config,
      `${readFileSync(config, "utf8")}Host by-command\n  HostName 127.0.0.1\n  Port ${host.port}\n  User ops\n  IdentityFile ${host.identityFile}\n  UserKnownHostsFile ${host.knownHostsFile}\n  ProxyCommand sh ${command}\n`,
    );
    const remote = opener()("a", "by-command");
    expect((await remote.run("echo in", now)).stdout).toBe("in\n");
    const pid = readFileSync(marker, "utf8").trim();
    await remote.end();
    await expect.poll(() => existsSync(`/proc/${pid}`)).toBe(false);
  });
});
