import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { HostLost } from "../../../src/errors.ts";
import { remoteOpener } from "../../../src/remote/open.ts";
import { debian } from "../../reader/told-debian.ts";
import { tellOf, value } from "../../reader/told-host.ts";
import { ToldTalk } from "../../reader/told-talk.ts";
import { meshctl, startMeshctl, summaryOf } from "../meshctl.ts";
import { type HostileSshd, startHostileSshd, type Victim } from "./hostile-sshd.ts";
import { settingsFor } from "./settings.ts";
import { startSshd, type TestSshd } from "./sshd.ts";

const MIB = 1024 * 1024;
const BLANKS = " ".repeat(256 * 1024);

/** Says that a root shell is ready, takes the script and begins to answer. */
async function begin(victim: Victim): Promise<{ readonly text: string; readonly mark: string }> {
  await victim.say(`${victim.nonce} READY\n`);
  const script = await victim.script();
  for (const stream of ["stderr", "stdout"] as const) await victim.say(`${script.mark} BEGIN\n`, stream);
  return script;
}

async function end(victim: Victim, mark: string, code = 0): Promise<void> {
  for (const stream of ["stderr", "stdout"] as const) await victim.say(`${mark} END ${code}\n`, stream);
  victim.exit(0);
}

async function pour(
  victim: Victim,
  piece: Buffer,
  bytes: number,
  stream?: "stdout" | "stderr",
): Promise<void> {
  for (let poured = 0; poured < bytes; poured += piece.length) if (!(await victim.say(piece, stream))) return;
}

/** Answers as an honest host does, with one more file of /etc/sysctl.d that holds eight such lines. */
async function answerWith(victim: Victim, line: string): Promise<void> {
  const { text } = await begin(victim);
  const programBytes = Number(/\bset -- (\d+)/.exec(text)![1]);
  const tell = tellOf({
    files: { ...debian.files, "/etc/sysctl.d/zzz.conf": `${line}\n`.repeat(8) },
    answers: { ...debian.answers, clock: value(Date.now() * 1000) },
  });
  const talk = new ToldTalk(
    { during: "", timeoutMs: 0, giveWay: () => {}, onOutput: (bytes) => void victim.say(bytes) },
    tell,
    async () => undefined,
    programBytes,
  );
  victim.listen((bytes) => void talk.send(bytes));
}

const BEHAVIOURS: Readonly<Record<string, (victim: Victim) => Promise<void>>> = {
  "floods standard output": async (victim) => {
    await begin(victim);
    await pour(victim, Buffer.alloc(64 * 1024, "x"), Infinity);
  },
  "floods standard error": async (victim) => {
    await begin(victim);
    await pour(victim, Buffer.alloc(64 * 1024, "x"), Infinity, "stderr");
  },
  "sends 60 MiB of line breaks": async (victim) => {
    const { mark } = await begin(victim);
    await pour(victim, Buffer.alloc(64 * 1024, "\n"), 60 * MIB);
    await end(victim, mark);
  },
  "floods before any script begins": async (victim) => {
    await pour(victim, Buffer.alloc(64 * 1024, "x"), Infinity);
  },
  "says that the script has ended, and how, without end": async (victim) => {
    const { mark } = await begin(victim);
    await victim.say(`${mark} END x`);
    await pour(victim, Buffer.alloc(1024, "x"), Infinity);
  },
  "says an exit code of a million digits": async (victim) => {
    const { mark } = await begin(victim);
    await victim.say(`${mark} END `);
    await pour(victim, Buffer.alloc(1000, "1"), MIB);
  },
  "sends single bytes": async (victim) => {
    await begin(victim);
    while (await victim.say("\n")) await sleep(1);
  },
  "never ends": async (victim) => {
    await begin(victim);
  },
};

let honest: TestSshd;
const started: HostileSshd[] = [];

beforeAll(async () => {
  honest = await startSshd();
});
afterAll(() => honest?.stop());
afterEach(async () => {
  for (const hostile of started.splice(0)) await hostile.stop();
});

async function hostileHosts(
  behaviours: Readonly<Record<string, (victim: Victim) => Promise<void>>>,
): Promise<Record<string, HostileSshd>> {
  const hosts: Record<string, HostileSshd> = {};
  for (const [index, behave] of Object.values(behaviours).entries()) {
    const hostile = await startHostileSshd(behave);
    started.push(hostile);
    hosts[`hostile-${index}`] = hostile;
  }
  return hosts;
}

