import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { HostLost } from "../../../src/errors.ts";
import type { SshSettings } from "../../../src/inventory/ssh-settings.ts";
import { remoteOpener } from "../../../src/remote/open.ts";
import type { Remote } from "../../../src/remote/remote.ts";
import { Secret } from "../../../src/secret.ts";
import { meshctl, startMeshctl } from "../meshctl.ts";
import { settingsFor } from "./settings.ts";
import { keygen, PASSWORD, startSshd, type TestSshd } from "./sshd.ts";
import { startTcpProxy } from "./tcp-proxy.ts";

const now = { during: "test", timeoutMs: 30_000 };
let sshd: TestSshd;
let runtime: string;
const remotes: Remote[] = [];
const inside = (name: string) => join(sshd.directory, name);

beforeAll(async () => {
  sshd = await startSshd({
    config: [`TrustedUserCAKeys ${"/run/sshd/meshctl-test-ca.pub"}`],
    sudoers: "ops ALL=(ALL) NOPASSWD: ALL\ntypist ALL=(ALL) ALL\n",
  });
  runtime = inside("run");
  mkdirSync(runtime, { mode: 0o700 });
  process.env.XDG_RUNTIME_DIR = runtime;
});
afterEach(async () => {
  for (const remote of remotes.splice(0)) await remote.end();
});
afterAll(() => sshd?.stop());

function remoteOf(
  changed: Partial<SshSettings> = {},
  options: Parameters<typeof remoteOpener>[0] = {},
): Remote {
  const remote = remoteOpener(options)("one", settingsFor(sshd, { client: "openssh", ...changed }));
  remotes.push(remote);
  return remote;
}

const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => expect.fail("it should have failed"),
    (error: Error) => error,
  );

/** What is left of connections: directories with sockets, and processes that have them in their arguments. */
function left(): string[] {
  const processes = execFileSync("ps", ["-eo", "args"]).toString().split("\n");
  return [
    ...readdirSync(runtime),
    ...processes.filter((line) => line.includes(runtime) && line.includes("ssh")),
  ];
}

