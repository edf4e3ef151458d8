import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import type { SshSettings } from "../../../src/inventory/ssh-settings.ts";
import { HostReader } from "../../../src/reader/host-reader.ts";
import { lookThrough } from "../../../src/reader/look.ts";
import { Reader } from "../../../src/reader/reader.ts";
import { remoteOpener, type SshOptions } from "../../../src/remote/open.ts";
import type { Remote } from "../../../src/remote/remote.ts";
import { Secret } from "../../../src/secret.ts";
import { settingsFor } from "./settings.ts";
import { PASSWORD, type SshdOptions, startSshd, type TestSshd } from "./sshd.ts";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";

let sshd: TestSshd;
let proxy: TcpProxy | undefined;
let remote: Remote;
let reader: HostReader;
const now = { during: "test", timeoutMs: 30_000 };

afterEach(async () => {
  await remote?.end();
  await proxy?.stop();
  proxy = undefined;
  await sshd?.stop();
});

async function start(
  options: SshdOptions = {},
  settings: Partial<SshSettings> = {},
  ssh: SshOptions = {},
): Promise<void> {
  sshd = await startSshd(options);
  open(settings, ssh);
}

function open(settings: Partial<SshSettings> = {}, ssh: SshOptions = {}): void {
  remote = remoteOpener(ssh)("one", settingsFor(sshd, settings));
  reader = new HostReader(remote);
}

const look = () => new Reader(lookThrough(reader));

/** What root alone may read, and much of it, so that it comes in several pieces. */
async function expectToRead(): Promise<void> {
  const one = look();
  const [shadow, packages, self] = await Promise.all([
    one.lines("/etc/shadow", "^root:"),
    one.packages(),
    one.text("/proc/self/status"),
  ]);
  expect(shadow).toMatchObject({ is: "value", value: { lines: [{ number: 1 }] } });
  expect(packages.is === "value" && packages.value.versions.size).toBeGreaterThan(50);
  expect(self.is === "value" && self.value).toMatch(/^Uid:\t0\t0\t0\t0$/m);
}

/** Every reader that descends from the test's server, with its workers. */
function readers(): readonly number[] {
  const parents = new Map<number, number>();
  const names = new Map<number, string>();
  for (const pid of readdirSync("/proc").map(Number).filter(Boolean)) {
    try {
      const [, name, rest] = /^\d+ \((.*)\) (.*)/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))!;
      const [state, parent] = rest!.split(" ");
      if (state === "Z") continue;
      parents.set(pid, Number(parent));
      names.set(pid, name!);
    } catch {
      // It ended meanwhile.
    }
  }
  const server = Number(readFileSync(`${sshd.directory}/sshd.pid`, "utf8"));
  const descends = (pid: number): boolean => pid === server || (pid > 1 && descends(parents.get(pid) ?? 0));
  return [...names].filter(([pid, name]) => name === "perl" && descends(pid)).map(([pid]) => pid);
}

function living(pids: readonly number[]): readonly number[] {
  return pids.filter((pid) => {
    try {
      return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
    } catch {
      return false;
    }
  });
}

const connections = () => sshd.log().split("Accepted publickey").length - 1;

