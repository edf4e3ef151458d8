import { describe, expect, it } from "vitest";
import { allTraps } from "./list.ts";

const traps = await allTraps();

/** What is said of any row, whatever is wrong with it: words that name no cause. */
const SAID_OF_ANYTHING = [
  "",
  "x",
  "17",
  "different",
  "nothing where something is wanted",
  "on disk it is as wanted, but what runs has something else",
  "the watcher step brings it into force",
];

const namesACause = (because: RegExp) => !SAID_OF_ANYTHING.some((text) => because.test(text));

describe("every trap", () => {
  it.each(traps)("$file names the cause of each row, and of a refusal", ({ trap }) => {
    for (const { setting, because } of trap.told)
      expect(namesACause(because), `${setting}: ${because}`).toBe(true);
    if (trap.outcome.is === "refused")
      expect(namesACause(trap.outcome.because), `${trap.outcome.because}`).toBe(true);
  });

  it.each(traps)("$file asks something of verify", ({ trap }) => {
    const isTold = trap.told.length > 0 || trap.said !== undefined;
    expect(isTold || (trap.verifyCode === 0 && trap.outcome.is === "left alone")).toBe(true);
  });
});
