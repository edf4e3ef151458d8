import { Duplex } from "node:stream";
import { expect, it } from "vitest";
import { writtenTogether } from "../../src/remote/written-together.ts";

/** A stream, and what the kernel would get of it at a time. */
function streamAndWrites(): { stream: Duplex; writes: string[] } {
  const writes: string[] = [];
  const stream = new Duplex({
    read() {},
    write(chunk, _encoding, done) {
      writes.push(String(chunk));
      done();
    },
    writev(chunks, done) {
      writes.push(chunks.map(({ chunk }) => String(chunk)).join(""));
      done();
    },
  });
  return { stream, writes };
}

it("what is written in one go leaves in one go", async () => {
  const { stream, writes } = streamAndWrites();
  const together = writtenTogether(stream);
  for (const part of ["length", "packet", "seal"]) together.write(part);
  expect(writes).toEqual([]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(writes).toEqual(["lengthpacketseal"]);
  together.write("next");
  await new Promise((resolve) => setImmediate(resolve));
  expect(writes).toEqual(["lengthpacketseal", "next"]);
});

it("loses nothing at its end", async () => {
  const { stream, writes } = streamAndWrites();
  const together = writtenTogether(stream);
  together.write("good");
  together.write("bye");
  await new Promise<void>((resolve) => together.end(() => resolve()));
  expect(writes).toEqual(["goodbye"]);
});
