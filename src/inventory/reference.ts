import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { Secret } from "../secret.ts";
import { lastLines } from "../terminal-text.ts";
import { fileError } from "./file-error.ts";
import { resolvePath } from "./resolve-path.ts";

/** A password manager may have to ask a person first. */
const COMMAND_TIMEOUT_MS = 60_000;
const COMMAND_OUTPUT_BYTES = 1024 * 1024;

const FORMS = {
  "!env": "!env NAME",
  "!file": "!file PATH",
  "!command": "!command [PROGRAM, ARGUMENT]",
} as const;

export type ReferenceTag = keyof typeof FORMS;

/** Stand for what is not read, a secret and any other text. A proxy's URL is a secret; no host of this name exists (RFC 2606). */
const UNREAD = { secret: "http://not-read.invalid", text: "not-read" };

type Resolved = { readonly text: string } | { readonly problem: string; readonly hint?: string };

export function isReferenceTag(tag: string): tag is ReferenceTag {
  return Object.hasOwn(FORMS, tag);
}

/** What references stand for. Each command runs once, however many places name it. */
export class References {
  readonly #environment: NodeJS.ProcessEnv;
  readonly #commandTimeoutMs: number;
  readonly #outputs = new Map<string, Resolved>();
  readonly #unread: boolean;

  /** With `unread` nothing is run or read, and every reference stands for some text. */
  constructor(environment: NodeJS.ProcessEnv, commandTimeoutMs = COMMAND_TIMEOUT_MS, unread = false) {
    this.#unread = unread;
    this.#environment = environment;
    this.#commandTimeoutMs = commandTimeoutMs;
  }

  /**
   * The text that a reference stands for, without the newlines at its end. `words` is what stands after the tag: text,
   * or for `!command` also a list. Relative paths start at the folder of the YAML file, where commands run, too.
   */
  resolve(tag: ReferenceTag, words: string | readonly string[], yamlFile: string, isSecret = true): Resolved {
    if (words.length === 0) return { problem: `expected ${FORMS[tag]}, found ${tag} alone` };
    if (this.#unread) {
      if (!isWritten(tag, words)) return { problem: `expected ${FORMS[tag]}` };
      return { text: isSecret ? UNREAD.secret : UNREAD.text };
    }
    if (tag === "!command") return this.#output(words, dirname(yamlFile));
    if (typeof words !== "string") return { problem: `expected ${FORMS[tag]}, found a list` };
    if (tag === "!file") return fileContent(resolvePath(words, yamlFile));
    const what = `environment variable ${words}`;
    const text = this.#environment[words];
    if (text !== undefined) return usable(text, what);
    return { problem: `${what} is not set`, hint: `set it before meshctl runs: \`export ${words}=…\`` };
  }

  /** What a program prints that stands in the place of a file. */
  printedBy(path: string): Resolved {
    if (this.#unread) return { problem: "is a program, and with --no-references none is run" };
    return this.#run([resolve(path)], ".", path);
  }

  #output(words: string | readonly string[], folder: string): Resolved {
    const argv = typeof words === "string" ? splitPlainly(words) : words;
    if (argv === undefined) {
      return {
        problem:
          "no shell runs a !command, so nothing but blanks parts its words: write it as a list, " +
          '!command [program, "an argument"]',
      };
    }
    const key = JSON.stringify([folder, argv]);
    const output = this.#outputs.get(key) ?? this.#run(argv, folder);
    this.#outputs.set(key, output);
    return output;
  }

  /** Runs the program itself, without a shell, and without standard input: one that asks does so at the terminal. */
  #run(
    [program = "", ...args]: readonly string[],
    folder: string,
    what = `!command ${[program, ...args].join(" ")}`,
  ): Resolved {
    if ([program, ...args].some((word) => word.includes("\0"))) {
      return { problem: "a word of a command cannot hold a NUL character" };
    }
    const ended = spawnSync(program, args, {
      cwd: folder,
      env: this.#environment,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: this.#commandTimeoutMs,
      killSignal: "SIGKILL",
      maxBuffer: COMMAND_OUTPUT_BYTES,
    });
    if (ended.error !== undefined) {
      const code = "code" in ended.error ? String(ended.error.code) : "";
      if (code === "ETIMEDOUT") {
        return { problem: `${what} did not end within ${this.#commandTimeoutMs / 1000} s and was stopped` };
      }
      if (code === "ENOBUFS") return { problem: `${what} printed more than ${COMMAND_OUTPUT_BYTES} bytes` };
      const why = code === "ENOENT" ? `no program ${program} is found` : fileError(ended.error);
      const hint = code === "ENOENT" ? "install it, or name it with its whole path" : undefined;
      return { problem: `${what} cannot be run: ${why}`, ...(hint === undefined ? {} : { hint }) };
    }
    if (ended.status !== 0) {
      // Only what it says on standard error: the other stream is where the secret would be. It may repeat it.
      for (const line of ended.stdout.toString().split("\n")) if (line.length > 3) new Secret(line);
      const said = lastLines(ended.stderr.toString(), 3).replaceAll("\n", "; ");
      const how =
        ended.status === null ? `was ended by ${ended.signal}` : `failed with exit code ${ended.status}`;
      return {
        problem: `${what} ${how}: ${said === "" ? "it said nothing" : said}`,
        hint: "try it in a shell first, in the folder of this file: what it prints is the value",
      };
    }
    return decoded(ended.stdout, `the output of ${what}`);
  }
}

/** Whether a reference is written as it has to be, whatever it stands for. */
function isWritten(tag: ReferenceTag, words: string | readonly string[]): boolean {
  if (typeof words === "string") return tag !== "!command" || splitPlainly(words) !== undefined;
  return tag === "!command";
}

/** The words of a command that no shell would read otherwise; undefined where one might. */
function splitPlainly(command: string): readonly string[] | undefined {
  return /^[\w./:=,@%+ -]+$/.test(command) ? command.trim().split(/ +/) : undefined;
}

function fileContent(path: string): Resolved {
  try {
    return decoded(readFileSync(path), path);
  } catch (error) {
    return {
      problem: `${path}: ${fileError(error)}`,
      hint: "a relative path starts at the folder of the file that names it",
    };
  }
}

function decoded(bytes: Uint8Array, what: string): Resolved {
  try {
    return usable(new TextDecoder("utf-8", { fatal: true }).decode(bytes).replace(/(\r?\n)+$/, ""), what);
  } catch (error) {
    return { problem: `${what}: ${fileError(error)}` };
  }
}

function usable(text: string, what: string): Resolved {
  if (text === "") return { problem: `${what} is empty` };
  return text.includes("\0") ? { problem: `${what} holds a NUL character` } : { text };
}
