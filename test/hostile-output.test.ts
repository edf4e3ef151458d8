import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Chalk } from "chalk";
import { afterAll, describe, expect, it, vi } from "vitest";
import { diffView } from "../src/cli/ui/diff-view.ts";
import type { AnyStep } from "../src/contract/step.ts";
import { lookAtUnit } from "../src/daemon/look-at-units.ts";
import { wordsOf } from "../src/daemon/unit-start.ts";
import { lookAtHost } from "../src/engine/host-facts.ts";
import { inOrder } from "../src/engine/script-block.ts";
import { parseProbeOutput } from "../src/evidence/probe-output.ts";
import { parseHaproxyConfig, serversOf } from "../src/haproxy/config.ts";
import { NotUnderstood } from "../src/reader/answer.ts";
import type { Ask } from "../src/reader/protocol.ts";
import { Reader } from "../src/reader/reader.ts";
import { keyOf } from "../src/reader/recording.ts";
import { steps } from "../src/steps/registry.ts";
import { globMatches } from "../src/steps/sysctl/key.ts";
import { serversOf as membersOf, parseProperties, showServers } from "../src/steps/zookeeper/properties.ts";
import { lastLines, printable } from "../src/terminal-text.ts";
import { load } from "./hostile-files.ts";
import { infoRows } from "./reader/recorded.ts";
import { debian, MANIFEST } from "./reader/told-debian.ts";
import { tellOf, value } from "./reader/told-host.ts";
import { bookwormHost } from "./steps/bookworm-host.ts";

// What a host says may be anything. Each text here takes a reader that goes back and forth in it minutes, and one that
// reads it once milliseconds.
vi.setConfig({ testTimeout: 120_000 });

const SIZE = 64 * 1024;
const of = (unit: string) => unit.repeat(Math.ceil(SIZE / unit.length));

const HOSTILE: Readonly<Record<string, string>> = {
  "a line of blanks": `a=b${of(" ")}c`,
  "a key and blanks": `net.ipv4${of(" ")}x`,
  "a line of tabs": `server.1=${of("\t")}c`,
  "line breaks": `${of("\n")}x`,
  "carriage returns": `${of("\r")}x`,
  "colons and a line break": `${of(":")}\nx`,
  "semicolons and a line break": `${of(";")}\nx`,
  "percent signs and a line break": `${of("%")}\nx`,
  "dots and blanks": `${of(". ")}x`,
  "one letter": of("a"),
  digits: of("1"),
  "numbers and colons": `server.1=${of("1:")}x`,
  "double quotes": `a ${of('"\\')}`,
  "open brackets": of("["),
  "open braces": of("${"),
  "open escapes": of("\u001b["),
  "open commands": of("argv[]="),
  "open options": of("--innodb_"),
  "options without end": of("--innodb_a=b"),
  equals: of("="),
  stars: `net.${of("*a")}`,
  "deep JSON": `${"[".repeat(SIZE / 2)}${"]".repeat(SIZE / 2)}`,
  alerts: `[ALERT] ${of(" ")}(1) : x`,
  "servers of HAProxy": `backend s\n${of("server a 10.0.0.1:80 weight 1\n")}`,
};
const ORDINARY = of("net.ipv4.tcp_fin_timeout = 15\n");

/** Time that this thread has run on a processor: a busy machine adds nothing to it. */
function processorMs(): number {
  const [nanoseconds] = readFileSync("/proc/thread-self/schedstat", "utf8").split(" ");
  return Number(nanoseconds) / 1e6;
}

/**
 * Holds what a text costs to what an ordinary one of the same length does. A reader that goes over all of it for each of
 * its characters costs some ten thousand times as much.
 */
async function expectLinear(read: (text: string) => unknown): Promise<void> {
  const cost = async (text: string) => {
    const startedAtMs = processorMs();
    await read(text);
    return processorMs() - startedAtMs;
  };
  // Not less than what collecting the garbage of the text before may take.
  const ordinary = Math.max(await cost(ORDINARY), await cost(ORDINARY), 10);
  const slow: string[] = [];
  for (const [name, text] of Object.entries(HOSTILE)) {
    const factor = (await cost(text)) / ordinary;
    if (factor > 30) slow.push(`${name}: ${Math.round(factor)} times an ordinary text`);
  }
  expect(slow).toEqual([]);
}

