import { Chalk } from "chalk";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Progress } from "../../src/cli/ui/progress.ts";
import type { Change } from "../../src/contract/change.ts";

const change: Change = { id: "packages", why: "it is not installed", commands: [], activate: [] };

function terminal(columns: number) {
  const written: string[] = [];
  const stream = { isTTY: true, columns, rows: 24, write: (text: string) => written.push(text) };
  const progress = new Progress(stream as unknown as NodeJS.WriteStream, {
    paint: new Chalk({ level: 0 }),
    verbose: false,
  });
  return { progress, written, last: () => written.at(-1)! };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubEnv("TERM", "xterm");
  vi.stubEnv("CI", "");
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

describe("the live screen", () => {
  const begin = (progress: Progress, hosts: readonly string[]) => {
    for (const host of hosts) progress.see({ event: "changing", host, step: "haproxy", change });
    vi.advanceTimersByTime(100);
  };
  /** What was drawn last, line by line. */
  const drawn = (text: string) =>
    text
      .replace(/\u001b\[[?0-9]*[A-Za-z]|\r/g, "")
      .trimEnd()
      .split("\n");

  it("tells how many hosts are looked at", () => {
    const { progress, last } = terminal(80);
    const hosts = ["a", "b"];
    progress.see({ event: "run", command: "verify", hosts, steps: ["sysctl"] });
    progress.see({ event: "observed", host: "a", durationMs: 1 });
    // A peer that is only looked at.
    progress.see({ event: "observed", host: "z", durationMs: 1 });
    vi.advanceTimersByTime(100);
    const [head, ...rows] = drawn(last());
    expect(head).toMatch(/ verify · 1 of 2 hosts looked at · 0\.1 s$/);
    expect(rows).toEqual([" ✓ a            looked at", " ▸ b       0 s  looking"]);
    progress.end();
  });

  it("counts no packages among the steps", () => {
    const { progress, last } = terminal(80);
    progress.see({ event: "run", command: "provision", hosts: ["a"], steps: ["sysctl"] });
    progress.see({ event: "step", step: "packages", title: "t", hosts: ["a"] });
    begin(progress, ["a"]);
    expect(drawn(last()).find((line) => line.includes("provision"))).toMatch(/ provision · packages · \d/);
    progress.end();
  });

  it("tells the step, the wave, whose turn is to come and who is done", () => {
    const { progress, last } = terminal(120);
    const hosts = ["a", "b", "c"];
    progress.see({ event: "run", command: "provision", hosts, steps: ["sysctl", "haproxy"] });
    for (const host of hosts) progress.see({ event: "observed", host, durationMs: 1 });
    for (const host of ["a", "b"]) progress.see({ event: "planned", host, step: "haproxy", change });
    progress.see({ event: "waves", step: "haproxy", waves: [["a"], ["b"]], holdMs: 0 });
    progress.see({ event: "step", step: "haproxy", title: "HAProxy", hosts });
    begin(progress, ["a"]);
    expect(drawn(last())[0]).toMatch(
      / provision · haproxy \(step 2 of 2\) · wave 1 of 2 · 0 of 2 hosts done · /,
    );
    expect(drawn(last()).slice(1)).toEqual([
      " ▸ a       0 s  haproxy · packages",
      " · b            waits for its turn",
      " · c            nothing to do",
    ]);
    progress.see({ event: "changed", host: "a", step: "haproxy", change, durationMs: 1 });
    const compared = { lookedAt: [], worse: [], notCompared: [], durationMs: 1 } as const;
    progress.see({ event: "gate", step: "haproxy", wave: ["a"], begun: true, is: "passed", ...compared });
    begin(progress, ["b"]);
    progress.see({ event: "failed", host: "b", step: "haproxy", because: "It fell. Read its journal." });
    vi.advanceTimersByTime(100);
    expect(drawn(last())[0]).toMatch(/ · wave 2 of 2 · 1 of 2 hosts done · 1 failed · looking · /);
    expect(drawn(last()).slice(1, 3)).toEqual([" ✓ a            done", " ✗ b            haproxy: It fell."]);
    progress.end();
  });

  it("shows what a program says while a change takes long, without what steers a terminal", () => {
    const { progress, last } = terminal(80);
    begin(progress, ["a"]);
    for (const line of ["Reading…", "\u001b[31mGet:1\u001b[0m x", "50%\r100%", "Unpacking\u202e y"])
      progress.hear({ host: "a", during: "packages", is: "line", line });
    vi.advanceTimersByTime(3000);
    expect(drawn(last()).slice(2)).toEqual(["     │ Get:1 x", "     │ 100%", "     │ Unpacking\ufffd y"]);
    progress.hear({ host: "a", during: "packages", is: "ended" });
    vi.advanceTimersByTime(100);
    expect(drawn(last())).toHaveLength(2);
    progress.end();
  });

  it("has a row for a host that builds for others", () => {
    const { progress, last } = terminal(80);
    begin(progress, ["a"]);
    progress.hear({ host: "b", during: "building gems on b", is: "begun" });
    vi.advanceTimersByTime(100);
    expect(drawn(last()).slice(1)).toEqual([
      " ▸ a       0 s  haproxy · packages",
      " ▸ b       0 s  building gems on b",
    ]);
    progress.hear({ host: "b", during: "building gems on b", is: "ended" });
    vi.advanceTimersByTime(100);
    expect(drawn(last())).toHaveLength(2);
    progress.end();
  });

  it("tells after a question what happened meanwhile", async () => {
    const { progress, written } = terminal(80);
    begin(progress, ["a"]);
    let drawnBefore = 0;
    await progress.pause(async () => {
      drawnBefore = written.length;
      progress.see({ event: "note", text: "meanwhile" });
      vi.advanceTimersByTime(1000);
      expect(written.length).toBe(drawnBefore);
    });
    expect(written.slice(drawnBefore).join("")).toContain("meanwhile\n");
    progress.end();
  });

  it.each([{ TERM: "dumb" }, { CI: "true" }])("is not drawn with %o", (variables) => {
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
    const { progress, written } = terminal(80);
    begin(progress, ["a"]);
    vi.advanceTimersByTime(1000);
    expect(written.join("")).toBe("   a haproxy · packages: it is not installed\n");
  });

  it("tells what was found where a change is done", () => {
    const { progress, written } = terminal(120);
    progress.see({ event: "changed", host: "a", step: "haproxy", change, durationMs: 300 });
    expect(written.join("")).toBe("   ✓ a haproxy · packages 0.3 s, found: it is not installed\n");
  });
});

describe("a gate that fails", () => {
  it("is told with what is worse", () => {
    const { progress, written } = terminal(200);
    const worse = [{ host: "b", step: "watcher", what: "server x", is: "bad", because: "is DOWN" }] as const;
    const gate = {
      event: "gate",
      step: "haproxy",
      wave: ["a"],
      begun: true,
      lookedAt: [],
      notCompared: [],
      durationMs: 1,
    } as const;
    progress.see({ ...gate, is: "passed", worse: [] });
    expect(written.join("")).not.toContain("haproxy");
    progress.see({ ...gate, is: "failed", worse });
    expect(written.join("")).toContain("haproxy: since a the mesh is worse: server x is DOWN on b");
    progress.see({ ...gate, is: "failed", begun: false, worse });
    expect(written.join("")).toContain("haproxy: before a the mesh had become worse: server x is DOWN on b");
  });
});

describe("a host's backends", () => {
  it("are followed out of the mesh and back, and what keeps them is said", () => {
    const { progress, written } = terminal(200);
    const drain = { event: "drain", host: "a", step: "haproxy", durationMs: 2_100 } as const;
    progress.see({ ...drain, is: "out" });
    progress.see({ ...drain, is: "back" });
    progress.see({ ...drain, is: "kept", because: "no other host serves api" });
    progress.see({ ...drain, is: "failed", because: "still served" });
    expect(written.join("").trimEnd().split("\n")).toEqual([
      "   · a haproxy · its backends have left the mesh 2.1 s",
      "   · a haproxy · its backends come back into the mesh",
      "   · a haproxy · its backends stay in the mesh: no other host serves api",
      "   · a haproxy · its backends did not leave the mesh or come back as they should: still served",
    ]);
  });
});
