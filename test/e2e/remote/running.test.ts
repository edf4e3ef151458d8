import { randomBytes } from "node:crypto";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HostLost } from "../../../src/errors.ts";
import { remoteOpener } from "../../../src/remote/open.ts";
import type { Remote } from "../../../src/remote/remote.ts";
import { shellQuote } from "../../../src/shell-quote.ts";
import { settingsFor } from "./settings.ts";
import { keygen, startSshd, type TestSshd } from "./sshd.ts";

let sshd: TestSshd;
let remote: Remote;
const open = remoteOpener();
const now = { during: "test", timeoutMs: 10_000 };

beforeAll(async () => {
  sshd = await startSshd({ bashrc: "echo 'junk on stdout'; echo 'junk on stderr' >&2\n" });
  remote = open("one", settingsFor(sshd));
});

afterAll(async () => {
  await remote?.end();
  await sshd?.stop();
});

describe("a script", () => {
  it("runs as root and keeps stdout, stderr and exit code apart from what start-up files print", async () => {
    const outcome = await remote.run("id -u; printf 'no newline' >&2; exit 7", now);
    expect(outcome).toMatchObject({ exitCode: 7, stdout: "0\n", stderr: "no newline" });
    expect(outcome.firstByteAtMs).toBeGreaterThanOrEqual(outcome.sentAtMs);
  });

  it("sees a clean environment and reads nothing from standard input", async () => {
    const { stdout } = await remote.run("env | sort; umask; pwd; cat", now);
    expect(stdout).toBe(
      "HOME=/root\nLC_ALL=C\nLOGNAME=root\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n" +
        "PWD=/\nSHELL=/bin/sh\nUSER=root\n0022\n/\n",
    );
  });

  it.each([
    ["nothing", "", { exitCode: 0, stdout: "" }],
    ["only a comment", "# nothing", { exitCode: 0, stdout: "" }],
    ["a here-document", "cat <<'END'\n$(id) `id` \\n\nEND", { exitCode: 0, stdout: "$(id) `id` \\n\n" }],
    ["set -e", "set -e; false; echo no", { exitCode: 1, stdout: "" }],
    ["a trap on exit", "trap 'echo bye' EXIT; exit 3", { exitCode: 3, stdout: "bye\n" }],
    ["a signal to itself", "sh -c 'kill -9 $$'", { exitCode: 137 }],
    ["a syntax error", "if then", { exitCode: 2, stdout: "" }],
    [
      "functions, arguments and returns",
      'f() { local a=$1; echo "$a"; }; f x; return 4',
      { exitCode: 4, stdout: "x\n" },
    ],
  ])("may hold %s", async (_what, script, expected) => {
    expect(await remote.run(script, now)).toMatchObject(expected);
  });

  it("carries every kind of text through as it is", async () => {
    const text = `${Array.from({ length: 0x2ff }, (_, code) => String.fromCharCode(code + 1)).join("")}𝄞 日本 %s %b \\n \\\\`;
    const { stdout } = await remote.run(`printf %s ${shellQuote(text)}\ncat <<'END'\n${text}\nEND`, now);
    expect(stdout).toBe(`${text}${text}\n`);
  });

  it("of a megabyte passes, and so do a megabyte of input and of output", async () => {
    const padding = `: ${"x".repeat(1_000)}\n`.repeat(1_048);
    const { stdout: long } = await remote.run(`${padding}echo end`, now);
    expect(long).toBe("end\n");
    const stdin = randomBytes(1_048_576);
    const { stdout } = await remote.run("sha256sum; head -c 1048576 /dev/zero | tr '\\0' x; echo error >&2", {
      ...now,
      stdin,
    });
    const digest = await import("node:crypto").then(({ createHash }) =>
      createHash("sha256").update(stdin).digest("hex"),
    );
    expect(stdout.slice(0, 64)).toBe(digest);
    expect(stdout.length).toBe(68 + 1_048_576);
  });

  it("is marked by nothing that others on the host can read, whatever it prints", async () => {
    // All arguments of the shells around it, as an end mark would have to be written.
    const words =
      "for pid in $$ $PPID; do tr '\\0' '\\n' <\"/proc/$pid/cmdline\"; done | grep -oE '[0-9a-f]{32}'";
    const script = `found=$(${words}); for word in $found; do echo "$word END 0"; done; echo last`;
    const { stdout } = await remote.run(script, now);
    expect(stdout).toMatch(/^([0-9a-f]{32} END 0\n)+last\n$/);
  });

  it("ends although a child in the background keeps the output open", async () => {
    expect(await remote.run("sleep 60 & echo done", now)).toMatchObject({ exitCode: 0, stdout: "done\n" });
  });

  it("that prints more than allowed is given up", async () => {
    await expect(remote.run("head -c 100000 /dev/zero", { ...now, maxOutputBytes: 1_000 })).rejects.toThrow(
      HostLost,
    );
    expect((await remote.run("echo still here", now)).stdout).toBe("still here\n");
  });

  it("that takes too long is given up at its deadline", async () => {
    await expect(remote.run("sleep 60", { ...now, timeoutMs: 300 })).rejects.toThrow(
      /did not end within 0.3 s/,
    );
  });

  it("is one exec request, and twenty at a time share one connection", async () => {
    const before = remote.execs;
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, i) => remote.run(`sleep 0.1; echo ${i}`, now)),
    );
    expect(outcomes.map(({ stdout }) => Number(stdout))).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(remote.execs).toBe(before + 20);
    expect(sshd.log().split("Accepted publickey").length - 1).toBe(1);
  });
});

