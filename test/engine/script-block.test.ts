import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { type Block, batch } from "../../src/engine/script-block.ts";

function runBatch(blocks: readonly Partial<Block>[], stopAtFailure = false) {
  const full = blocks.map((block, index) => ({
    name: `b${index}`,
    text: "",
    args: [],
    timeoutMs: 5000,
    ...block,
  }));
  const { script, parse } = batch(full, { stopAtFailure });
  const ended = spawnSync("sh", ["-s"], { input: script, encoding: "utf8" });
  return parse(ended.stdout, ended.stderr);
}

describe("a batch of scripts", () => {
  it("keeps each block's output, errors and exit code apart", () => {
    const results = runBatch([{ text: "echo one; echo bad >&2; exit 3" }, { text: "printf two" }]);
    expect(results).toEqual([
      { name: "b0", exitCode: 3, stdout: "one\n", stderr: "bad\n" },
      { name: "b1", exitCode: 0, stdout: "two", stderr: "" },
    ]);
  });

  it("stops at the first failure when told to", () => {
    expect(runBatch([{ text: "exit 7" }, { text: "echo no" }], true).map(({ exitCode }) => exitCode)).toEqual(
      [7],
    );
  });

  it("spares a block's neighbours when it hangs", () => {
    const results = runBatch([{ text: "sleep 60", timeoutMs: 1000 }, { text: "echo still here" }]);
    expect(results.map(({ exitCode, stdout }) => [exitCode, stdout])).toEqual([
      [124, ""],
      [0, "still here\n"],
    ]);
  });

  it("carries hostile arguments through unharmed", () => {
    const hostile = ["$(id)", "`id`", "a'b", 'a"b', "-n", "x\ny", "", "*", "\\", "ü€"];
    const [result] = runBatch([{ text: `for a; do printf '<%s>' "$a"; done`, args: hostile }]);
    expect(result!.stdout).toBe(hostile.map((value) => `<${value}>`).join(""));
  });

  it("hands input over on file descriptor 3, byte by byte", () => {
    const input = Buffer.from([0, 1, 255, 10, 10, 65]);
    const [result] = runBatch([{ text: "base64 <&3", input }]);
    expect(result!.stdout).toBe(`${input.toString("base64")}\n`);
  });

  it("gives no result for a block that never ran", () => {
    const { parse } = batch([{ name: "a", text: "", args: [], timeoutMs: 1000 }], { stopAtFailure: false });
    expect(parse("", "")).toEqual([]);
  });

  it("keeps every blank line that ends a block's output", () => {
    expect(runBatch([{ text: "printf 'a\\n\\n\\n'" }])[0]!.stdout).toBe("a\n\n\n");
  });
});
