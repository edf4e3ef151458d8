import { connect, createServer, type Socket } from "node:net";

export interface TcpProxy {
  readonly port: number;
  /** How many connections it took so far. */
  readonly connections: number;
  /** From now on nothing passes in either direction; connections stay open. */
  freeze(): void;
  /** Ends every connection that is open. */
  cut(): void;
  /** Ends every connection as soon as this many more bytes have come from the client. */
  cutAfterSent(bytes: number): void;
  /** Cuts the next connections at once, this many of them. */
  dropNext(count: number): void;
  /** Lets this many bytes from the server pass on each new connection, then freezes that connection. */
  truncateAfter(bytes: number): void;
  stop(): Promise<void>;
}

/** A TCP proxy in front of a test server, to break connections at will. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let frozen = false;
  let drops = 0;
  let allowance = Number.POSITIVE_INFINITY;
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
    let left = allowance;
    client.on("data", (chunk) => {
      untilCut -= chunk.length;
      if (untilCut < 0) {
        untilCut = Number.POSITIVE_INFINITY;
        cut();
      } else if (!frozen) target.write(chunk);
    });
    target.on("data", (chunk) => {
      if (frozen || left <= 0) return;
      client.write(chunk.subarray(0, left));
      left -= chunk.length;
    });
    for (const [one, other] of [pair, [target, client] as const]) {
      one.on("close", () => {
        other.destroy();
        pairs.delete(pair);
      });
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
    },
    cut,
    cutAfterSent: (bytes) => {
      untilCut = bytes;
    },
    dropNext: (count) => {
      drops = count;
    },
    truncateAfter: (bytes) => {
      allowance = bytes;
    },
    async stop() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
