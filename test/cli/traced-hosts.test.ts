import { expect, it } from "vitest";
import { TracedReader, tracedHosts } from "../../src/cli/traced-hosts.ts";
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
