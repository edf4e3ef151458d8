import { HostReader } from "../reader/host-reader.ts";
import type { Remote } from "../remote/remote.ts";

/** What answers for a host. */
export type AnsweringReader = Pick<HostReader, "ask">;

/** A host's reader lives as long as its connection. */
const readers = new WeakMap<Remote, AnsweringReader>();

/** The reader of a host: one for all that looks at it. */
export function readerOf(remote: Remote): AnsweringReader {
  const reader = readers.get(remote) ?? new HostReader(remote);
  readers.set(remote, reader);
  return reader;
}

/** From now on what `through` makes of the host's reader answers in its place. */
export function readThrough(remote: Remote, through: (reader: AnsweringReader) => AnsweringReader): void {
  readers.set(remote, through(readerOf(remote)));
}
