import { expect, it } from "vitest";
import { TracedReader, tracedHosts } from "../../src/cli/traced-hosts.ts";
import { inOrder } from "../../src/engine/script-block.ts";
import type { Remote } from "../../src/remote/remote.ts";
import { Secret } from "../../src/secret.ts";

const options = { during: "sysctl: write it", timeoutMs: 1000 };

function host(run: Remote["run"]): Remote {
  const never = () => Promise.reject(new Error("not here"));
  return { host: "a", execs: 1, run, hold: never, talk: never, anew: () => host(run), end: async () => {} };
}

function traced(run: Remote["run"]) {
  const plain = host(run);
  const told: string[] = [];
  const remoteOf = tracedHosts(
    () => plain,
    (text) => told.push(text),
  );
  return { remoteOf, told };
}

const ended = { exitCode: 0, stdout: "", stderr: "", sentAtMs: 0, firstByteAtMs: 0 };

it("a script is told with its answer, and secrets are not", async () => {
  const secret = new Secret("hunter2hunter2");
  const { remoteOf, told } = traced(async () => ({ ...ended, exitCode: 3, stdout: "one\n\u001b[2Jtwo\n" }));
  const outcome = await remoteOf("a").run(`echo ${secret.reveal()}\nexit 3\n`, options);
  expect(outcome.exitCode).toBe(3);
  expect(told).toEqual([
    "a $ sysctl: write it\n    echo ••••••\n    exit 3\n",
    "a $ sysctl: write it: exit code 3\n    one\n    ␛[2Jtwo\n",
  ]);
});

it("the content of a file, which a script holds in base64, is not told", async () => {
  const { remoteOf, told } = traced(async () => ended);
  const secret = new Secret("hunter2hunter2");
  const block = { name: "write", text: "cat <&3", args: [], timeoutMs: 1000 };
  const input = Buffer.from(`[client]\npassword=${secret.reveal()}\n${"x".repeat(3000)}\n`);
  const { script } = inOrder([
    { ...block, input },
    { ...block, text: "echo between" },
    { ...block, input: new Uint8Array() },
  ]);
  await remoteOf("a").run(script, options);
  expect(told[0]).not.toContain(input.toString("base64").slice(0, 40));
  expect(told[0]).toContain("(not shown)");
  expect(told[0]).toContain("cat <&3");
  expect(told[0]).toContain("echo between");
});

it("the content of a file, which an answer holds in base64, is not told", async () => {
  const content = Buffer.from("password=hunter2hunter2\n").toString("base64");
  const line = ["file", "/etc/x", "regular", "0600", "root:root", "", "no", "/etc/x", content].join("\t");
  const { remoteOf, told } = traced(async () => ({ ...ended, stdout: `kept\t1\n${line}\nkept\t2\n` }));
  await remoteOf("a").run("true", options);
  expect(told[1]).not.toContain(content);
  expect(told[1]).toContain("/etc/x");
  expect(told[1]).toContain("kept\t2");
});

it("a script that is lost is told, and lost", async () => {
  const { remoteOf, told } = traced(() => Promise.reject(new Error("the host hung up")));
  await expect(remoteOf("a").run("true", options)).rejects.toThrow("the host hung up");
  expect(told.at(-1)).toBe("a $ sysctl: write it: the host hung up\n");
});

it("a question is told with its answer, a long one cut", async () => {
  const told: string[] = [];
  const lines = Array.from({ length: 50 }, (_, at) => `line ${at}`).join("\n");
  const answers = [
    { is: "value", value: [Buffer.from(lines)] },
    { is: "unreadable", because: "permission denied" },
    { is: "value", value: [Buffer.from([0xff, 0xfe])] },
  ] as const;
  const reader = new TracedReader(
    "a",
    { ask: () => answers.map((answer) => Promise.resolve(answer)) },
    (text) => told.push(text),
  );
  expect(await Promise.all(reader.ask([["file", "/etc/a b"], ["sysctl", "x"], ["clock"]]))).toEqual(answers);
  expect(told[0]).toMatch(/^a \? file "\/etc\/a b"\n {4}line 0\n/);
  expect(told[0]).toMatch(/ {4}line 39\n {4}… 10 more lines\n$/);
  expect(told.slice(1)).toEqual([
    "a ? sysctl x\n    unreadable: permission denied\n",
    "a ? clock\n    (2 bytes)\n",
  ]);
});