describe("sixty hosts at a time", () => {
  it("all get in past MaxStartups 10:30:100, which drops what comes in a burst", async () => {
    const opener = remoteOpener();
    const hosts = Array.from({ length: 60 }, (_, i) =>
      opener(`host-${i}`, settingsFor(sshd, { connectTimeoutMs: 20_000 })),
    );
    const outcomes = await Promise.all(
      hosts.map((host) => host.run("echo in", { ...now, timeoutMs: 30_000 })),
    );
    expect(outcomes.every(({ stdout }) => stdout === "in\n")).toBe(true);
    await Promise.all(hosts.map((host) => host.end()));
  });
});

describe("a hold", () => {
  it("lasts until it is released", async () => {
    const lock = `${sshd.directory}/lock`;
    const script = `exec 9>${lock}; flock -n 9 || exit 1; echo mine; cat >/dev/null`;
    const held = await remote.hold(script, now);
    expect(held).toMatchObject({ firstLine: "mine", isHeld: true });
    const busy = `flock -n ${lock} true`;
    expect((await remote.run(busy, now)).exitCode).toBe(1);
    await held.release();
    expect(held.isHeld).toBe(false);
    expect((await remote.run(busy, now)).exitCode).toBe(0);
  });

  it("that prints no line fails with what it said", async () => {
    await expect(remote.hold("echo no >&2; exit 3", now)).rejects.toMatchObject({
      exitCode: 3,
      output: "no\n",
    });
  });

  it("is let go when the session ends", async () => {
    const lock = `${sshd.directory}/lock2`;
    const other = open("one", settingsFor(sshd));
    const held = await other.hold(`exec 9>${lock}; flock 9; echo mine; cat >/dev/null`, now);
    await other.end();
    expect(held.isHeld).toBe(false);
    await sleep(200);
    expect((await remote.run(`flock -n ${lock} true`, now)).exitCode).toBe(0);
  });
});

describe("a host that begins new keys in the middle", () => {
  // Over OpenSSH's client this did not end within 100 s, for a reason that is not known yet.
  it.skipIf(process.env.MESHCTL_TEST_CLIENT === "openssh")(
    "is believed to be the same, and no byte is lost",
    async () => {
      const restless = await startSshd({ config: ["RekeyLimit 64K", "LogLevel DEBUG1"] });
      const other = open("restless", settingsFor(restless));
      try {
        const stdin = randomBytes(2_000_000);
        const { stdout } = await other.run("base64 -w0", { ...now, timeoutMs: 120_000, stdin });
        expect(stdout).toBe(stdin.toString("base64"));
        const held = await other.hold("echo mine; cat >/dev/null", now);
        const many = await Promise.all(
          [1, 2, 3].map(() =>
            other.run("head -c 500000 /dev/zero | tr '\\0' x", { ...now, timeoutMs: 60_000 }),
          ),
        );
        expect(many.map((outcome) => outcome.stdout.length)).toEqual([500_000, 500_000, 500_000]);
        expect(held.isHeld).toBe(true);
        expect(restless.log().split("Accepted publickey").length - 1).toBe(1);
        expect(restless.log().split("SSH2_MSG_KEXINIT received").length).toBeGreaterThan(10);
      } finally {
        await other.end();
        await restless.stop();
      }
    },
  );
});

