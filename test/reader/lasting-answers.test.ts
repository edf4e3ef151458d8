import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Answer } from "../../src/reader/answer.ts";
import { LastingAnswers } from "../../src/reader/lasting-answers.ts";
import type { Fields, Question } from "../../src/reader/protocol.ts";

beforeAll(() => void vi.useFakeTimers({ toFake: ["performance"] }));
afterAll(() => void vi.useRealTimers());

const passTime = (ms: number) => vi.advanceTimersByTime(ms);

const WHOLE = Number.POSITIVE_INFINITY;
const NEVER = Number.NEGATIVE_INFINITY;

/** Answers with the number of the question since it was made, or as it is told to; notes what it was asked. */
function host(told: (count: number) => Answer<Fields> = numbered) {
  const asked: Question[] = [];
  const ask = (questions: readonly Question[]) =>
    questions.map(async (question) => told(asked.push(question)));
  return { asked, ask };
}

const numbered = (count: number): Answer<Fields> => ({ is: "value", value: [Buffer.from(`${count}`)] });

async function words(answers: readonly Promise<Answer<Fields>>[]): Promise<readonly string[]> {
  const all = await Promise.all(answers);
  return all.map((answer) => (answer.is === "value" ? String(answer.value) : answer.is));
}

describe("answers that last", () => {
  it("are asked once, and what a service does by itself each time", async () => {
    const reader = host();
    const lasting = new LastingAnswers();
    const questions: Question[] = [["packages"], ["unit", "a.service", "MainPID"], ["boot"]];
    expect(await words(lasting.through(reader, WHOLE).ask(questions))).toEqual(["1", "2", "3"]);
    expect(await words(lasting.through(reader, NEVER).ask(questions))).toEqual(["1", "4", "3"]);
    expect(reader.asked.slice(3)).toEqual([["unit", "a.service", "MainPID"]]);
  });

  it("ask nothing of the host where all is known", async () => {
    const reader = host();
    const lasting = new LastingAnswers();
    await words(lasting.through(reader, WHOLE).ask([["packages"]]));
    const silent = { ask: () => expect.fail("it was asked") };
    expect(await words(lasting.through(silent, NEVER).ask([["packages"]]))).toEqual(["1"]);
  });

  it("are those to the same question only", async () => {
    const reader = host();
    const lasting = new LastingAnswers();
    await words(lasting.through(reader, WHOLE).ask([["packages.altered", "haproxy"]]));
    expect(await words(lasting.through(reader, NEVER).ask([["packages.altered", "java"]]))).toEqual(["2"]);
  });

  it("are asked anew by a look that asks all, and kept from it", async () => {
    const reader = host();
    const lasting = new LastingAnswers();
    await words(lasting.through(reader, WHOLE).ask([["packages"]]));
    expect(await words(lasting.through(reader, WHOLE).ask([["packages"]]))).toEqual(["2"]);
    expect(await words(lasting.through(reader, NEVER).ask([["packages"]]))).toEqual(["2"]);
  });

  it("are asked anew once the host was changed, also when they came while it was changed", async () => {
    const reader = host();
    const lasting = new LastingAnswers();
    await words(lasting.through(reader, WHOLE).ask([["packages"]]));
    passTime(5);
    const changedAtMs = performance.now();
    expect(await words(lasting.through(reader, changedAtMs + 1).ask([["packages"]]))).toEqual(["2"]);
    passTime(5);
    expect(await words(lasting.through(reader, changedAtMs + 1).ask([["packages"]]))).toEqual(["3"]);
    expect(await words(lasting.through(reader, changedAtMs + 1).ask([["packages"]]))).toEqual(["3"]);
  });

  it("are asked anew after half a minute", async () => {
    const reader = host();
    const lasting = new LastingAnswers();
    await words(lasting.through(reader, NEVER).ask([["packages"]]));
    passTime(29_000);
    expect(await words(lasting.through(reader, NEVER).ask([["packages"]]))).toEqual(["1"]);
    passTime(2_000);
    expect(await words(lasting.through(reader, NEVER).ask([["packages"]]))).toEqual(["2"]);
  });

  it("are none of what was not read", async () => {
    const reader = host((count) =>
      count === 1 ? { is: "unreadable", because: "it took more than 5 s" } : numbered(count),
    );
    const lasting = new LastingAnswers();
    expect(await words(lasting.through(reader, NEVER).ask([["packages"]]))).toEqual(["unreadable"]);
    expect(await words(lasting.through(reader, NEVER).ask([["packages"]]))).toEqual(["2"]);
  });
});
