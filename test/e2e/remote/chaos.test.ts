import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { HostLost, type HostUnreachable } from "../../../src/errors.ts";
import { remoteOpener } from "../../../src/remote/open.ts";
import type { Remote } from "../../../src/remote/remote.ts";
import { Secret } from "../../../src/secret.ts";
import { meshctl, summaryOf } from "../meshctl.ts";
import { settingsFor } from "./settings.ts";
import { PASSWORD, startSshd, type TestSshd } from "./sshd.ts";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";

let sshd: TestSshd;
let proxy: TcpProxy;
let remote: Remote;
const now = { during: "writing the file", timeoutMs: 5_000 };

beforeAll(async () => {
  sshd = await startSshd({ sudoers: "ops ALL=(ALL) NOPASSWD: ALL\ntypist ALL=(ALL) ALL\n" });
});
afterAll(() => sshd?.stop());

/** An ssh_config where "bastion" is the host through the proxy, and "behind" is reached over it. */
function jumpConfig(): string {
  const path = `${sshd.directory}/jump_config`;
  const lines = (port: number) =>
    `HostName 127.0.0.1\nPort ${port}\nUser ops\nIdentityFile ${sshd.identityFile}\nUserKnownHostsFile /dev/null\n` +
    "StrictHostKeyChecking accept-new\n";
  writeFileSync(
    path,
    `Host bastion\n${lines(proxy.port)}Host behind\n${lines(sshd.port)}ProxyJump bastion\n`,
  );
  return path;
}

/** An ssh_config that reaches every host over the test server itself. */
function overJumpHost(): string {
  const path = `${sshd.directory}/over_jump_host`;
  const login = `User ops\nIdentityFile ${sshd.identityFile}\nUserKnownHostsFile ${sshd.knownHostsFile}\n`;
  writeFileSync(
    path,
    `Host bastion\nHostName 127.0.0.1\nPort ${sshd.port}\n${login}Host 127.0.0.1\nProxyJump bastion\n`,
  );
  return path;
}

/** A host behind a new proxy, with deadlines short enough for a test. */
async function behindProxy(): Promise<void> {
  proxy = await startTcpProxy(sshd.port);
  const open = remoteOpener({
    deadlines: {
      keyExchangeMs: 1_000,
      authenticationMs: 1_000,
      channelMs: 1_000,
      shellMs: 1_000,
      keepaliveMs: 200,
    },
  });
  remote = open(
    "one",
    settingsFor(sshd, { port: proxy.port, hostKeys: "accept-new", knownHostsFiles: ["/dev/null"] }),
  );
}
afterEach(async () => {
  await remote?.end();
  await proxy?.stop();
});

async function failure(promise: Promise<unknown>): Promise<HostUnreachable | HostLost> {
  return promise.then(
    () => expect.fail("it should have failed"),
    (error) => error,
  );
}

describe("a connection that breaks", () => {
  it("in the middle of a script leaves the outcome unknown, and the next script connects again", async () => {
    await behindProxy();
    await remote.run("true", now);
    setTimeout(() => proxy.cut(), 200);
    const error = await failure(remote.run("echo begun; sleep 3", now));
    expect(error).toBeInstanceOf(HostLost);
    expect(error.message).toMatch(/^writing the file was cut off/);
    expect((await remote.run("echo again", now)).stdout).toBe("again\n");
    expect(proxy.connections).toBe(2);
  });

  it("between two scripts goes unnoticed", async () => {
    await behindProxy();
    await remote.run("true", now);
    proxy.cut();
    expect((await remote.run("echo again", now)).stdout).toBe("again\n");
  });

  it("while a long script is sent runs nothing of it", async () => {
    await behindProxy();
    const mark = `${sshd.directory}/ran`;
    await remote.run("true", now);
    const script = `touch ${mark}\n${`: ${"x".repeat(1_000)}\n`.repeat(1_000)}`;
    for (const bytes of [10_000, 500_000, 1_000_000]) {
      proxy.cutAfterSent(bytes);
      expect(await failure(remote.run(script, now))).toBeInstanceOf(HostLost);
      expect((await remote.run(`test -e ${mark}`, now)).exitCode).toBe(1);
    }
    expect((await remote.run(script, now)).exitCode).toBe(0);
    expect((await remote.run(`test -e ${mark}`, now)).exitCode).toBe(0);
  });

  it("before the key exchange is done is tried again, four times at most", async () => {
    await behindProxy();
    proxy.dropNext(2);
    expect((await remote.run("echo in", now)).stdout).toBe("in\n");
    expect(proxy.connections).toBe(3);
    await remote.end();
    await proxy.stop();
    await behindProxy();
    proxy.dropNext(100);
    expect(await failure(remote.run("true", now))).toMatchObject({
      name: "HostUnreachable",
      stage: "key exchange",
    });
    expect(proxy.connections).toBe(4);
  });
});

