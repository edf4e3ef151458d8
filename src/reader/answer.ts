/** What a question came to. What was not read whole is `unreadable` with the reason: never a value, never `absent`. */
export type Answer<T> =
  | { readonly is: "value"; readonly value: T }
  | { readonly is: "absent" }
  | { readonly is: "unreadable"; readonly because: string };

/** An answer whose value is made of another's. */
export function mapAnswer<T, U>(answer: Answer<T>, make: (value: T) => U): Answer<U> {
  return answer.is === "value" ? { is: "value", value: make(answer.value) } : answer;
}