describe("the system's ssh", () => {
  it("lets in with a certificate, which the built-in client has no way for", async () => {
    keygen(inside("ca"));
    writeFileSync("/run/sshd/meshctl-test-ca.pub", readFileSync(inside("ca.pub")));
    keygen(inside("certified"));
    execFileSync("ssh-keygen", ["-q", "-s", inside("ca"), "-I", "one", "-n", "ops", inside("certified.pub")]);
    const identityFiles = [inside("certified")];
    expect((await remoteOf({ identityFiles }).run("id -un", now)).stdout).toBe("root\n");
    expect(
      (await failureOf(remoteOf({ identityFiles, client: "built-in" }).run("id", now))).message,
    ).toContain("certificates are not supported");
  });

  it("speaks post-quantum key exchanges", async () => {
    const modern = await startSshd({ config: ["KexAlgorithms sntrup761x25519-sha512@openssh.com"] });
    const settings = {
      port: modern.port,
      identityFiles: [modern.identityFile],
      knownHostsFiles: [modern.knownHostsFile],
    };
    expect((await remoteOf(settings).run("id -un", now)).stdout).toBe("root\n");
    await modern.stop();
  });

  it("hands sudo its password, once, and says when it is wrong", async () => {
    const typist = { user: "typist" };
    expect(
      (await remoteOf({ ...typist, sudoPassword: new Secret(PASSWORD) }).run("id -un", now)).stdout,
    ).toBe("root\n");
    const wrong = remoteOf({ ...typist, sudoPassword: new Secret("wrong") });
    expect(await failureOf(wrong.run("id", now))).toMatchObject({ stage: "privilege" });
  });

  it("opens a second connection where what is held takes the only session", async () => {
    const narrow = await startSshd({ config: ["MaxSessions 1"] });
    const settings = {
      port: narrow.port,
      identityFiles: [narrow.identityFile],
      knownHostsFiles: [narrow.knownHostsFile],
    };
    const remote = remoteOf(settings);
    const held = await remote.hold("echo mine; cat >/dev/null", now);
    expect((await remote.run("echo beside", now)).stdout).toBe("beside\n");
    expect(await held.release()).toBe(true);
    await remote.end();
    await narrow.stop();
  });

  it.each([
    ["host key", { knownHostsFiles: ["/dev/null"] }, /host key is known for.*strict checking/],
    [
      "authentication",
      { identityFiles: ["STRANGER"] },
      /ops is not let in: .*Permission denied.*Try: ssh -v/,
    ],
    ["connect", { port: 1 }, /Connection refused/],
    ["name resolution", { host: "nowhere.invalid" }, /nowhere.invalid/],
    ["settings", { password: new Secret("x") }, /ssh.password is for meshctl's own client/],
    ["channel", { user: "closed" }, /login shell ended with code 1/],
  ] as const)("fails at the stage %s as the built-in client does", async (stage, changed, message) => {
    keygen(inside(`stranger-${stage.replace(" ", "-")}`));
    const settings =
      "identityFiles" in changed
        ? { identityFiles: [inside(`stranger-${stage.replace(" ", "-")}`)] }
        : changed;
    const error = await failureOf(remoteOf(settings as Partial<SshSettings>).run("id", now));
    expect(error).toMatchObject({ name: "HostUnreachable", stage, message: expect.stringMatching(message) });
  });

  it("tries again where the host hangs up on whoever is new, and connects anew when a connection went stale", async () => {
    const proxy = await startTcpProxy(sshd.port);
    const behind = { port: proxy.port, hostKeys: "accept-new", knownHostsFiles: [inside("seen")] } as const;
    const remote = remoteOf(behind);
    proxy.dropNext(2);
    expect((await remote.run("echo in", now)).stdout).toBe("in\n");
    expect(proxy.connections).toBe(3);
    const lost = failureOf(remote.run("echo begun; sleep 20", now));
    setTimeout(() => proxy.cut(), 1_000);
    const error = await lost;
    expect(error).toBeInstanceOf(HostLost);
    expect(error.message).toMatch(/^test was cut off/);
    expect((await remote.run("echo again", now)).stdout).toBe("again\n");
    await remote.end();
    await proxy.stop();
  });

  it("notices a host that falls silent", async () => {
    const proxy = await startTcpProxy(sshd.port);
    const behind = { port: proxy.port, hostKeys: "accept-new", knownHostsFiles: [inside("seen2")] } as const;
    const remote = remoteOf(behind, { deadlines: { keepaliveMs: 1_000 } });
    await remote.run("true", now);
    setTimeout(() => proxy.freeze(), 1_000);
    const error = await failureOf(remote.run("sleep 60", { ...now, timeoutMs: 300_000 }));
    expect(error).toBeInstanceOf(HostLost);
    expect(error.message).toMatch(/^test was cut off: .*not responding/);
    await remote.end();
    await proxy.stop();
  });
});

describe("connections of the system's ssh", () => {
  function inventory(): string {
    const path = inside("openssh.yaml");
    const ssh = `{ client: openssh, host: 127.0.0.1, port: ${sshd.port}, user: ops, identity_file: ${sshd.identityFile}, known_hosts: ${sshd.knownHostsFile} }`;
    writeFileSync(path, `version: 1\nhosts:\n  one: { address: 10.99.3.1, ssh: ${ssh} }\n`);
    return path;
  }
  const verify = () => ["verify", "-i", inventory(), "-p", "playbooks/sysctl.yaml", "--json"];
  const env = () => ({ XDG_RUNTIME_DIR: runtime });

  it("are in a directory of this user alone while they last, and gone with the session", async () => {
    const remote = remoteOf();
    await remote.run("true", now);
    const [directory] = readdirSync(runtime);
    expect(execFileSync("stat", ["-c", "%a", join(runtime, directory!)]).toString()).toBe("700\n");
    await remote.end();
    await expect.poll(left, { timeout: 20_000 }).toEqual([]);
  });

  it("are gone after a run that read what it wanted", async () => {
    const ended = await meshctl(verify(), { env: env() });
    expect(ended.events.filter(({ event }) => event === "evidence")).not.toEqual([]);
    await expect.poll(left, { timeout: 20_000 }).toEqual([]);
  });

  it.each(["SIGINT", "SIGTERM", "SIGKILL"] as const)("are gone after %s", async (signal) => {
    const bashrc = inside("home/.bashrc");
    writeFileSync(bashrc, "sleep 20\n");
    const run = startMeshctl(verify(), { env: env() });
    // The connection stands, and its host takes its time.
    await expect
      .poll(() => readdirSync(runtime).flatMap((name) => readdirSync(join(runtime, name))), {
        timeout: 30_000,
      })
      .toContain("s");
    run.signal(signal);
    run.signal(signal);
    await run.ended;
    writeFileSync(bashrc, "");
    await expect.poll(left, { timeout: 30_000 }).toEqual([]);
  });

  it("are told of by meshctl hosts", async () => {
    const { stdout } = await meshctl(["hosts", "one", "-i", inventory(), "-p", "playbooks/sysctl.yaml"]);
    expect(stdout).toContain("  client: openssh  (inventory)\n");
  });
});
