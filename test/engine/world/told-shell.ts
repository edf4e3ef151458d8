import { setImmediate } from "node:timers/promises";
import type { Held } from "../../../src/remote/remote.ts";
import { scriptText } from "../../../src/script-text.ts";
import type { Shell } from "./shell.ts";
import { type ScriptEnd, TOLD_SCRIPTS, ToldFolder } from "./told-scripts.ts";

const command = (name: string) => new URL(`../../../src/engine/commands/${name}.sh`, import.meta.url);
const BEGIN = ["locks", "begin"].map((name) => scriptText(command(name))).join("\n");
const LOCK = ["locks", "lock"].map((name) => scriptText(command(name))).join("\n");

/** One block of a batch as script-block.ts writes it: [its input,] its limit, its arguments and its text. */
const BLOCK =
  /(?:base64 -d <<'(?<mark>\w+)_input' \| \{\n(?<input>[^_]*)\k<mark>_input\nexec 3<&0\n)?timeout -k 5 \d+ sh -s -- (?<args>(?:'(?:[^']|'\\'')*' ?)*) ?8>&- 7>&- <<'(?<nonce>\w+)_script'\n(?<text>[\s\S]*?)\k<nonce>_script\n/g;

/**
 * Carries out in this process what the engine's scripts do on a host's folder, without starting a program: whole runs of
 * many hosts in a moment. A script is known by its text, so that one that this does not know fails by its name; what each
 * does is told in told-scripts.ts, and told-shell.test.ts holds that it leaves what a real `sh` leaves.
 */
export class ToldShell implements Shell {
  readonly #folder: ToldFolder;
  #holder: string | undefined;

  constructor(directory: string) {
    this.#folder = new ToldFolder(directory);
  }

  async run(script: string): ReturnType<Shell["run"]> {
    await setImmediate();
    const blocks = [...script.matchAll(BLOCK)];
    if (blocks.length === 0) throw new Error(`no script of the engine's: ${script.slice(0, 200)}`);
    const isChange = script.startsWith(BEGIN);
    if (isChange && this.#holder === undefined)
      throw new Error("a change was sent to a host that is not locked");
    let [stdout, stderr] = ["", ""];
    for (const [index, { groups }] of blocks.entries()) {
      const { nonce, text, args, input } = groups as Record<string, string>;
      const end = this.#end(text!, wordsOf(args!), Buffer.from(input ?? "", "base64"));
      const framed = (said = "") =>
        `\n${nonce} ${index} begin \n${said}\n${nonce} ${index} end ${end.exitCode}\n`;
      stdout += framed(end.stdout);
      stderr += framed(end.stderr);
      if (end.exitCode !== 0) break;
    }
    return { exitCode: 0, stdout, stderr };
  }

  async hold(script: string): Promise<Held> {
    await setImmediate();
    if (!script.endsWith(LOCK)) throw new Error(`nothing that the engine holds: ${script.slice(0, 200)}`);
    const [holder] = wordsOf(script.slice("set -- ".length, script.indexOf(LOCK)));
    const before = this.#holder;
    if (before === undefined) this.#holder = holder;
    let isHeld = before === undefined;
    const release = async () => {
      if (isHeld) this.#holder = undefined;
      isHeld = false;
      return true;
    };
    return {
      firstLine: before === undefined ? "locked" : `busy 1 ${before}`,
      get isHeld() {
        return isHeld;
      },
      release,
    };
  }

  #end(text: string, args: readonly string[], input: Buffer): ScriptEnd & { readonly exitCode: number } {
    const told = [...TOLD_SCRIPTS].find(([file]) => text.endsWith(scriptText(file)))?.[1];
    if (told === undefined)
      throw new Error(`a script that told-scripts.ts does not tell: ${text.slice(-400)}`);
    const end = told(this.#folder, args, input);
    return { exitCode: 0, ...end };
  }
}

/** As shell-quote.ts wrote them. */
function wordsOf(text: string): readonly string[] {
  return [...text.matchAll(/'((?:[^']|'\\'')*)'/g)].map(([, word]) => word!.replaceAll("'\\''", "'"));
}