describe("the reader", () => {
  const withPassword = { user: "typist", sudoPassword: new Secret(PASSWORD) } as const;
  const sudoers = (...defaults: string[]) =>
    `${defaults.map((line) => `Defaults ${line}\n`).join("")}ops, fisher, tenex ALL=(ALL) NOPASSWD: ALL\ntypist ALL=(ALL) ALL\n`;

  it.each<[string, SshdOptions, Partial<SshSettings>]>([
    ["as root", {}, { user: "root" }],
    ["by sudo", {}, {}],
    ["by sudo that wants a password", { sudoers: sudoers() }, withPassword],
    ["by sudo with use_pty", { sudoers: sudoers("use_pty") }, {}],
    ["by sudo with use_pty and a password", { sudoers: sudoers("use_pty") }, withPassword],
    ["by sudo that logs", { sudoers: sudoers("log_input, log_output", "iolog_dir=/tmp/meshctl-iolog") }, {}],
    [
      "by sudo that logs and wants a password",
      { sudoers: sudoers("use_pty, log_input, log_output", "iolog_dir=/tmp/meshctl-iolog") },
      withPassword,
    ],
    ["by doas", { doasConf: "permit nopass ops\n" }, { privilege: "doas" }],
    ["from fish", {}, { user: "fisher" }],
    ["from csh", {}, { user: "tenex" }],
    ["behind start-up files that print", { bashrc: "echo junk; echo junk >&2\n" }, {}],
    [
      "where clients that are quiet are asked",
      { config: ["ClientAliveInterval 1", "ClientAliveCountMax 2"] },
      {},
    ],
  ])("reads what root may read %s", async (_, options, settings) => {
    await start(options, settings);
    await expectToRead();
    await sleep(3_000);
    const before = remote.execs;
    await expectToRead();
    // Held open: no new exec, no sudo, no shell.
    expect(remote.execs).toBe(before);
    const pids = readers();
    expect(pids.length).toBeGreaterThan(0);
    await reader.end();
    await expect.poll(() => living(pids)).toEqual([]);
  });

  it("is started again when sudo's command_timeout ends it", async () => {
    await start({ sudoers: sudoers("command_timeout=3") });
    await expectToRead();
    const [first] = readers();
    await expect.poll(() => living([first!]), { timeout: 30_000 }).toEqual([]);
    await expectToRead();
    expect(readers()).not.toContain(first);
  });

  it("killed in the middle of an answer is started again, and the answer comes whole", async () => {
    await start();
    await expectToRead();
    const before = readers();
    const packages = look().packages();
    const all = look().lines("/var/lib/dpkg/status", ".");
    await sleep(20);
    for (const pid of before) process.kill(pid, "SIGKILL");
    const read = await packages;
    expect(read.is === "value" && read.value.versions.has("perl-base")).toBe(true);
    // More than one answer may hold, with or without a death.
    expect((await all).is).not.toBe("absent");
  });

  it("that is stopped in its tracks is given up, and the next look has another one", async () => {
    await start();
    await expectToRead();
    const [pid] = readers();
    process.kill(pid!, "SIGSTOP");
    try {
      expect(await look().text("/proc/uptime")).toMatchObject({
        is: "unreadable",
        because: "the reader said nothing for 40 s",
      });
      await expectToRead();
      expect(readers()).toContain(pid);
    } finally {
      process.kill(pid!, "SIGCONT");
    }
  });
});

describe("a host that grants one session", () => {
  const config = ["MaxSessions 1"];

  it("lets a lock, changes and looks take turns, over two connections at most", async () => {
    await start({ config });
    await expectToRead();
    const held = await remote.hold("echo mine; cat >/dev/null", now);
    expect(held.firstLine).toBe("mine");
    for (let turn = 0; turn < 3; turn += 1) {
      await expectToRead();
      expect((await remote.run("id -u", now)).stdout).toBe("0\n");
    }
    await Promise.all([
      expectToRead(),
      remote.run("sleep 0.2; echo a", now),
      expectToRead(),
      remote.run("echo b", now),
    ]);
    expect(held.isHeld).toBe(true);
    expect(connections()).toBe(2);
    expect(await held.release()).toBe(true);
    await expectToRead();
    expect(connections()).toBe(2);
  });
});

describe("nothing of root's is left on the host", () => {
  it("when meshctl is killed", async () => {
    await start();
    const client = spawn(
      process.execPath,
      [
        "--import",
        "tsx",
        new URL("./read-for-ever.ts", import.meta.url).pathname,
        JSON.stringify(settingsFor(sshd)),
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    await new Promise((resolve) => client.stdout.once("data", resolve));
    const pids = readers();
    expect(pids.length).toBeGreaterThan(0);
    client.kill("SIGKILL");
    await expect.poll(() => living(pids), { timeout: 90_000 }).toEqual([]);
  });

  it.each(["cut", "freeze"] as const)("when the network is lost: %s", async (how) => {
    sshd = await startSshd();
    proxy = await startTcpProxy(sshd.port);
    open(
      { port: proxy.port, hostKeys: "accept-new", knownHostsFiles: ["/dev/null"] },
      { deadlines: { keepaliveMs: 300 } },
    );
    await expectToRead();
    const pids = readers();
    expect(pids.length).toBeGreaterThan(0);
    proxy[how]();
    // By itself: sshd notices nothing of a host that is just silent.
    await expect.poll(() => living(pids), { timeout: 120_000 }).toEqual([]);
  });
});
