import { describe, expect, it } from "vitest";
import { GrowingBytes } from "../../src/remote/growing-bytes.ts";

describe("bytes that come in pieces", () => {
  it("are kept in order, and cut at either end", () => {
    const bytes = new GrowingBytes();
    for (let i = 0; i < 5000; i += 1) bytes.add(Buffer.from(`${i} `));
    const whole = Array.from({ length: 5000 }, (_, i) => `${i} `).join("");
    expect(bytes.all().toString()).toBe(whole);
    expect(bytes.last(10).toString()).toBe(whole.slice(-10));
    bytes.keepLast(100);
    bytes.add(Buffer.from("end"));
    expect(bytes.all().toString()).toBe(`${whole.slice(-100)}end`);
    bytes.cutTo(4);
    expect([bytes.length, bytes.last(1000).toString()]).toEqual([4, whole.slice(-100, -96)]);
  });

  it("cost memory by their number, not by that of the pieces", () => {
    const packet = Buffer.alloc(64 * 1024, "x");
    const bytes = new GrowingBytes();
    for (let i = 0; i < 10_000; i += 1) bytes.add(packet.subarray(i, i + 1));
    expect(bytes.all().buffer).not.toBe(packet.buffer);
    expect(bytes.all().buffer.byteLength).toBeLessThanOrEqual(32 * 1024);
  });
});
