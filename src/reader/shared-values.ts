import type { Fields, Question } from "./protocol.ts";

/** Of questions that name a host's own address there are as many as hosts. */
const MOST_KEPT = 4096;

/** Of one question's answers, what each function that was asked for has made. */
type Made = { readonly make: string; readonly fields: Fields; readonly value: unknown };

const kept = new Map<string, Made[]>();

/**
 * What is made of an answer; the very same value where another host answered the same, byte by byte. Hosts of a fleet are
 * mostly alike, and what each of them says of itself is then kept once. `make` goes by its argument and the question alone,
 * and nobody changes what it made.
 */
export function sharedValue<T>(question: Question, make: (fields: Fields) => T, fields: Fields): T {
  const key = question.join("\0");
  const made = kept.get(key) ?? [];
  // By its text: it is another function at each call.
  const text = make.toString();
  const at = made.findIndex((each) => each.make === text);
  if (at !== -1 && isSame(made[at]!.fields, fields)) return made[at]!.value as T;
  const value = make(fields);
  if (kept.size >= MOST_KEPT) kept.clear();
  // Copies: what came is a part of all that came with it.
  const mine = { make: text, fields: fields.map((field) => Buffer.from(field)), value };
  kept.set(key, [...made.filter((_, index) => index !== at), mine]);
  return value;
}

function isSame(one: Fields, other: Fields): boolean {
  return one.length === other.length && one.every((field, at) => field.equals(other[at]!));
}