describe("a host that falls silent", () => {
  it("in the middle of a script is noticed by keepalives", async () => {
    await behindProxy();
    await remote.run("true", now);
    setTimeout(() => proxy.freeze(), 100);
    const error = await failure(remote.run("sleep 60", { ...now, timeoutMs: 120_000 }));
    expect(error).toBeInstanceOf(HostLost);
    expect(error.message).toMatch(/Keepalive timeout/);
  });

  it("and takes nothing more of what it is sent, is given up, however quiet a script may be", async () => {
    remote = remoteOpener({ deadlines: { idleMs: 500 } })("one", settingsFor(sshd));
    const input = { ...now, timeoutMs: 600_000, stdin: Buffer.alloc(8 * 1024 * 1024) };
    const error = await failure(remote.run("head -c 1000 >/dev/null; sleep 60", input));
    expect(error).toBeInstanceOf(HostLost);
    expect(error.message).toMatch(/^writing the file was given up: the host took nothing .* for 0.5 s/);
    expect((await remote.run("sleep 2; wc -c", { ...input, stdin: "all\n" })).stdout).toBe("4\n");
  });

  it("while a long script is sent, is given up by the same deadline", async () => {
    proxy = await startTcpProxy(sshd.port);
    const settings = { port: proxy.port, hostKeys: "accept-new", knownHostsFiles: ["/dev/null"] } as const;
    remote = remoteOpener({ deadlines: { idleMs: 500 } })("one", settingsFor(sshd, settings));
    proxy.breakAfter("freeze", "client", 1_000_000);
    await remote.run("true", now);
    const script = `${`: ${"x".repeat(1_000)}\n`.repeat(16_000)}`;
    const error = await failure(remote.run(script, { ...now, timeoutMs: 600_000 }));
    expect(error).toBeInstanceOf(HostLost);
    expect(error.message).toMatch(/^writing the file was given up: the host took nothing .* for 0.5 s/);
  });

  it("before its banner: the message names the key exchange", async () => {
    await behindProxy();
    proxy.freeze();
    const error = await failure(remote.run("true", now));
    expect(error).toMatchObject({ name: "HostUnreachable", stage: "key exchange", message: /within 1 s/ });
  });

  it("is not waited for when the session ends", async () => {
    await behindProxy();
    await remote.run("true", now);
    proxy.freeze();
    await remote.end();
  });

  it("is not waited for when the session ends before it let anybody in", async () => {
    proxy = await startTcpProxy(sshd.port);
    proxy.freeze();
    const deadlines = { keyExchangeMs: 600_000 };
    const open = remoteOpener({ sshConfigFile: jumpConfig(), deadlines });
    const unset = { port: undefined, user: undefined, identityFiles: undefined, knownHostsFiles: undefined };
    for (const [index, host] of ["bastion", "behind"].entries()) {
      remote = open("one", settingsFor(sshd, { ...unset, host }));
      const running = failure(remote.run("true", now));
      await expect.poll(() => proxy.connections).toBe(index + 1);
      await remote.end();
      expect(await running).toMatchObject({ stage: "connect", message: "connect: the session was ended" });
    }
  });
});