const folder = mkdtempSync(join(tmpdir(), "meshctl-hostile-output-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What a look is not understood without. */
const NEEDED_TEXTS: Readonly<Record<string, string>> = {
  "/proc/sys/net/ipv4/ip_local_port_range": "1 2",
  "/proc/sys/net/ipv4/ip_local_reserved_ports": "",
  "/run/meshctl-registrar/nodes.json": "{}",
};

/** What is not understood of a process without more. */
const PARTS: Readonly<Record<string, (text: string) => string>> = {
  limits: (text) => `Max open files 1 1 files\n${text}`,
  cgroup: (text) => `0::/${text}/zookeeper.service`,
};
/** A service that runs is asked for more. */
const UNIT_STATES: Readonly<Record<string, string>> = {
  ActiveState: "active",
  MainPID: "1",
  DropInPaths: "/etc/systemd/system/x.d/x.conf",
};

/** Answers every question with the text, wherever it may stand. */
function answering(text: string): Ask {
  const encoded = new Map<string, Buffer>();
  const bytesOf = (field: string) => {
    const bytes = encoded.get(field) ?? Buffer.from(field);
    encoded.set(field, bytes);
    return bytes;
  };
  return async ([name, what = "", ...how]) => {
    const file = ["regular", "0755", "root:root", `${text.length}`, "", what, "1"];
    const fields: Readonly<Record<string, () => readonly string[]>> = {
      file: () =>
        how[0] === "lines"
          ? [
              ...file,
              "1",
              text,
              "2",
              `${text} = 1`,
              "3",
              "[mysqld]",
              "4",
              `innodb_buffer_pool_size = ${text}`,
            ]
          : [...file, NEEDED_TEXTS[what] ?? text],
      flush: () => ["1"],
      round_trip: () => ["1", text],
      "nft.table": () => [text, text],
      "database.options": () => [
        "0",
        `Ver ${text}`,
        `The following groups are read: mysqld ${text}`,
        text,
        `[ERROR] ${text}`,
      ],
      "database.query": () => ["0", `version\t${text}\ninnodb_buffer_pool_size\t${text}\nsocket\t/run/x`],
      user: () => [text, "1", "1", text, text, text],
      "sockets.from": () => ["2181", text],
      "zookeeper.words": () =>
        Object.entries({
          srvr: "Mode: leader",
          mntr: text,
          conf: `clientPort=1\n${text}`,
        }).flatMap(([word, said]) => [word, "answered", said]),
      "sockets.listening": () => [`LISTEN 0 50 10.0.0.1:2181 *:* users:(("java",pid=1,fd=9))\n${text}`],
      mount: () => ["8:1", text, text, text, text],
      space: () => ["1", "1", "1", "1"],
      list: () => ["x.conf", "regular", "root:root", "regular"],
      unit: () => how.flatMap((property) => [property, UNIT_STATES[property] ?? text]),
      process: () => ["1", "5", "60", "S", "x:x", ...how.map((part) => PARTS[part]?.(text) ?? text)],
      registry: () => [text, ...how.slice(2 * Number(what)).flatMap(() => ["1", text, text, text])],
      "haproxy.stat": () => [
        ...["2", "user-api", text, text, "1", text, text, text, text, text],
        ...infoRows({ pid: "1", description: text, version: text, maxconn: text }),
      ],
      serving: () => how.flatMap((_, at) => (at % 4 === 0 ? [text, text] : [])),
      resolution: () => [what, ...how].flatMap((host) => [host!, text]),
      "haproxy.processes": () => [`1 master 0 x\n2 worker ${text}\n${text}`],
    };
    return { is: "value", value: (fields[name]?.() ?? [text]).map(bytesOf) };
  };
}

/** A host whose files have the text in their first line, and whose programs print it. */
function hostOf(text: string): Ask {
  return tellOf({
    files: Object.fromEntries(
      Object.entries(debian.files).map(([path, file]) => [path, `${String(file)}${text}`]),
    ),
    answers: {
      virtualization: value(text),
      packages: value(`dpkg\tii\t1\tamd64\n${text}\tii ${text}\t${text}\n${text}`),
      addresses: value(`2: e inet ${text}\n${text}`),
      "sockets.listening": value(`LISTEN 0 0 ${text} x users:${text}\n${text}`),
      [keyOf(["file", MANIFEST, "content", "", ""])]: value(
        ...["regular", "0644", "root:root", text.length, "", MANIFEST, 1, `x ${text}\n${text}`],
      ),
    },
  });
}

/** It says that nobody can understand it. */
function refused(error: unknown): void {
  if (!(error instanceof NotUnderstood)) throw error;
}

/** Undefined where the step says that nobody can understand it. */
async function lookUnlessRefused(step: AnyStep, ask: Ask, desired: unknown): Promise<unknown> {
  try {
    return await step.look(new Reader(ask), desired);
  } catch (error) {
    if (error instanceof NotUnderstood) return undefined;
    throw error;
  }
}

describe("what a host prints is read once", () => {
  it.each(steps.map((step) => [step.name, step] as const))("by the step %s", async (name, step) => {
    const { inventory, job } = await load(folder, {});
    const parameters = job.plays[0]!.steps.find((one) => one.step.name === name)!.parameters.get("a");
    const desired = step.desired(parameters, inventory.hosts.get("a")!, inventory);
    const host = bookwormHost();
    await expectLinear(async (text) => {
      const facts = await lookUnlessRefused(step, answering(text), desired);
      if (facts === undefined) return;
      const fleet = new Map([["a", { is: "seen" as const, desired, facts, host }]]);
      const { readings } = step.assess({ name: "a", desired, facts, host, claims: new Map() }, fleet);
      expect(readings).not.toEqual([]);
      step.service?.health(facts, { name: "a", desired, fleet });
    });
  });

  it.each(steps.map((step) => [step.name, step] as const))(
    "by the step %s, and a host that is lost meanwhile rejects nothing that nobody waits for",
    async (name, step) => {
      const { inventory, job } = await load(folder, {});
      const parameters = job.plays[0]!.steps.find((one) => one.step.name === name)!.parameters.get("a");
      const desired = step.desired(parameters, inventory.hosts.get("a")!, inventory);
      const adrift: unknown[] = [];
      const note = (error: unknown) => adrift.push(error);
      process.prependListener("unhandledRejection", note);
      try {
        // From the first question on, and from each of the next ones.
        for (let answered = 0; answered < 25; answered += 1) {
          let asked = 0;
          const answer = answering("x");
          const ask: Ask = async (question) => {
            asked += 1;
            if (asked > answered) throw new Error("the host is lost");
            return answer(question);
          };
          await step.look(new Reader(ask), desired).catch(() => {});
          await new Promise((resume) => setImmediate(resume));
        }
      } finally {
        process.removeListener("unhandledRejection", note);
      }
      expect(adrift).toEqual([]);
    },
  );

  it("by a look at a unit with drop-ins without end", async () => {
    const paths = Array.from({ length: 201 }, (_, number) => `/x/${number}.conf`).join(" ");
    const ask: Ask = async ([name]) =>
      name === "unit"
        ? { is: "value", value: [Buffer.from("DropInPaths"), Buffer.from(paths)] }
        : { is: "absent" };
    await expect(lookAtUnit(new Reader(ask), "x.service")).rejects.toThrow(/201 drop-ins, more than 200/);
  });

  const readers: Readonly<Record<string, (text: string) => unknown>> = {
    "a probe's records": (text) => parseProbeOutput(`key\t${text.replaceAll("\t", " ")}`),
    "what a host is": (text) => lookAtHost(new Reader(hostOf(text))).catch(refused),
    "haproxy.cfg": (text) => serversOf(parseHaproxyConfig(`backend s\n\t${text}`), "s"),
    "zoo.cfg": (text) => showServers(membersOf(parseProperties(text))),
    "an error": (text) => lastLines(text),
    "what is shown": (text) => printable(text),
    "a pattern of sysctl.d": (text) => globMatches(text, "net/ipv4/tcp_fin_timeout/aaaaaaaaaaaaaaaaaaaaaaaa"),
    "the words of a unit": (text) => wordsOf(text),
  };
  it.each(Object.entries(readers))("in %s", (_name, read) => expectLinear(read));
});

describe("a pattern of sysctl.d", () => {
  it.each([
    ["net/ipv4/conf/*/rp_filter", "net/ipv4/conf/eth0/rp_filter", true],
    ["net/ipv4/conf/*", "net/ipv4/conf/eth0/rp_filter", false],
    ["net/*4/tcp_*_timeout", "net/ipv4/tcp_fin_timeout", true],
    ["net/*4/tcp_*_timeouts", "net/ipv4/tcp_fin_timeout", false],
    ["*a*b*", "xxaxxbxx", true],
    ["*a*b", "xxbxxa", false],
    ["a?c", "abc", true],
    ["a?c", "ac", false],
    ["[a-c]x", "bx", true],
    ["[!a-c]x", "bx", false],
    ["[^a-c]x", "dx", true],
    ["[]x]", "]", true],
    ["[a-]", "-", true],
    ["[a", "[a", false],
    ["a.c", "abc", false],
    ["**", "anything", true],
    ["", "", true],
  ])("%s is matched as glob(3) does, %s: %s", (pattern, path, matches) => {
    expect(globMatches(pattern, path)).toBe(matches);
  });

  it("costs no more with many stars", () => {
    expect(globMatches("*a".repeat(40), "a".repeat(39))).toBe(false);
    expect(globMatches(`${"*a".repeat(40)}*`, "a".repeat(400))).toBe(true);
  });
});

describe("a probe's records", () => {
  it("are no more than a host has, of no more fields", () => {
    expect(() => parseProbeOutput("a\n".repeat(30_000))).toThrow(/more than 20000 records/);
    expect(() => parseProbeOutput(`a${"\t".repeat(100)}`)).toThrow(/more than 64 fields/);
    expect(parseProbeOutput("\n".repeat(4 * 1024 * 1024)).size).toBe(0);
  });
});

describe("the marks of scripts", () => {
  it("are found among nothing but line breaks, and however long their lines are", () => {
    const { script, parse } = inOrder([{ name: "a", text: "", args: [], timeoutMs: 1000 }]);
    const nonce = /meshctl_[0-9a-f]{24}/.exec(script)![0];
    const breaks = "\n".repeat(4 * 1024 * 1024);
    const stream = `${breaks}${nonce} 0 begin \n${breaks}x\n${nonce} 0 end 0\n`;
    expect(parse(stream, "")).toEqual([{ name: "a", exitCode: 0, stdout: `${breaks}x`, stderr: "" }]);
    expect(parse(`${nonce} 0 end 0${" ".repeat(4 * 1024 * 1024)}\n`, "")[0]).toMatchObject({
      exitCode: 0,
      stdout: "",
    });
  });
});

describe("a diff", () => {
  const view = (was: string, want: string) =>
    diffView({ path: "/etc/x", was, want }, { paint: new Chalk({ level: 0 }), verbose: true });

  it("of files that share nothing is not shown", () => {
    const lines = (prefix: string) => Array.from({ length: 8000 }, (_, at) => `${prefix}${at}\n`).join("");
    expect(view(lines("a"), lines("b"))).toBe(
      "--- /etc/x\n+++ /etc/x\ntoo large to show: 8000 lines become 8000, nearly all of them others",
    );
    expect(view("\n".repeat(200_000), lines("b"))).toContain("too large to show");
  });

  it("of a long file with few changes is shown", () => {
    const lines = Array.from({ length: 8000 }, (_, at) => `line ${at}`);
    expect(view(lines.join("\n"), lines.with(4000, "other").join("\n"))).toContain("-line 4000\n+other\n");
  });
});
