import { connect, createServer, type Socket } from "node:net";

export interface TcpProxy {
  readonly port: number;
  /** How many connections it took so far. */
  readonly connections: number;
  /** From now on nothing is taken in either direction, as by a host that vanished; connections stay open. */
  freeze(): void;
  /** Lets everything pass again. */
  thaw(): void;
  /** Ends every connection that is open. */
  cut(): void;
  /** Ends every connection as soon as this many more bytes have come from the client. */
  cutAfterSent(bytes: number): void;
  /** Cuts the next connections at once, this many of them. */
  dropNext(count: number): void;
  /** Breaks each new connection once this many bytes have passed from that side: "delay" lets the rest come 3 s late. */
  breakAfter(how: "freeze" | "cut" | "delay", from: "server" | "client", bytes: number): void;
  /** How many bytes the last connection has passed on from that side. */
  passed(from: "server" | "client"): number;
  /** Holds everything back for so long, in both directions. */
  delay(milliseconds: number): void;
  stop(): Promise<void>;
}

const LATE_MS = 3_000;

/** A TCP proxy in front of a test server, to break connections at will. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let frozen = false;
  let drops = 0;
  let breaking: { how: "freeze" | "cut" | "delay"; from: "server" | "client"; bytes: number } | undefined;
  let delayMs = 0;
  let passed = { server: 0, client: 0 };
  let connections = 0;
  let untilCut = Number.POSITIVE_INFINITY;
  const server = createServer((client) => {
    connections += 1;
    client.on("error", () => {});
    if (drops > 0) {
      drops -= 1;
      client.resetAndDestroy();
      return;
    }
    const target = connect(targetPort, "127.0.0.1");
    target.on("error", () => client.destroy());
    const pair = [client, target] as const;
    pairs.add(pair);
    const mine = { server: 0, client: 0 };
    passed = mine;
    let broken = false;
    const pass = (from: "server" | "client", to: Socket, chunk: Buffer) => {
      if (broken && breaking?.how === "delay") {
        // The other side is heard as ever.
        if (breaking.from === from) setTimeout(() => to.write(chunk), LATE_MS);
        else to.write(chunk);
      }
      if (broken) return;
      const most = breaking?.from === from ? breaking.bytes - mine[from] : chunk.length;
      const part = chunk.subarray(0, most);
      mine[from] += part.length;
      if (delayMs > 0) setTimeout(() => to.write(part), delayMs);
      else to.write(part);
      if (part.length === chunk.length) return;
      broken = true;
      const rest = chunk.subarray(part.length);
      if (breaking?.how === "delay") setTimeout(() => to.write(rest), LATE_MS);
      // What was let through is to arrive before the connection ends.
      if (breaking?.how === "cut") to.end(() => client.destroy());
    };
    client.on("data", (chunk) => {
      untilCut -= chunk.length;
      if (untilCut < 0) {
        untilCut = Number.POSITIVE_INFINITY;
        cut();
      } else pass("client", target, chunk);
    });
    target.on("data", (chunk) => pass("server", client, chunk));
    for (const [one, other] of [pair, [target, client] as const]) {
      one.on("close", () => {
        other.destroy();
        pairs.delete(pair);
      });
      if (frozen) one.pause();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy does not listen");
  const cut = () => {
    for (const [client, target] of pairs) {
      client.destroy();
      target.destroy();
    }
  };
  return {
    port: address.port,
    get connections() {
      return connections;
    },
    freeze: () => {
      frozen = true;
      for (const socket of [...pairs].flat()) socket.pause();
    },
    thaw: () => {
      frozen = false;
      for (const socket of [...pairs].flat()) socket.resume();
    },
    cut,
    cutAfterSent: (bytes) => {
      untilCut = bytes;
    },
    dropNext: (count) => {
      drops = count;
    },
    breakAfter: (how, from, bytes) => {
      breaking = { how, from, bytes };
    },
    passed: (from) => passed[from],
    delay: (milliseconds) => {
      delayMs = milliseconds;
    },
    async stop() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
