import { durationMs } from "../quantities.ts";
import type { Path } from "./path.ts";
import type { Section } from "./section.ts";

interface CheckNumbers {
  inter?: number;
  rise?: number;
  fall?: number;
}

const FAIL_FAST = ["fastinter", "observe", "error-limit", "on-error"];

/** HAProxy's options of a server line, "check inter 2000 rise 2 fall 3", as numbers of a check; false without a check. */
export function readServerOptions(
  section: Section,
  path: Path,
  report: (message: string) => void,
): CheckNumbers | false {
  const written = section.raw(path);
  // Synapse adds nothing to them: HAProxy checks no server then.
  if (written === undefined) return false;
  if (typeof written !== "string") {
    report(`expected text like "check inter 2000 rise 2 fall 3", found ${section.source.found(path)}`);
    return {};
  }
  const words = written.trim().split(/\s+/);
  const numbers: CheckNumbers = {};
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word === "check") continue;
    const value = words[at + 1];
    if (word === "inter" || word === "rise" || word === "fall") {
      at += 1;
      const number = word === "inter" ? durationMs.safeParse(value) : wholeNumber(value);
      if (number.success) numbers[word] = number.data;
      else report(`expected ${word === "inter" ? "a time like 2000 or 2s" : "a number"} after '${word}'`);
    } else if (FAIL_FAST.includes(word)) {
      report(`'${word}' is not translated: fail_fast, of the mesh or of a service, is meshctl's word for it`);
      return numbers;
    } else {
      report(`'${word}' is not translated: expected only check, inter, rise and fall`);
      return numbers;
    }
  }
  return words.includes("check") ? numbers : false;
}

function wholeNumber(word: string | undefined) {
  const number = Number(word);
  const success = word !== undefined && /^[1-9][0-9]*$/.test(word);
  return success ? { success, data: number } : { success };
}
