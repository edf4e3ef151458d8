import { connect } from "node:net";
import { createInterface } from "node:readline";

/** A conversation in JSON, a message a line, as QEMU and its guest agent have it. */
interface Conversation {
  say(message: object): void;
  /** The next message that fits. Rejects when the other side ends or the time is up. */
  hear(fits: (message: Message) => boolean): Promise<Message>;
}

export type Message = Readonly<Record<string, unknown>>;

/** Connects to a socket file, talks, and hangs up. Rejects when nobody is there or `timeoutMs` is over. */
export async function converse<T>(
  socketFile: string,
  timeoutMs: number,
  talk: (conversation: Conversation) => Promise<T>,
): Promise<T> {
  const socket = connect(socketFile);
  const heard: Message[] = [];
  let [ended, changed]: [string | undefined, () => void] = [undefined, () => {}];
  const end = (why: string): void => {
    ended ??= why;
    socket.destroy();
    changed();
  };
  const late = setTimeout(() => end(`no answer within ${timeoutMs} ms`), timeoutMs);
  socket.once("error", (error) => end(error.message));
  socket.once("close", () => end("the other side ended"));
  const lines = createInterface({ input: socket });
  // What another one was told before us may be cut.
  lines.on("line", (line) => {
    try {
      heard.push(JSON.parse(line) as Message);
    } catch {
      return;
    }
    changed();
  });
  lines.on("error", () => {});
  const hear = async (fits: (message: Message) => boolean): Promise<Message> => {
    for (;;) {
      for (let next = heard.shift(); next !== undefined; next = heard.shift()) if (fits(next)) return next;
      if (ended !== undefined) throw new Error(`${socketFile}: ${ended}`);
      await new Promise<void>((resolve) => {
        changed = resolve;
      });
    }
  };
  try {
    return await talk({ say: (message) => void socket.write(`${JSON.stringify(message)}\n`), hear });
  } finally {
    clearTimeout(late);
    end("done");
  }
}
