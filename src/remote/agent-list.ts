import { connect } from "node:net";

const REQUEST_IDENTITIES = Buffer.from([0, 0, 0, 1, 11]);
const IDENTITIES_ANSWER = 12;

/**
 * The public keys that an agent holds, as wire encodings, also those of kinds that ssh2 does not know (RFC 9987).
 * Rejects when the agent is not there, answers something else, or does not answer in time.
 */
export function listAgentKeys(socketPath: string, timeoutMs: number): Promise<Buffer[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    const fail = (error: Error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(
      () => fail(new Error(`${socketPath} did not answer within ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
    let answer: Buffer = Buffer.alloc(0);
    socket.once("connect", () => socket.write(REQUEST_IDENTITIES));
    socket.on("error", fail);
    socket.on("close", () => fail(new Error(`${socketPath} hung up`)));
    socket.on("data", (chunk) => {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length < 4 || answer.length < 4 + answer.readUInt32BE(0)) return;
      const keys = keysIn(answer.subarray(4));
      if (keys === undefined) {
        fail(new Error(`${socketPath} did not list its keys`));
        return;
      }
      clearTimeout(timer);
      resolve(keys);
      socket.destroy();
    });
  });
}

function keysIn(message: Buffer): Buffer[] | undefined {
  if (message.length < 5 || message[0] !== IDENTITIES_ANSWER) return undefined;
  const strings: Buffer[] = [];
  for (let at = 5; at < message.length; ) {
    if (at + 4 > message.length) return undefined;
    const bytes = message.readUInt32BE(at);
    strings.push(message.subarray(at + 4, at + 4 + bytes));
    at += 4 + bytes;
  }
  // Each key is followed by its comment.
  return strings.filter((_, index) => index % 2 === 0);
}
