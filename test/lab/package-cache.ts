import { once } from "node:events";
import { mkdir, open, readdir, rename, rm, stat, unlink, utimes } from "node:fs/promises";
import { request as httpRequest, type ServerResponse } from "node:http";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Download } from "./download.ts";

const unusedDaysKept = 30;

/** Files of a Debian archive that never change under their name, kept on disk by URL. */
export class PackageCache {
  readonly #directory: string;
  readonly #idleTimeoutMs: number;
  /** Downloads under way, by file: however many hosts ask, the archive is asked once. */
  readonly #downloads = new Map<string, Promise<Download | undefined>>();

  constructor(directory: string, idleTimeoutMs: number) {
    this.#directory = directory;
    this.#idleTimeoutMs = idleTimeoutMs;
  }

  /** Indexes by their hash and the packages of a pool; a Release file changes and is not kept. */
  static keeps(url: URL): boolean {
    return url.search === "" && (/\/by-hash\//.test(url.pathname) || /\/pool\/.*\.u?deb$/.test(url.pathname));
  }

  /** Sends the file, from disk or as it arrives. False when the archive does not simply hand it out. */
  async answer(url: URL, response: ServerResponse): Promise<boolean> {
    const file = this.#fileOf(url);
    if (await this.#answerFromDisk(file, response)) return true;
    let begin = this.#downloads.get(file);
    if (begin === undefined) {
      begin = this.#begin(url, file);
      this.#downloads.set(file, begin);
      const forget = (): void => void this.#downloads.delete(file);
      begin.then(
        (download) => (download === undefined ? forget() : download.finished.then(forget, forget)),
        forget,
      );
    }
    const download = await begin;
    if (download === undefined) return false;
    if (!download.isRunning) return this.#answerFromDisk(file, response);
    await download.read(async (chunks) => {
      response.writeHead(200, headersOf(download.bytes));
      await pipeline(chunks, response).catch(() => response.destroy());
    });
    return true;
  }

  #fileOf(url: URL): string {
    // Each part is encoded, so that no URL leads out of the cache.
    const parts = [url.host, ...url.pathname.split("/").filter((part) => part !== "")];
    return join(this.#directory, ...parts.map((part) => encodeURIComponent(part).replace(/^\./, "%2E")));
  }

  async #answerFromDisk(file: string, response: ServerResponse): Promise<boolean> {
    const handle = await open(file).catch(() => undefined);
    if (handle === undefined) return false;
    const now = new Date();
    await utimes(file, now, now).catch(() => {});
    response.writeHead(200, headersOf((await handle.stat()).size));
    // Closes the handle at the end, and when the client goes away.
    await pipeline(handle.createReadStream(), response).catch(() => response.destroy());
    return true;
  }

  async #begin(url: URL, file: string): Promise<Download | undefined> {
    const upstream = httpRequest(url, { headers: { "user-agent": "meshctl-lab" } });
    upstream.setTimeout(this.#idleTimeoutMs, () => upstream.destroy(new Error("the archive says nothing")));
    upstream.end();
    const [body] = await once(upstream, "response");
    // From here on a failure shows in the body.
    upstream.on("error", () => {});
    const bytes = Number(body.headers["content-length"]);
    if (body.statusCode !== 200 || !Number.isSafeInteger(bytes)) {
      upstream.destroy();
      return undefined;
    }
    const partial = `${file}.${process.pid}.partial`;
    await mkdir(dirname(file), { recursive: true });
    const handle = await open(partial, "w+");
    return new Download(body, bytes, handle, async (complete) => {
      if (complete) await rename(partial, file);
      else await unlink(partial).catch(() => {});
    });
  }

  /** Drops what nobody asked for in a month, and what a crash left half-done. */
  async prune(): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    const dayMs = 86_400_000;
    for (const entry of await readdir(this.#directory, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = join(entry.parentPath, entry.name);
      const days = entry.name.endsWith(".partial") ? 1 : unusedDaysKept;
      const age = Date.now() - (await stat(file).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs;
      if (age > days * dayMs) await rm(file, { force: true });
    }
  }
}

const headersOf = (bytes: number): Record<string, string | number> => ({
  "content-type": "application/octet-stream",
  "content-length": bytes,
});
