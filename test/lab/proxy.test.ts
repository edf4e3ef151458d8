import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer, get, type IncomingMessage, request, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ForwardProxy, startProxy } from "./proxy.ts";

const half = Buffer.alloc(300_000, "x");
const packagePath = "/debian/pool/main/h/hello/hello_1_amd64.deb";

describe("the lab's proxy", () => {
  let directory: string;
  let archive: Server;
  let asked: IncomingMessage[];
  let breakOff: boolean;
  let proxy: ForwardProxy;
  let origin: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "lab-proxy-"));
    asked = [];
    breakOff = false;
    archive = createServer(async (question, answer) => {
      asked.push(question);
      if (question.url !== packagePath) {
        const unchanged = question.headers["if-modified-since"] !== undefined;
        answer.writeHead(unchanged ? 304 : 200, { "last-modified": "Sun, 22 Nov 2026 10:00:00 GMT" });
        answer.end(unchanged ? "" : "fresh");
        return;
      }
      answer.writeHead(200, { "content-length": 2 * half.length });
      answer.write(half);
      await sleep(100);
      if (breakOff) answer.destroy();
      else answer.end(half);
    }).listen(0, "127.0.0.1");
    await once(archive, "listening");
    origin = `http://127.0.0.1:${(archive.address() as AddressInfo).port}`;
    proxy = await startProxy({ address: "127.0.0.1", port: 0, cacheDirectory: directory });
  });
  afterEach(async () => {
    await proxy.close();
    archive.closeAllConnections();
    archive.close();
    await rm(directory, { recursive: true });
  });

  const ask = (
    path: string,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; body: Buffer }> => {
    const { hostname, port } = new URL(proxy.url);
    return new Promise((resolve, reject) => {
      get({ host: hostname, port, path: origin + path, headers, agent: false }, async (answer) => {
        const chunks: Buffer[] = [];
        try {
          for await (const chunk of answer) chunks.push(chunk);
          resolve({ status: answer.statusCode!, body: Buffer.concat(chunks) });
        } catch (error) {
          reject(error);
        }
      }).on("error", reject);
    });
  };
  const keptFiles = async (): Promise<string[]> =>
    (await readdir(directory, { recursive: true })).filter((name) => /\.(deb|partial)$/.test(name));

  it("asks for a package once, however many hosts want it at the same time and later", async () => {
    const answers = await Promise.all([ask(packagePath), ask(packagePath), ask(packagePath)]);
    answers.push(await ask(packagePath));
    for (const { status, body } of answers) {
      expect(status).toBe(200);
      expect(body.equals(Buffer.concat([half, half]))).toBe(true);
    }
    expect(asked).toHaveLength(1);
  });

  it("keeps nothing of a download that breaks off, and gets it whole the next time", async () => {
    breakOff = true;
    await expect(ask(packagePath)).rejects.toThrow();
    expect(await keptFiles()).toEqual([]);
    breakOff = false;
    expect((await ask(packagePath)).body).toHaveLength(2 * half.length);
  });

  it("finishes a download although the host that wanted it went away", async () => {
    const { hostname, port } = new URL(proxy.url);
    const aborted = request({ host: hostname, port, path: origin + packagePath, agent: false });
    aborted.on("error", () => {});
    aborted.on("response", (answer) => {
      answer.on("error", () => {});
      aborted.destroy();
    });
    aborted.end();
    await once(aborted, "close");
    await sleep(300);
    expect(await keptFiles()).toHaveLength(1);
    expect((await ask(packagePath)).body).toHaveLength(2 * half.length);
    expect(asked).toHaveLength(1);
  });

  it("passes everything else through, conditions included", async () => {
    expect(await ask("/debian/dists/sid/InRelease")).toEqual({ status: 200, body: Buffer.from("fresh") });
    const condition = { "if-modified-since": "Sun, 22 Nov 2026 10:00:00 GMT" };
    expect((await ask("/debian/dists/sid/InRelease", condition)).status).toBe(304);
    expect(await keptFiles()).toEqual([]);
  });

  it("tunnels to port 443 only", async () => {
    const { hostname, port } = new URL(proxy.url);
    const socket = connect(Number(port), hostname);
    socket.end("CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1:22\r\n\r\n");
    const [answer] = await once(socket, "data");
    expect(String(answer)).toMatch(/^HTTP\/1\.1 403 /);
  });
});
