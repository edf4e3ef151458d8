import type { Duplex } from "node:stream";

/**
 * The same stream: what is written to it in one go leaves in one go. ssh2 writes each packet in three parts, its length,
 * itself and its seal, and each would be a call of the kernel's, a segment and a wake-up of sshd's.
 */
export function writtenTogether<Stream extends Duplex>(stream: Stream): Stream {
  const write = stream.write.bind(stream) as (...values: unknown[]) => boolean;
  let isHeld = false;
  const together = (...values: unknown[]): boolean => {
    if (!isHeld) {
      isHeld = true;
      stream.cork();
      process.nextTick(() => {
        isHeld = false;
        stream.uncork();
      });
    }
    return write(...values);
  };
  return Object.assign(stream, { write: together });
}