function inventoryOf(hosts: Record<string, HostileSshd>): string {
  const path = join(honest.directory, "hostile.yaml");
  const ssh = (port: number, identityFile: string, knownHosts: string) =>
    `ssh: { host: 127.0.0.1, user: ops, port: ${port}, identity_file: ${identityFile}, known_hosts: ${knownHosts} }`;
  const lines = Object.entries(hosts).map(
    ([name, { settings }], at) =>
      `  ${name}: { address: 10.99.1.${at + 1}, ${ssh(settings.port, settings.identityFiles[0]!, settings.knownHostsFiles[0]!)} }`,
  );
  const ours = ["honest-1", "honest-2"].map(
    (name, at) =>
      `  ${name}: { address: 10.99.2.${at + 1}, ${ssh(honest.port, honest.identityFile, honest.knownHostsFile)} }`,
  );
  writeFileSync(path, ["version: 1", "hosts:", ...lines, ...ours, ""].join("\n"));
  return path;
}

const verify = (inventory: string) => [
  "verify",
  "-i",
  inventory,
  "-p",
  "playbooks/sysctl.yaml",
  "--json",
  "--parallel",
  "20",
];

describe("hosts that do everything to be a nuisance", () => {
  it("fail by name, each for its own reason, while the others are read", async () => {
    const names = Object.keys(BEHAVIOURS);
    const hosts = await hostileHosts(BEHAVIOURS);
    const run = startMeshctl(verify(inventoryOf(hosts)));
    // Read long before the slowest of the others has come to its deadline.
    await Promise.all(
      ["honest-1", "honest-2"].map((host) =>
        run.event((event) => event.event === "observed" && event.host === host),
      ),
    );
    const ended = await run.ended;
    const found = new Map(summaryOf(ended).hosts.map((host) => [host.host, host]));
    const because = Object.fromEntries(names.map((name, at) => [name, found.get(`hostile-${at}`)?.because]));
    const garbled = expect.stringContaining("is not what its shell was told to print");
    expect(because).toEqual({
      "floods standard output": expect.stringContaining("the reader sent something that is no answer"),
      "floods standard error": expect.stringContaining("the host printed more than 4 KiB"),
      "sends 60 MiB of line breaks": expect.stringContaining("the reader sent something that is no answer"),
      "floods before any script begins": expect.stringContaining(
        "the host prints without end, and no script began",
      ),
      "says that the script has ended, and how, without end": garbled,
      "says an exit code of a million digits": garbled,
      "sends single bytes": expect.stringContaining("the reader sent something that is no answer"),
      "never ends": expect.stringContaining("the reader said nothing for 40 s"),
    });
    for (const host of ["honest-1", "honest-2"]) {
      expect(ended.events.filter((event) => event.event === "evidence" && event.host === host)).not.toEqual(
        [],
      );
    }
  });

  it("do not keep ^C from ending the run", async () => {
    const endless = ["floods before any script begins", "sends single bytes", "never ends"] as const;
    const run = startMeshctl(
      verify(
        inventoryOf(await hostileHosts(Object.fromEntries(endless.map((name) => [name, BEHAVIOURS[name]!])))),
      ),
    );
    await run.event((event) => event.event === "observed" && event.host === "honest-2");
    run.signal("SIGINT");
    run.signal("SIGINT");
    expect((await run.ended).code).toBe(130);
  });

  it("are read when all that they do is send lines of 256 KiB", async () => {
    const hosts = await hostileHosts({
      blanks: (victim) => answerWith(victim, `a=b${BLANKS}c`),
      key: (victim) => answerWith(victim, `net.ipv4${BLANKS}tcp`),
      glob: (victim) => answerWith(victim, `net.ipv4.${"*p".repeat(1000)} = 1`),
    });
    const ended = await meshctl(verify(inventoryOf(hosts)));
    for (const host of Object.keys(hosts))
      expect(ended.events.filter((event) => event.event === "evidence" && event.host === host)).not.toEqual(
        [],
      );
  });
});

describe("a hostile host that holds a lock", () => {
  const now = { during: "taking the host's lock", timeoutMs: 20_000 };

  it("may print no more than a line and why there is none", async () => {
    const { "hostile-0": hostile } = await hostileHosts({
      floods: async (victim) => {
        await begin(victim);
        await pour(victim, Buffer.alloc(1024, "x"), 12 * MIB);
      },
    });
    const remote = remoteOpener()("one", settingsFor(honest, hostile!.settings));
    const error = await remote.hold("cat >/dev/null", now).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(HostLost);
    expect((error as HostLost).message).toContain("the host printed more than 4 KiB");
    await remote.end();
  });

  it("loses it with what it prints behind the line", async () => {
    const { "hostile-0": hostile } = await hostileHosts({
      floods: async (victim) => {
        await begin(victim);
        await victim.say("locked\n");
        await sleep(500);
        await pour(victim, Buffer.alloc(1024, "x"), 12 * MIB);
      },
    });
    const remote = remoteOpener()("one", settingsFor(honest, hostile!.settings));
    const held = await remote.hold("cat >/dev/null", now);
    expect(held).toMatchObject({ firstLine: "locked", isHeld: true });
    await expect.poll(() => held.isHeld, { timeout: 60_000 }).toBe(false);
    expect(await held.release()).toBe(false);
    await remote.end();
  });
});
