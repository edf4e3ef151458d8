import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Block, type BlockResult, inOrder, sideBySide } from "../../src/engine/script-block.ts";

const WAYS = { "one after another": inOrder, "side by side": sideBySide };

function runBatch(blocks: readonly Partial<Block>[], way: (typeof WAYS)[keyof typeof WAYS] = inOrder) {
  const full = blocks.map((block, index) => ({
    name: `b${index}`,
    text: "",
    args: [],
    timeoutMs: 5000,
    ...block,
  }));
  const { script, parse } = way(full as [Block, ...Block[]]);
  const ended = spawnSync("sh", ["-s"], { input: script, encoding: "utf8" });
  return parse(ended.stdout, ended.stderr);
}

describe("scripts run one after another", () => {
  it("end with the first that fails", () => {
    const results = runBatch([{ text: "echo yes" }, { text: "exit 7" }, { text: "echo no" }]);
    expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 7]);
  });

  it("spare the next ones of what was printed before", () => {
    const { script, parse } = inOrder([{ name: "a", text: "echo one", args: [], timeoutMs: 5000 }]);
    const input = `echo junk; echo junk >&2\n${script}`;
    const { stdout, stderr } = spawnSync("sh", ["-s"], { input, encoding: "utf8" });
    expect(parse(stdout, stderr)).toEqual([{ name: "a", exitCode: 0, stdout: "one\n", stderr: "" }]);
  });
});

describe("scripts run side by side", () => {
  it("spare their neighbours when one fails, breaks off or hangs", () => {
    const results = runBatch(
      [
        { text: "echo first; exit 3" },
        { text: "echo begun; sleep 60", timeoutMs: 1000 },
        { text: "if" },
        { text: "echo still here; kill -9 $$" },
        { text: "echo whole" },
      ],
      sideBySide,
    );
    expect(results.map(({ exitCode, stdout }) => [exitCode, stdout])).toEqual([
      [3, "first\n"],
      [124, "begun\n"],
      [2, ""],
      [137, "still here\n"],
      [0, "whole\n"],
    ]);
    expect(results[2]!.stderr).toContain("Syntax error");
  });

  it("wait for each other only at the end", () => {
    const directory = mkdtempSync(join(tmpdir(), "meshctl-blocks-"));
    const meet = (mine: string, other: string) =>
      `: >${directory}/${mine}; until [ -e ${directory}/${other} ]; do sleep 0.01; done; echo met`;
    const results = runBatch([{ text: meet("a", "b") }, { text: meet("b", "a") }], sideBySide);
    expect(results.map(({ stdout }) => stdout)).toEqual(["met\n", "met\n"]);
    rmSync(directory, { recursive: true });
  });

  it("print more than a pipe holds while another takes its time", () => {
    const large = "head -c 300000 /dev/zero | tr '\\0' x; head -c 100000 /dev/zero | tr '\\0' y >&2";
    const blocks = [{ text: "sleep 1.2" }, { text: large, timeoutMs: 1000 }];
    const [, { exitCode, stdout, stderr }] = runBatch(blocks, sideBySide) as [BlockResult, BlockResult];
    expect([exitCode, stdout.length, stderr.length]).toEqual([0, 300_000, 100_000]);
  });

  it("are not held up by a child that one leaves behind with its output open", () => {
    const startedAtMs = Date.now();
    const blocks = [{ text: "echo a" }, { text: "sleep 20 & echo $!" }, { text: "echo c" }];
    const [, left] = runBatch(blocks, sideBySide);
    process.kill(Number(left!.stdout), "SIGKILL");
    expect(Date.now() - startedAtMs).toBeLessThan(15_000);
  });
});

describe.each(Object.entries(WAYS))("scripts run %s", (_, way) => {
  it("keep each block's output, errors and exit code apart", () => {
    const last = { text: "printf two; printf worse >&2; exit 3" };
    expect(runBatch([{ text: "echo one; echo bad >&2" }, { text: "echo" }, last], way)).toEqual([
      { name: "b0", exitCode: 0, stdout: "one\n", stderr: "bad\n" },
      { name: "b1", exitCode: 0, stdout: "\n", stderr: "" },
      { name: "b2", exitCode: 3, stdout: "two", stderr: "worse" },
    ]);
  });

  it("carries hostile arguments through unharmed", () => {
    const hostile = ["$(id)", "`id`", "a'b", 'a"b', "-n", "x\ny", "", "*", "\\", "ü€"];
    const [, result] = runBatch([{}, { text: `for a; do printf '<%s>' "$a"; done`, args: hostile }], way);
    expect(result!.stdout).toBe(hostile.map((value) => `<${value}>`).join(""));
  });

  it("hands input over on file descriptor 3, byte by byte", () => {
    const input = Buffer.from([0, 1, 255, 10, 10, 65]);
    const [, result] = runBatch([{}, { text: "base64 <&3", input }], way);
    expect(result!.stdout).toBe(`${input.toString("base64")}\n`);
  });

  it("gives no result for a block that never ran", () => {
    const { parse } = way([{ name: "a", text: "", args: [], timeoutMs: 1000 }]);
    expect(parse("", "")).toEqual([]);
  });

  it("keeps every blank line that ends a block's output", () => {
    const block = { text: "printf 'a\\n\\n\\n'; printf '\\nb\\n\\n' >&2" };
    for (const { stdout, stderr } of runBatch([block, block], way))
      expect([stdout, stderr]).toEqual(["a\n\n\n", "\nb\n\n"]);
  });
});

describe("the marks of scripts", () => {
  it.each([
    ["one after another", inOrder, 1],
    ["side by side", sideBySide, 3],
  ] as const)("stand in no argument that others on the host may read, %s", (_, way, count) => {
    const directory = mkdtempSync(join(tmpdir(), "meshctl-blocks-"));
    const arrived = `: >${directory}/$1; until [ -e ${directory}/looked ]; do sleep 0.01; done`;
    // The marks in the arguments of every process, once the other blocks run.
    const look = `
      for block; do until [ -e ${directory}/$block ]; do sleep 0.01; done; done
      cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep -c -f ${directory}/nonce
      : >${directory}/looked`;
    const block = (text: string, args: readonly string[]): Block => ({
      name: "",
      text,
      args,
      timeoutMs: 20_000,
    });
    const others = Array.from({ length: count - 1 }, (_, at) => block(arrived, [`${at}`]));
    const { script, parse } = way([
      block(
        look,
        others.map((_, at) => `${at}`),
      ),
      ...others,
    ]);
    writeFileSync(`${directory}/nonce`, /meshctl_[0-9a-f]{24}/.exec(script)![0]);
    const { stdout, stderr } = spawnSync("sh", ["-s"], { input: script, encoding: "utf8" });
    const results = parse(stdout, stderr);
    expect(results.map(({ exitCode }) => exitCode)).toEqual(Array.from({ length: count }, () => 0));
    expect(results[0]!.stdout).toBe("0\n");
    rmSync(directory, { recursive: true });
  });
});
