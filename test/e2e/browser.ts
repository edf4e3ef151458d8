import { type ChildProcess, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";

export const CHROMIUM = "/usr/bin/chromium-headless-shell";

type Json = Readonly<Record<string, unknown>>;
type Told = { readonly method: string; readonly params: Json };

/** A Chromium without a screen, spoken to over pipes (Chrome DevTools Protocol). */
export class Browser {
  /** What it told of by itself, in order. */
  readonly told: Told[] = [];
  readonly #process: ChildProcess;
  readonly #answers = new Map<number, { resolve: (result: Json) => void; reject: (error: Error) => void }>();
  readonly #ended: Promise<void>;
  #last = 0;
  #session: string | undefined;
  #rest = "";

  private constructor(profile: string) {
    this.#process = spawn(
      CHROMIUM,
      ["--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", `--user-data-dir=${profile}`],
      { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] },
    );
    this.#ended = new Promise((resolve) => {
      this.#process.once("exit", () => {
        for (const { reject } of this.#answers.values()) reject(new Error("the browser ended"));
        resolve();
      });
    });
    (this.#process.stdio[4] as Readable).setEncoding("utf8").on("data", (text: string) => this.#take(text));
  }

  /** `profile` is a folder of its own. */
  static async start(profile: string): Promise<Browser> {
    const browser = new Browser(profile);
    const { targetId } = await browser.ask("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await browser.ask("Target.attachToTarget", { targetId, flatten: true });
    browser.#session = String(sessionId);
    for (const domain of ["Page", "Runtime", "Network", "Log"]) await browser.ask(`${domain}.enable`);
    return browser;
  }

  ask(method: string, params: Json = {}): Promise<Json> {
    const id = ++this.#last;
    const session = this.#session === undefined ? {} : { sessionId: this.#session };
    (this.#process.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, ...session })}\0`);
    return new Promise((resolve, reject) => this.#answers.set(id, { resolve, reject }));
  }

  /** Opens a page and waits until it is there. */
  async open(url: string): Promise<void> {
    const before = this.#loads();
    const answer = await this.ask("Page.navigate", { url });
    if (answer.errorText !== undefined) throw new Error(`${url}: ${answer.errorText}`);
    const deadlineMs = Date.now() + 60_000;
    while (this.#loads() === before) {
      if (Date.now() > deadlineMs) throw new Error(`${url} was not loaded within a minute`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** The value of an expression in the page. */
  async see<T>(expression: string): Promise<T> {
    const answer = await this.ask("Runtime.evaluate", { expression, returnByValue: true });
    if (answer.exceptionDetails !== undefined) throw new Error(JSON.stringify(answer.exceptionDetails));
    return (answer.result as { value: T }).value;
  }

  async press(key: "Tab" | "Enter"): Promise<void> {
    const code = key === "Tab" ? 9 : 13;
    const text = key === "Enter" ? { text: "\r" } : {};
    const event = { key, code: key, windowsVirtualKeyCode: code };
    await this.ask("Input.dispatchKeyEvent", { type: "keyDown", ...event, ...text });
    await this.ask("Input.dispatchKeyEvent", { type: "keyUp", ...event });
  }

  async end(): Promise<void> {
    // Asked, it takes its own processes along; they would hold the pipes open.
    this.#session = undefined;
    await this.ask("Browser.close").catch(() => {});
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), 10_000);
    await this.#ended;
    clearTimeout(timer);
    for (const pipe of this.#process.stdio) pipe?.destroy();
  }

  #loads(): number {
    return this.told.filter(({ method }) => method === "Page.loadEventFired").length;
  }

  #take(text: string): void {
    const parts = (this.#rest + text).split("\0");
    this.#rest = parts.pop()!;
    for (const part of parts) {
      const message = JSON.parse(part);
      if (message.id === undefined) this.told.push(message);
      else if (message.error === undefined) this.#answers.get(message.id)?.resolve(message.result);
      else this.#answers.get(message.id)?.reject(new Error(message.error.message));
      this.#answers.delete(message.id);
    }
  }
}