describe("a connection that breaks at any byte", () => {
  /** In the order in which a script comes to them. */
  const STAGES = ["key exchange", "authentication", "channel", "lost", "whole"];
  const BREAKS = [
    ["freezes", "freeze", "server"],
    ["freezes", "freeze", "client"],
    ["is cut", "cut", "server"],
    ["is cut", "cut", "client"],
    ["is late", "delay", "server"],
    ["is late", "delay", "client"],
  ] as const;
  const script = `${`: ${"x".repeat(100)}\n`.repeat(20)}head -c 2000 /dev/zero; sleep 0.1`;

  /** Where the proxy is on the way, and what the host asks for. */
  type Way = "direct" | "behind a jump host" | "sudo asks for a password";

  async function stageOf(prepare: (proxy: TcpProxy) => void, way: Way = "direct"): Promise<string> {
    const own = await startTcpProxy(sshd.port);
    prepare(own);
    const deadlines = {
      keyExchangeMs: 2_000,
      authenticationMs: 2_000,
      channelMs: 1_500,
      shellMs: 1_500,
      keepaliveMs: 400,
    };
    const settings = settingsFor(sshd, {
      port: own.port,
      hostKeys: "accept-new",
      knownHostsFiles: ["/dev/null"],
      ...(way === "sudo asks for a password" ? { user: "typist", sudoPassword: new Secret(PASSWORD) } : {}),
    });
    const sshConfigFile = way === "behind a jump host" ? overJumpHost() : "/dev/null";
    const one = remoteOpener({ sshConfigFile, deadlines })("one", settings);
    try {
      expect(await one.run(script, now)).toMatchObject({ exitCode: 0 });
      return "whole";
    } catch (error) {
      if (error instanceof HostLost) {
        expect(error.message).toMatch(/^writing the file was cut off: .*; its outcome is unknown$/);
        return "lost";
      }
      const { stage, message } = error as HostUnreachable;
      expect(message.startsWith(`${stage}: `)).toBe(true);
      return stage;
    } finally {
      await one.end();
      await own.stop();
    }
  }

  const WAYS = [
    ...BREAKS.map((each) => [...each, "direct"] as const),
    ["freezes", "freeze", "server", "behind a jump host"],
    ["is cut", "cut", "client", "behind a jump host"],
    ["freezes", "freeze", "server", "sudo asks for a password"],
    ["is cut", "cut", "server", "sudo asks for a password"],
  ] as const;

  it.each(WAYS)("%s: the message names the stage (%s, %s, %s)", async (_, how, from, way) => {
    let whole = 0;
    await stageOf((own) => {
      const { stop } = own;
      own.stop = () => {
        whole = own.passed(from);
        return stop.call(own);
      };
    }, way);
    // A slow machine sends keepalives more: the last point is behind them all.
    const points = [...Array.from({ length: 19 }, (_, i) => Math.round((whole * i) / 19)), whole * 2];
    const stages: string[] = [];
    for (let at = 0; at < points.length; at += 10) {
      const some = points
        .slice(at, at + 10)
        .map((bytes) => stageOf((own) => own.breakAfter(how, from, bytes), way));
      stages.push(...(await Promise.all(some)));
    }
    const ranks = stages.map((stage) => STAGES.indexOf(stage));
    expect(ranks, stages.join(", ")).toEqual([...ranks].sort((one, other) => one - other));
    expect(ranks).not.toContain(-1);
    expect(new Set(stages), stages.join(", ")).toEqual(new Set(STAGES));
  });

  it("or is merely slow is waited for, and no longer than its deadline", async () => {
    expect(await stageOf((own) => own.delay(60))).toBe("whole");
    expect(await stageOf((own) => own.delay(1_500))).toBe("key exchange");
  });
});

