import { Chalk } from "chalk";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Progress } from "../../src/cli/ui/progress.ts";
import type { Change } from "../../src/contract/change.ts";

const change: Change = { id: "packages", why: "it is not installed", commands: [], activate: [] };

function terminal(columns: number) {
  const written: string[] = [];
  const stream = { isTTY: true, columns, write: (text: string) => written.push(text) };
  const progress = new Progress(stream as unknown as NodeJS.WriteStream, {
    paint: new Chalk({ level: 0 }),
    verbose: false,
  });
  return { progress, written, last: () => written.at(-1)! };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("the live line", () => {
  const begin = (progress: Progress, hosts: readonly string[]) => {
    for (const host of hosts) progress.see({ event: "changing", host, step: "haproxy", change });
    vi.advanceTimersByTime(100);
  };

  it("names hosts that do the same thing together", () => {
    const { progress, last } = terminal(120);
    begin(progress, ["a", "b", "c"]);
    expect(last()).toMatch(/a, b, c haproxy · packages 0\.1 s$/);
  });

  it("counts them when they are many", () => {
    const { progress, last } = terminal(120);
    begin(progress, ["a", "b", "c", "d"]);
    expect(last()).toMatch(/4 hosts haproxy · packages/);
  });

  it("leaves room for a ^C on the same line", () => {
    const { progress, last } = terminal(20);
    begin(progress, ["a", "b", "c"]);
    expect(last().length).toBeLessThanOrEqual(18);
  });

  it("tells what was found where a change is done", () => {
    const { progress, written } = terminal(120);
    progress.see({ event: "changed", host: "a", step: "haproxy", change, durationMs: 300 });
    expect(written.join("")).toBe("   ✓ a haproxy · packages 0.3 s, found: it is not installed\n");
  });
});
