import { serverWords } from "../haproxy-lines.ts";
import { durationMs } from "../quantities.ts";
import type { Path } from "./path.ts";
import type { Section } from "./section.ts";

interface ServerOptions {
  inter?: number;
  rise?: number;
  fall?: number;
  port?: number;
  /** What is no part of the check's numbers. */
  rest?: string;
}

const FAIL_FAST = ["fastinter", "observe", "error-limit", "on-error"];

/** HAProxy's options of a server line, "check inter 2000 rise 2 fall 3", as numbers of a check, false without one, and the rest. */
export function readServerOptions(
  section: Section,
  path: Path,
  report: (message: string) => void,
): { readonly check: Omit<ServerOptions, "rest"> | false; readonly rest: string | undefined } {
  const written = section.raw(path);
  // Synapse adds nothing to them: HAProxy checks no server then.
  const nothing = { check: false, rest: undefined } as const;
  if (written === undefined) return nothing;
  if (typeof written !== "string") {
    report(`expected text like "check inter 2000 rise 2 fall 3", found ${section.source.found(path)}`);
    return nothing;
  }
  const words = written.trim().split(/\s+/);
  const numbers: ServerOptions = {};
  const rest: string[] = [];
  const failsFast = section.raw(["mesh", "fail_fast"]) === true;
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word === "check") continue;
    const value = words[at + 1];
    if (word === "inter" || word === "rise" || word === "fall" || word === "port") {
      at += 1;
      const number = word === "inter" ? durationMs.safeParse(value) : wholeNumber(value);
      if (number.success) numbers[word] = number.data;
      else report(`expected ${word === "inter" ? "a time like 2000 or 2s" : "a number"} after '${word}'`);
    } else if (FAIL_FAST.includes(word) && failsFast) {
      report(`'${word}' is what fail_fast says, which is on for the mesh: take one of them away`);
      return nothing;
    } else if (word.includes("%{")) {
      report(`'${word}' is not translated: Synapse would put another text there for each server`);
      return nothing;
    } else rest.push(word);
  }
  const more = rest.length === 0 ? undefined : serverWords.safeParse(rest.join(" "));
  if (more?.success === false) report(more.error.issues[0]!.message);
  return { check: words.includes("check") ? numbers : false, rest: more?.data };
}

function wholeNumber(word: string | undefined) {
  const number = Number(word);
  const success = word !== undefined && /^[1-9][0-9]*$/.test(word);
  return success ? { success, data: number } : { success };
}
