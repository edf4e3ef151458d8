import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { ProcessChannel } from "../../src/remote/openssh/channel.ts";

async function heard(script: string, { isLost = false, lateMs = 0 } = {}) {
  const child = spawn("sh", ["-c", script]);
  const channel = new ProcessChannel("one", child, async () => isLost);
  if (lateMs > 0) {
    await once(child, "exit");
    await sleep(lateMs);
  }
  const said = { stdout: "", stderr: "" };
  channel.on("data", (chunk) => {
    said.stdout += chunk;
  });
  channel.stderr.on("data", (chunk) => {
    said.stderr += chunk;
  });
  const code = await new Promise((resolve) => channel.on("close", resolve));
  return { ...said, code };
}

describe("a session of the system's ssh", () => {
  it("that ended before anybody listened tells all that it said, and how it ended", async () => {
    expect(await heard("echo out; echo err >&2; exit 3", { lateMs: 50 })).toEqual({
      stdout: "out\n",
      stderr: "err\n",
      code: 3,
    });
  });

  it("tells its end after its last byte", async () => {
    const { stdout, code } = await heard("head -c 3000000 /dev/zero; exit 4");
    expect([stdout.length, code]).toEqual([3_000_000, 4]);
  });

  it.each([
    ["is that of a program while the master lives", false, 255],
    ["tells nothing where the master is gone", true, undefined],
  ])("the code 255 %s", async (_, isLost, code) => {
    expect((await heard("exit 255", { isLost })).code).toBe(code);
  });

  it("gives its place back also when nobody read what it said", async () => {
    const child = spawn("sh", ["-c", "echo out; exec sleep 600"]);
    const channel = new ProcessChannel("one", child, async () => false);
    const over = new Promise<void>((resolve) => channel.once("close", resolve));
    channel.close();
    await over;
  });
});
