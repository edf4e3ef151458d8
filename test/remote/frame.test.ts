import { describe, expect, it } from "vitest";
import { Frame } from "../../src/remote/frame.ts";

const nonce = "0123456789abcdef";
const whole = `junk\n${nonce} READY\n${nonce} BEGIN\nfirst\n${nonce} is not the end\nlast${nonce} END 7\nlate`;

describe("a frame", () => {
  it.each([1, 2, 3, 5, 7, 16, 1_000])("is read the same in pieces of %i bytes", (bytes) => {
    const frame = new Frame(nonce);
    const all = Buffer.from(whole);
    for (let at = 0; at < all.length; at += bytes) frame.push(all.subarray(at, at + bytes));
    expect(frame.prelude).toBe(`junk\n${nonce} READY\n`);
    expect(frame.payload().toString()).toBe(`first\n${nonce} is not the end\nlast`);
    expect(frame.exitCode).toBe(7);
  });

  it("that has no end mark has no exit code", () => {
    const frame = new Frame(nonce);
    frame.push(Buffer.from(whole.slice(0, whole.indexOf("7\nlate"))));
    expect(frame).toMatchObject({ began: true, exitCode: undefined });
    frame.push(Buffer.from("12"));
    expect(frame.exitCode).toBeUndefined();
    frame.push(Buffer.from("\n"));
    expect(frame.exitCode).toBe(12);
  });

  it("gives a line out at once, for what waits for it", () => {
    const frame = new Frame(nonce);
    frame.push(Buffer.from(`${nonce} BEGIN\n`));
    expect(frame.spoke).toBe(false);
    frame.push(Buffer.from("x\n"));
    expect(frame.spoke).toBe(true);
    expect(frame.payload().toString()).toBe("x\n");
  });

  it("keeps little of endless junk", () => {
    const frame = new Frame(nonce);
    for (let i = 0; i < 100; i += 1) frame.push(Buffer.alloc(10_000, "x"));
    expect(frame.prelude.length).toBeLessThan(70_000);
    frame.push(Buffer.from(`${nonce} BEGIN\nok${nonce} END 0\n`));
    expect(frame.payload().toString()).toBe("ok");
  });
});
