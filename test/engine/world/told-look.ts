import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Ask, Question } from "../../../src/reader/protocol.ts";
import { BOOT_ID, debian, MANIFEST } from "../../reader/told-debian.ts";
import { type ToldFile, tellOf, value } from "../../reader/told-host.ts";

const plain = tellOf(debian);

/** What a host of this world tells of itself: files are those of its folder, and all else is Debian's. */
export class FolderReading {
  readonly #path: string;
  #isBroken = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** Whether a frame begins a look; what comes of that on the host. */
  begins(questions: readonly Question[]): boolean {
    if (!questions.some(([, path]) => path === BOOT_ID)) return false;
    this.#isBroken = this.#take("break once");
    // Every other look finds what runs changed.
    if (this.#has("flap") && !this.#take("flapped")) this.#put("flapped");
    return true;
  }

  readonly tell: Ask = async (question) => {
    const [name, path = ""] = question;
    if (name === "clock") {
      this.#end();
      return tellOf({ answers: { clock: value(Date.now() * 1000) } })(question);
    }
    if (path.startsWith(`${this.#path}/`) && this.#isBroken)
      return { is: "unreadable", because: "it took more than 5 s" };
    const file = this.#file(path.startsWith(`${dirname(MANIFEST)}/`) ? `${this.#path}${path}` : path);
    if (file === undefined) return plain(question);
    return tellOf({ ...debian, files: { ...debian.files, [path]: file } })(question);
  };

  /** One that is late is up after a look. */
  #end(): void {
    if (!this.#take("late")) return;
    this.#put("state", "up\n");
    this.#put("live", "late\n");
  }

  #file(path: string): ToldFile | undefined {
    if (!path.startsWith(`${this.#path}/`) || !existsSync(path)) return undefined;
    const mode = (statSync(path).mode & 0o7777).toString(8).padStart(4, "0");
    const isFlapping = path.endsWith("/live") && this.#has("flapped");
    return { text: isFlapping ? "flapping" : readFileSync(path, "utf8"), mode, owner: "us:us" };
  }

  #has(name: string): boolean {
    return existsSync(join(this.#path, name));
  }

  #put(name: string, text = ""): void {
    writeFileSync(join(this.#path, name), text);
  }

  /** Whether it was there. */
  #take(name: string): boolean {
    const was = this.#has(name);
    rmSync(join(this.#path, name), { force: true });
    return was;
  }
}
