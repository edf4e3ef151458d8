import type { Fields, Question } from "./protocol.ts";

/** Of questions that name a host's own address there are as many as hosts. */
const MOST_KEPT = 4096;
/** Answers to one question: a fleet has hosts of a few kinds, and what is another's on each host is kept for nobody. */
const MOST_KINDS = 6;

/** What a function has made of an answer. */
type Made = { readonly make: string; readonly fields: Fields; readonly value: unknown };

/** By question, the latest first. */
const kept = new Map<string, readonly Made[]>();

/**
 * What is made of an answer; the very same value where another host answered the same, byte by byte. Hosts of a fleet are
 * mostly of a few kinds, and what those of one kind say of themselves is then kept once. `make` goes by its argument and the question alone,
 * and nobody changes what it made.
 */
export function sharedValue<T>(question: Question, make: (fields: Fields) => T, fields: Fields): T {
  const key = question.join("\0");
  const made = kept.get(key) ?? [];
  // By its text: it is another function at each call.
  const text = make.toString();
  const same = made.find((each) => each.make === text && isSame(each.fields, fields));
  if (same !== undefined) return same.value as T;
  const value = make(fields);
  if (kept.size >= MOST_KEPT) kept.clear();
  // Copies: what came is a part of all that came with it.
  const mine = { make: text, fields: fields.map((field) => Buffer.from(field)), value };
  kept.set(key, [mine, ...made.slice(0, MOST_KINDS - 1)]);
  return value;
}

function isSame(one: Fields, other: Fields): boolean {
  return one.length === other.length && one.every((field, at) => field.equals(other[at]!));
}
