import { Chalk } from "chalk";
import { describe, expect, it } from "vitest";
import { type HostRow, liveLines } from "../../src/cli/ui/live-rows.ts";

const paint = new Chalk({ level: 0 });
const texts = (hosts: readonly HostRow[], columns = 80, rows = 24, head = ["⠋ provision"]) =>
  liveLines({ head, hosts }, { columns, rows, nowMs: 600_000, paint });

const working = (
  host: string,
  seconds: number,
  text = "haproxy · packages",
  said: string[] = [],
): HostRow => ({
  host,
  is: "working",
  text,
  sinceMs: 600_000 - seconds * 1000,
  said,
});
const resting = (host: string, is: HostRow["is"], text: string): HostRow => ({ host, is, text, said: [] });

describe("the live screen", () => {
  it("has a row for each host, with what it does and since when", () => {
    const hosts = [
      working("kvm-01", 12),
      resting("kvm-02", "next", "waits for its turn"),
      resting("db-1", "done", "done"),
    ];
    expect(texts(hosts)).toEqual([
      "⠋ provision",
      " ▸ kvm-01      12 s  haproxy · packages",
      " · kvm-02            waits for its turn",
      " ✓ db-1              done",
    ]);
  });

  it("shows below a row what a program says, once the change takes long", () => {
    const said = ["Get:1 haproxy", "Unpacking haproxy", "Setting up haproxy"];
    expect(texts([working("kvm-01", 2, "haproxy · packages", said)])).toHaveLength(2);
    expect(texts([working("kvm-01", 100, "haproxy · packages", said)])).toEqual([
      "⠋ provision",
      " ▸ kvm-01  1 m 40 s  haproxy · packages",
      ...said.map((line) => `     │ ${line}`),
    ]);
  });

  it("shows those of 500 that have worked longest, and counts the others", () => {
    const hosts = Array.from({ length: 500 }, (_, at) =>
      at < 300
        ? resting(`host-${at}`, "done", "done")
        : at < 302
          ? resting(`host-${at}`, "failed", `haproxy: reload failed on ${at}`)
          : at < 400
            ? resting(`host-${at}`, "next", "waits for its turn")
            : working(`host-${at}`, at - 399, "haproxy · packages", ["Unpacking haproxy"]),
    );
    const lines = texts(hosts);
    expect(lines.length).toBeLessThanOrEqual(12);
    expect(lines[1]).toBe(" ▸ host-499  1 m 40 s  haproxy · packages");
    expect(lines[2]).toMatch(/^ ▸ host-498 {6}99 s/);
    expect(lines.at(-1)).toMatch(
      /^ {3}\d+ more: 300 done, 98 waits for its turn, 93 haproxy · packages, 2 failed$/,
    );
    const [, more] = / (\d+) more/.exec(lines.at(-1)!)!;
    expect(Number(more) + lines.filter((line) => line.startsWith(" ▸")).length).toBe(500);
  });

  it.each([
    [80, 24, 12],
    [120, 40, 16],
    [40, 10, 5],
    [20, 3, 2],
    [1, 1, 2],
  ])("in a window of %i by %i has at most %i lines, each narrower than it", (columns, rows, most) => {
    const hosts = Array.from({ length: 30 }, (_, at) =>
      working(`a-host-with-a-name-that-is-long-${at}`, at, "words ".repeat(40), ["said ".repeat(40)]),
    );
    const lines = texts(hosts, columns, rows, ["⠋ provision ".repeat(20)]);
    expect(lines.length).toBeLessThanOrEqual(most);
    for (const line of lines) expect(line.length).toBeLessThan(Math.max(20, columns));
  });
});
