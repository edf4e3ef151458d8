import { HostReader } from "../reader/host-reader.ts";
import type { Remote } from "../remote/remote.ts";

/** A host's reader lives as long as its connection. */
const readers = new WeakMap<Remote, HostReader>();

/** The reader of a host: one for all that looks at it. */
export function readerOf(remote: Remote): HostReader {
  const reader = readers.get(remote) ?? new HostReader(remote);
  readers.set(remote, reader);
  return reader;
}