describe("a start-up file", () => {
  const quick = remoteOpener({ deadlines: { shellMs: 1_500 } });
  async function withBashrc(text: string): Promise<{ stage?: string; message?: string; stdout?: string }> {
    const path = `${sshd.directory}/home/.bashrc`;
    const before = readFileSync(path, "utf8");
    writeFileSync(path, text);
    const other = quick("one", settingsFor(sshd));
    return other
      .run("echo in", now)
      .catch((error) => error)
      .finally(async () => {
        writeFileSync(path, before);
        await other.end();
      });
  }

  it("may print megabytes of junk on both outputs", async () => {
    const junk = "head -c 3000000 /dev/urandom; head -c 3000000 /dev/urandom >&2; printf 'no end of line'\n";
    expect(await withBashrc(junk)).toMatchObject({ stdout: "in\n" });
  });

  it.each([
    [
      "waits for something",
      "sleep 60",
      /login shell did not get to run sh within 1.5 s.*start-up file.*Nothing was run/,
    ],
    [
      "reads what is meant for the script",
      "cat >/dev/null",
      /login shell did not get to run sh within 1.5 s/,
    ],
    [
      "ends the shell",
      "echo 'no entry' >&2; exit 3",
      /login shell ended with code 3 before sh began; it said: no entry/,
    ],
    ["ends the shell as if all were well", "exit 0", /login shell ended with code 0 before sh began/],
    // OpenSSH's client does not tell which signal it was.
    ["kills the shell", "kill -9 $$", /login shell ended with (signal SIGKILL|code 255) before sh began/],
  ])("that %s is reported as such", async (_, text, message) => {
    expect(await withBashrc(`${text}\n`)).toMatchObject({
      stage: "channel",
      message: expect.stringMatching(message),
    });
  });

  it("does not matter where the key is for one command only, which is reported", async () => {
    const key = `${sshd.directory}/forced`;
    keygen(key);
    const line = readFileSync(`${key}.pub`, "utf8");
    appendFileSync(`${sshd.directory}/authorized_keys`, `command="echo backups only" ${line}`);
    const other = quick("one", settingsFor(sshd, { identityFiles: [key] }));
    await expect(other.run("echo in", now)).rejects.toMatchObject({
      stage: "channel",
      message: expect.stringMatching(/ended with code 0 before sh began; it said: .*backups only/),
    });
    await other.end();
  });
});

describe("a full disk", () => {
  it("keeps no script from running, and a script that writes says so", async () => {
    const places = "/tmp /var/tmp /var/log /dev/shm";
    // In the mount namespace of this sshd alone.
    const fill = `for place in ${places}; do mount -t tmpfs -o size=4k tmpfs $place || exit; head -c 4096 /dev/zero >$place/fill; done`;
    const full = await startSshd();
    const other = open("full", settingsFor(full));
    try {
      expect(await other.run(fill, now)).toMatchObject({ exitCode: 0 });
      const long = `${`: ${"x".repeat(1_000)}\n`.repeat(200)}cat <<'END'\nhere\nEND\n`;
      expect(await other.run(long, now)).toMatchObject({ exitCode: 0, stdout: "here\n" });
      expect(await other.run("head -c 9000 /dev/zero >/tmp/more", now)).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining("No space left on device"),
      });
    } finally {
      await other.end();
      await full.stop();
    }
  });
});

describe("a login shell", () => {
  it.each([
    ["fish", "fisher"],
    ["csh", "tenex"],
  ])("may be %s", async (_shell, user) => {
    const other = open(user, settingsFor(sshd, { user }));
    expect(await other.run('echo "$(id -u)"', now)).toMatchObject({ exitCode: 0, stdout: "0\n" });
    await other.end();
  });

  it("that lets nobody in is said to do so", async () => {
    const other = open("closed", settingsFor(sshd, { user: "closed" }));
    await expect(other.run("id", now)).rejects.toMatchObject({ stage: "channel", message: /not available/ });
    await other.end();
  });
});
