import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { join } from "node:path";
import { PackageCache } from "./package-cache.ts";
import { cacheDirectory } from "./paths.ts";

export const packageCacheDirectory = join(cacheDirectory, "packages");
/** The port hosts find the proxy at, on their gateway. */
export const proxyPort = 3142;

export interface ForwardProxy {
  readonly url: string;
  close(): Promise<void>;
}

const idleTimeoutMs = 60_000;
const maxTunnels = 64;

/** Headers that concern one connection only (RFC 9110, 7.6.1). */
const hopByHop = ["connection", "proxy-connection", "keep-alive", "proxy-authorization", "te", "trailer"];
const hopByHopToo = ["transfer-encoding", "upgrade", "proxy-authenticate"];

function endToEnd(headers: IncomingMessage["headers"]): IncomingMessage["headers"] {
  const dropped = new Set([...hopByHop, ...hopByHopToo]);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !dropped.has(name)));
}

/**
 * A forward proxy for hosts without a way out: keeps packages on disk, passes other GETs through, and
 * tunnels CONNECT to port 443.
 */
export async function startProxy(options: {
  address: string;
  port: number;
  cacheDirectory: string;
}): Promise<ForwardProxy> {
  const cache = new PackageCache(options.cacheDirectory, idleTimeoutMs);
  await cache.prune();
  const sockets = new Set<Socket>();
  const remember = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  };

  const server = createServer({ requestTimeout: idleTimeoutMs }, (request, response) => {
    answer(request, response, cache).catch((error: unknown) => refuse(response, 502, reasonOf(error)));
  });
  server.maxConnections = 512;
  server.on("connection", remember);

  let tunnels = 0;
  server.on("connect", (request, client: Socket, head) => {
    const target = /^\[?([^\]\s]+?)\]?:(\d+)$/.exec(request.url ?? "");
    client.on("error", () => client.destroy());
    if (target?.[2] !== "443" || tunnels >= maxTunnels) {
      client.end(`HTTP/1.1 ${target?.[2] === "443" ? "503 Too many tunnels" : "403 Only port 443"}\r\n\r\n`);
      return;
    }
    tunnels++;
    client.once("close", () => tunnels--);
    const upstream = connect({ host: target[1]!, port: 443 });
    remember(upstream);
    let open = false;
    upstream.once("connect", () => {
      open = true;
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.write(head);
      upstream.pipe(client);
      client.pipe(upstream);
    });
    upstream.on("error", () => {
      if (open) client.destroy();
      else client.end("HTTP/1.1 502 Bad gateway\r\n\r\n");
    });
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.setTimeout(idleTimeoutMs, () => one.destroy());
      one.on("close", () => other.destroy());
    }
  });

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.address, () => resolve());
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${options.address}:${port}`,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  cache: PackageCache,
): Promise<void> {
  const url = URL.canParse(request.url ?? "") ? new URL(request.url!) : undefined;
  if (url?.protocol !== "http:") return refuse(response, 400, "this is a forward proxy for http URLs");
  if (request.method !== "GET" && request.method !== "HEAD")
    return refuse(response, 405, "GET and HEAD only");
  if (request.method === "GET" && PackageCache.keeps(url) && (await cache.answer(url, response))) return;
  passThrough(url, request, response);
}

function passThrough(url: URL, request: IncomingMessage, response: ServerResponse): void {
  const upstream = httpRequest(url, { method: request.method!, headers: endToEnd(request.headers) });
  upstream.setTimeout(idleTimeoutMs, () => upstream.destroy(new Error("the server says nothing")));
  upstream.on("error", (error) => refuse(response, 502, error.message));
  upstream.on("response", (answered) => {
    response.writeHead(answered.statusCode ?? 502, endToEnd(answered.headers));
    answered.on("error", () => response.destroy());
    answered.pipe(response);
  });
  response.on("close", () => upstream.destroy());
  upstream.end();
}

function refuse(response: ServerResponse, status: number, reason: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(status, { "content-type": "text/plain" });
  response.end(`lab proxy: ${reason}\n`);
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
