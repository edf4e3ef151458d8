/** What a question came to. What was not read whole is `unreadable` with the reason: never a value, never `absent`. */
export type Answer<T> =
  | { readonly is: "value"; readonly value: T }
  | { readonly is: "absent" }
  /** `cause`: the connection was lost, and with it the answer. */
  | { readonly is: "unreadable"; readonly because: string; readonly cause?: Error };

/** What is needed to tell anything could not be read. The message says what and why; its cause may be a lost connection. */
export class NotRead extends Error {
  override readonly name = "NotRead";
}

/** What was read; undefined when there is none. Throws NotRead. */
export function read<T>(answer: Answer<T>, what: string): T | undefined {
  if (answer.is === "unreadable")
    throw new NotRead(`${what} was not read: ${answer.because}`, { cause: answer.cause });
  return answer.is === "value" ? answer.value : undefined;
}

/** As `read`, for what is on every host. */
export function readThere<T>(answer: Answer<T>, what: string): T {
  const value = read(answer, what);
  if (value === undefined) throw new NotRead(`${what} was not read: ${reasonOf(answer)}`);
  return value;
}

/** Why there is no value. */
export function reasonOf(answer: Answer<unknown>): string {
  return answer.is === "unreadable" ? answer.because : "it is not there";
}

/** An answer whose value is made of another's. */
export function mapAnswer<T, U>(answer: Answer<T>, make: (value: T) => U): Answer<U> {
  return answer.is === "value" ? { is: "value", value: make(answer.value) } : answer;
}

/** What was answered makes no sense. */
export class NotUnderstood extends Error {
  override readonly name = "NotUnderstood";
}
