import { onceEach } from "../once-each.ts";
import type { Answer } from "./answer.ts";
import type { Fields, Question } from "./protocol.ts";

/** Of questions that name a host's own address there are as many as hosts. */
const MOST_KEPT = 4096;
/** Answers to one question: a fleet has hosts of a few kinds, and what is another's on each host is kept for nobody. */
const MOST_KINDS = 6;
/** A larger answer is a host's own, or that of one that lies. */
const MOST_SHARED_BYTES = 256 * 1024;
/** Of all together. */
const MOST_KEPT_BYTES = 64 * 1024 * 1024;

interface Known {
  readonly bytes: Buffer;
  readonly answer: Answer<Fields>;
}

/** By question, the latest first. */
const kept = new Map<string, readonly Known[]>();
let keptBytes = 0;

/**
 * An answer; the very same one where another host answered the same, byte by byte. Hosts of a fleet are mostly of a few
 * kinds, and what those of one kind say of themselves is then kept once. `decode` goes by its argument alone, and nobody
 * changes what it made.
 */
export function sharedAnswer(
  question: Question,
  bytes: Buffer,
  decode: (bytes: Buffer) => Answer<Fields>,
): Answer<Fields> {
  if (bytes.length > MOST_SHARED_BYTES) return decode(bytes);
  const key = question.join("\0");
  const known = kept.get(key) ?? [];
  const same = known.find((each) => each.bytes.equals(bytes));
  if (same !== undefined) return same.answer;
  // A copy: what came is a part of all that came with it.
  const mine = Buffer.from(bytes);
  const answer = decode(mine);
  if (kept.size >= MOST_KEPT || keptBytes > MOST_KEPT_BYTES) {
    kept.clear();
    keptBytes = 0;
  }
  kept.set(key, [{ bytes: mine, answer }, ...known.slice(0, MOST_KINDS - 1)]);
  keptBytes += mine.length;
  return answer;
}

const valuesOf = onceEach((_: Fields) => new Map<string, unknown>());

/** What is made of an answer, once. `make` goes by its argument, the question and `by` alone. */
export function sharedValue<T>(fields: Fields, make: (fields: Fields) => T, by = ""): T {
  const values = valuesOf(fields);
  // By its text: it is another function at each call.
  const key = `${by} ${make}`;
  if (!values.has(key)) values.set(key, make(fields));
  return values.get(key) as T;
}
