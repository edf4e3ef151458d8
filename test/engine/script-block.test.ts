import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Block, inOrder } from "../../src/engine/script-block.ts";

function runBatch(blocks: readonly Partial<Block>[]) {
  const full = blocks.map((block, index) => ({
    name: `b${index}`,
    text: "",
    args: [],
    timeoutMs: 5000,
    ...block,
  }));
  const { script, parse } = inOrder(full);
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

describe("what a block says while it runs", () => {
  it("is told line by line where the block tells how far it is, however the bytes come", () => {
    const block = { args: [], timeoutMs: 5000 };
    const { script, listener } = inOrder([
      { ...block, name: "a", text: "echo secret" },
      { ...block, name: "b", text: "echo Unpacking …; echo; printf 'no end'", tells: true },
      { ...block, name: "c", text: "echo c2VjcmV0" },
    ]);
    const { stdout } = spawnSync("sh", ["-s"], { input: `echo junk\n${script}` });
    for (const size of [1, 7, stdout.length]) {
      const heard: string[] = [];
      const listen = listener((line) => heard.push(line));
      for (let at = 0; at < stdout.length; at += size) listen(stdout.subarray(at, at + size));
      expect(heard).toEqual(["Unpacking …", "no end"]);
    }
  });
});

describe("scripts", () => {
  it("keep each block's output, errors and exit code apart", () => {
    const last = { text: "printf two; printf worse >&2; exit 3" };
    expect(runBatch([{ text: "echo one; echo bad >&2" }, { text: "echo" }, last])).toEqual([
      { name: "b0", exitCode: 0, stdout: "one\n", stderr: "bad\n" },
      { name: "b1", exitCode: 0, stdout: "\n", stderr: "" },
      { name: "b2", exitCode: 3, stdout: "two", stderr: "worse" },
    ]);
  });

  it("carries hostile arguments through unharmed", () => {
    const hostile = ["$(id)", "`id`", "a'b", 'a"b', "-n", "x\ny", "", "*", "\\", "ü€"];
    const [, result] = runBatch([{}, { text: `for a; do printf '<%s>' "$a"; done`, args: hostile }]);
    expect(result!.stdout).toBe(hostile.map((value) => `<${value}>`).join(""));
  });

  it("hands input over on file descriptor 3, byte by byte", () => {
    const input = Buffer.from([0, 1, 255, 10, 10, 65]);
    const [, result] = runBatch([{}, { text: "base64 <&3", input }]);
    expect(result!.stdout).toBe(`${input.toString("base64")}\n`);
  });

  it("gives no result for a block that never ran", () => {
    const { parse } = inOrder([{ name: "a", text: "", args: [], timeoutMs: 1000 }]);
    expect(parse("", "")).toEqual([]);
  });

  it("keeps every blank line that ends a block's output", () => {
    const block = { text: "printf 'a\\n\\n\\n'; printf '\\nb\\n\\n' >&2" };
    for (const { stdout, stderr } of runBatch([block, block]))
      expect([stdout, stderr]).toEqual(["a\n\n\n", "\nb\n\n"]);
  });
});

describe("the marks of scripts", () => {
  it("stand in no argument that others on the host may read", () => {
    const directory = mkdtempSync(join(tmpdir(), "meshctl-blocks-"));
    const text = `cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep -c -f ${directory}/nonce; :`;
    const { script, parse } = inOrder([{ name: "", text, args: [], timeoutMs: 20_000 }]);
    writeFileSync(`${directory}/nonce`, /meshctl_[0-9a-f]{24}/.exec(script)![0]);
    const { stdout, stderr } = spawnSync("sh", ["-s"], { input: script, encoding: "utf8" });
    expect(parse(stdout, stderr)).toMatchObject([{ exitCode: 0, stdout: "0\n" }]);
    rmSync(directory, { recursive: true });
  });
});