describe("meshctl, when the connection to a host breaks", () => {
  /** Ends `verify` with what its exit code and each host's reason are, one host's connection cut after so many bytes. */
  async function verify(bytes: number, ...others: string[]) {
    proxy = await startTcpProxy(sshd.port);
    proxy.breakAfter("cut", "server", bytes);
    const file = `${sshd.directory}/cut.yaml`;
    const hosts = ["cut", ...others].map((name, index) => {
      const port = name === "whole" ? sshd.port : name === "gone" ? 1 : proxy.port;
      return `  ${name}: { address: 10.99.0.${index + 1}, ssh: { host: 127.0.0.1, port: ${port} } }`;
    });
    writeFileSync(
      file,
      `version: 1
ssh: { user: ops, identity_file: ${sshd.identityFile}, known_hosts: ${sshd.directory}/cut_known, host_keys: accept-new }
mesh: { ensemble: every, proxies: every, services: {} }
hosts:
${hosts.join("\n")}
groups: { every: [${["cut", ...others].join(", ")}] }
`,
    );
    const ended = await meshctl(["verify", "-i", file, "-p", "playbooks/sysctl.yaml", "--json"]);
    const [cut] = summaryOf(ended).hosts.filter(({ host }) => host === "cut");
    const sent = proxy.passed("server");
    await proxy.stop();
    return { code: ended.code, outcome: cut?.outcome, because: cut?.because ?? "", sent };
  }

  it("ends with 4 where that was the only host, and with 5 beside one that answers", async () => {
    const whole = await verify(Number.POSITIVE_INFINITY);
    expect(whole.code).not.toBe(4);
    expect(await verify(0)).toMatchObject({ code: 4, because: expect.stringMatching(/^key exchange: /) });
    expect(await verify(2_200)).toMatchObject({
      code: 4,
      because: expect.stringMatching(/^(key exchange|authentication|channel): /),
    });
    // Amid the list of packages: what comes before is a few kilobytes.
    const amid = Math.floor(whole.sent / 2);
    const because = expect.stringMatching(/^reading the host was cut off: .*; its outcome is unknown/);
    expect(await verify(amid)).toMatchObject({ code: 4, because });
    expect(await verify(amid, "gone")).toMatchObject({ code: 4, because });
    expect(await verify(amid, "whole")).toMatchObject({ code: 5, because });
  });
});

describe("what is no SSH server", () => {
  const servers: Server[] = [];
  afterAll(() => {
    for (const server of servers) server.close();
  });
  async function serving(text: string): Promise<number> {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.end(text);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return (server.address() as { port: number }).port;
  }

  it("is refused", async () => {
    const texts = ["HTTP/1.0 400 Bad Request\r\n\r\n", "", "\0".repeat(10_000), "SSH-1.5-old\r\n"];
    const attempts = texts.map(async (text) => {
      const other = remoteOpener()("one", settingsFor(sshd, { port: await serving(text) }));
      const error = await failure(other.run("true", now));
      await other.end();
      return error;
    });
    for (const error of await Promise.all(attempts)) {
      expect(error).toMatchObject({ name: "HostUnreachable", stage: "key exchange" });
    }
  });

  it("or nothing at all is named with its port", async () => {
    remote = remoteOpener()("one", settingsFor(sshd, { port: 1 }));
    expect(await failure(remote.run("true", now))).toMatchObject({
      stage: "connect",
      message: /127.0.0.1 port 1 refused/,
    });
  });

  it("or has no address is named", async () => {
    remote = remoteOpener()("one", settingsFor(sshd, { host: "no-such-host.invalid" }));
    expect(await failure(remote.run("true", now))).toMatchObject({
      stage: "name resolution",
      message: /no-such-host.invalid/,
    });
  });

  it("or does not answer is given up after the connect timeout", async () => {
    const deaf = await listenWithoutAccepting();
    try {
      remote = remoteOpener()("one", settingsFor(sshd, { port: deaf.port, connectTimeoutMs: 500 }));
      expect(await failure(remote.run("true", now))).toMatchObject({
        name: "HostUnreachable",
        stage: "connect",
      });
    } finally {
      deaf.end();
    }
  });
});

/** A port on loopback whose queue is full: the kernel drops whoever knocks, as a firewall does. */
async function listenWithoutAccepting(): Promise<{ port: number; end(): void }> {
  const program =
    "socket S, PF_INET, SOCK_STREAM, 0; bind S, sockaddr_in(0, INADDR_LOOPBACK); listen S, 0;" +
    "$| = 1; print +(sockaddr_in(getsockname S))[0], qq(\\n); sleep 60";
  const child = spawn("perl", ["-MSocket", "-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(child.stdout, "data");
  const port = Number(String(line));
  const queued = [1, 2, 3].map(() => connect(port, "127.0.0.1").on("error", () => {}));
  await once(queued[0]!, "connect");
  return {
    port,
    end: () => {
      for (const socket of queued) socket.destroy();
      child.kill();
    },
  };
}
