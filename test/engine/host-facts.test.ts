import { describe, expect, it, vi } from "vitest";
import type { HostFacts } from "../../src/contract/host.ts";
import { clockOf, lookAtHost } from "../../src/engine/host-facts.ts";
import { NotRead, NotUnderstood } from "../../src/reader/answer.ts";
import type { Ask, Question } from "../../src/reader/protocol.ts";
import { Reader } from "../../src/reader/reader.ts";
import { keyOf } from "../../src/reader/recording.ts";
import { BOOT_ID, debian, MANIFEST } from "../reader/told-debian.ts";
import { absent, type ToldHost, tellOf, value } from "../reader/told-host.ts";

const late = { is: "unreadable", because: "it took more than 10 s" } as const;
const hostWith = ({ files, answers }: ToldHost): Ask =>
  tellOf({ files: { ...debian.files, ...files }, answers: { ...debian.answers, ...answers } });
const lookAt = (told: ToldHost) => lookAtHost(new Reader(hostWith(told)));

describe("what a host is", () => {
  it("becomes facts", async () => {
    const manifest = "0a1b  /etc/x.conf\nff  /etc/a b.conf\n";
    expect(await lookAt({ files: { [MANIFEST]: manifest } })).toMatchObject({
      os: {
        id: "debian",
        versionId: "12",
        codename: "bookworm",
        prettyName: "Debian GNU/Linux 12 (bookworm)",
      },
      kernel: "6.1.0-28-amd64",
      architecture: "amd64",
      virtualization: "kvm",
      cpus: 2,
      memoryBytes: 4_096_000_000,
      bootId: "2f8c1f5e-8f0a-4a57-9d6b-6a9f2f0f7a11",
      uptimeSeconds: 100.2,
      hardOpenFiles: 524_288,
      addresses: ["127.0.0.1", "10.0.0.2", "fe80::1"],
      listeners: [
        { address: "0.0.0.0", port: 22, process: "sshd" },
        { address: "::1", port: 25, process: "" },
      ],
      manifest: new Map([
        ["/etc/x.conf", "0a1b"],
        ["/etc/a b.conf", "ff"],
      ]),
      lockedBy: { is: "absent" },
      packages: new Map([
        ["dpkg", "1.21.22"],
        ["libc6", "2.36-9"],
        ["ruby", "1:3.1"],
      ]),
    });
  });

  const sid = {
    "/etc/os-release": "ID=debian\nPRETTY_NAME='Debian GNU/Linux forky/sid'\nVERSION_CODENAME=forky\n",
    "/etc/debian_version": "forky/sid\n",
  };
  const limits = (hard: string) =>
    `Limit Soft Limit Hard Limit Units\nMax open files            1024                 ${hard}            files\n`;
  it.each<[string, ToldHost, Partial<HostFacts>]>([
    ["none of our own files", {}, { manifest: new Map() }],
    [
      "sid, which os-release calls by the next stable's name",
      { files: sid },
      { os: { id: "debian", versionId: "", codename: "sid", prettyName: "Debian GNU/Linux forky/sid" } },
    ],
    [
      "no os-release",
      { files: { "/etc/os-release": undefined } },
      { os: { id: "", versionId: "", codename: "", prettyName: "" } },
    ],
    ["a limit of memory", { files: { "/sys/fs/cgroup/memory.max": "1024\n" } }, { memoryBytes: 1024 }],
    [
      "no limit of memory",
      { files: { "/sys/fs/cgroup/memory.max": "max\n" } },
      { memoryBytes: 4_096_000_000 },
    ],
    [
      "a limit of memory of the older cgroups",
      { files: { "/sys/fs/cgroup/memory/memory.limit_in_bytes": "2048\n" } },
      { memoryBytes: 2048 },
    ],
    [
      "processors in ranges",
      { files: { "/proc/self/status": "Cpus_allowed_list:\t0-3,6,8-9\n" } },
      { cpus: 7 },
    ],
    ["one processor", { files: { "/proc/self/status": "Cpus_allowed_list:\t5\n" } }, { cpus: 1 }],
    [
      "no limit of open files",
      { files: { "/proc/1/limits": limits("unlimited") } },
      { hardOpenFiles: Number.MAX_SAFE_INTEGER },
    ],
    ["bare metal", { answers: { virtualization: value("none\n") } }, { virtualization: "none" }],
    ["a machine that it could not tell", { answers: { virtualization: value("") } }, { virtualization: "" }],
    ["a machine that nothing told of", { answers: { virtualization: late } }, { virtualization: "" }],
  ])("is told of %s", async (_, told, facts) => {
    expect(await lookAt(told)).toMatchObject(facts);
  });

  it("is told of who locked it, in one line that ends", async () => {
    const reason = "disk swap (ops on x since 2026)";
    const locked = { text: `${reason} ${"x".repeat(5_000)}\nmore\n` };
    const { lockedBy } = await lookAt({ files: { "/var/lib/meshctl/locked": locked } });
    expect(lockedBy).toEqual({ is: "value", value: `${reason} `.padEnd(500, "x") });
  });

  it("is not told by halves: whatever else was not read, the host is not seen", async () => {
    const questions: Question[] = [];
    const tell = hostWith({});
    await lookAtHost(
      new Reader((question) => {
        questions.push(question);
        return tell(question);
      }),
    );
    const needed = questions.filter(([name]) => name !== "virtualization");
    expect(needed.length).toBeGreaterThan(10);
    for (const cut of needed) {
      const ask: Ask = async (question) => (keyOf(question) === keyOf(cut) ? late : tell(question));
      const isNeedless = ["/etc/debian_version", "/var/lib/meshctl/locked"].includes(cut[1] ?? "");
      const look = lookAtHost(new Reader(ask));
      if (isNeedless) await look;
      else await expect(look, keyOf(cut)).rejects.toThrow(NotRead);
    }
  });

  it.each<[string, ToldHost]>([
    ["a list of packages without dpkg", { answers: { packages: value("") } }],
    ["a list of packages that ends early", { answers: { packages: value("dpkg\tii \t1.2") } }],
    ["an uptime that is none", { files: { "/proc/uptime": "soon\n" } }],
    ["processors that are none", { files: { "/proc/self/status": "Cpus_allowed_list:\tall\n" } }],
    ["no memory", { files: { "/proc/meminfo": "MemFree: 1 kB\n" } }],
  ])("is refused with %s", async (_, told) => {
    await expect(lookAt(told)).rejects.toThrow(NotUnderstood);
  });

  it.each([["packages"], ["addresses"], ["sockets.listening"]])(
    "is not seen without %s",
    async (question) => {
      await expect(lookAt({ answers: { [question]: absent } })).rejects.toThrow(NotRead);
    },
  );

  it("is not seen without what each kernel has", async () => {
    await expect(lookAt({ files: { [BOOT_ID]: undefined } })).rejects.toThrow(NotRead);
  });
});

describe("the clock", () => {
  it("is compared with this machine's in the middle of the way there and back", () => {
    vi.spyOn(Date, "now").mockReturnValue(1_000_500);
    vi.spyOn(performance, "now").mockReturnValue(500);
    const reading = { hostMs: 1_000_060, sentAtMs: 40, receivedAtMs: 61 };
    expect(clockOf({ is: "value", value: reading })).toEqual({ skewMs: 10, uncertaintyMs: 11 });
    vi.restoreAllMocks();
  });

  it("is refused when it is no time, which would agree with every other", () => {
    const reading = { hostMs: Number.NaN, sentAtMs: 0, receivedAtMs: 1 };
    expect(() => clockOf({ is: "value", value: reading })).toThrow(NotUnderstood);
    expect(() => clockOf(late)).toThrow(NotRead);
  });
});
