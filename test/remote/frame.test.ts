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

  it("is broken by junk that does not end", () => {
    const frame = new Frame(nonce);
    for (let i = 0; i < 100 && !frame.isBroken; i += 1) frame.push(Buffer.alloc(1024 * 1024, "x"));
    expect(frame.isBroken).toBe(true);
    frame.push(Buffer.from(`${nonce} BEGIN\nlate${nonce} END 0\n`));
    expect(frame).toMatchObject({ began: false, exitCode: undefined, payloadBytes: 0 });
  });

  it.each(["x", "-1\n", "\n", "1234", "12 \n", "1x"])(
    "is broken by an end mark with %j behind it",
    (code) => {
      for (const pieces of [[code], code.split("")]) {
        const frame = new Frame(nonce);
        frame.push(Buffer.from(`${nonce} BEGIN\nout${nonce} END `));
        for (const piece of pieces) frame.push(Buffer.from(piece));
        expect(frame).toMatchObject({ isBroken: true, exitCode: undefined });
        for (let i = 0; i < 10; i += 1) frame.push(Buffer.alloc(1024 * 1024, "x"));
        expect(frame.payloadBytes).toBe(3);
      }
    },
  );

  it("counts every byte that it keeps, also what looks like the beginning of a mark again and again", () => {
    const frame = new Frame(nonce);
    frame.push(Buffer.from(`${nonce} BEGIN\n`));
    const almost = Buffer.from(`${nonce} EN`.repeat(1000));
    for (let i = 0; i < 10; i += 1) frame.push(almost);
    expect(10 * almost.length - frame.payloadBytes).toBeLessThan(nonce.length + 5);
  });

  it("tells of each mark before the script once, however it is cut", () => {
    const prompts = `junk ${nonce} PROMPT Password: ${nonce} PROMPT ${nonce} PROMP`;
    for (const bytes of [1, 2, 7, 22, 1000]) {
      const frame = new Frame(nonce);
      let seen = 0;
      for (let at = 0; at < prompts.length; at += bytes) {
        frame.push(Buffer.from(prompts.slice(at, at + bytes)));
        seen += frame.sightings(`${nonce} PROMPT`);
      }
      expect(seen).toBe(2);
    }
  });
});
