import { describe, expect, it } from "vitest";
import type { Answer } from "../../src/reader/answer.ts";
import type { Ask, Fields, Question } from "../../src/reader/protocol.ts";
import {
  askRecording,
  RecordedReader,
  type Recording,
  RecordingReader,
  recordTo,
} from "../../src/reader/recording.ts";
import { Secret } from "../../src/secret.ts";

const answers: Readonly<Record<string, Answer<Fields>>> = {
  text: { is: "value", value: ["a", "", "ü\n"].map((field) => Buffer.from(field)) },
  bytes: { is: "value", value: [Buffer.from([0xff, 0])] },
  absent: { is: "absent" },
  unreadable: { is: "unreadable", because: "it took more than 5 s" },
};
const ask: Ask = async ([name]) => answers[name]!;

describe("a recording", () => {
  it("answers as the host did, in any order, also when it was kept as JSON", async () => {
    const recording: Recording = {};
    const recorded = recordTo(recording, ask);
    for (const name of Object.keys(answers)) expect(await recorded([name, "/a b"])).toEqual(answers[name]);
    const replayed = askRecording(JSON.parse(JSON.stringify(recording)));
    for (const name of Object.keys(answers).reverse())
      expect(await replayed([name, "/a b"])).toEqual(answers[name]);
  });

  it.each<readonly [Question, Question]>([
    [
      ["file", "a b"],
      ["file", "a", "b"],
    ],
    [["file", ""], ["file"]],
    [
      ["file", '"a"'],
      ["file", "a"],
    ],
  ])("tells %j from %j", async (one, other) => {
    const recording: Recording = {};
    await recordTo(recording, async () => ({ is: "absent" }))(one);
    expect(await askRecording(recording)(one)).toEqual({ is: "absent" });
    await expect(askRecording(recording)(other)).rejects.toThrow(/^the recording has no answer to: file/);
  });
});

describe("what a host's reader answers", () => {
  const reader = (said: Readonly<Record<string, Answer<Fields>>>) => ({
    ask: (questions: readonly Question[]) => questions.map(async ([name]) => said[name]!),
  });
  const bytes = (text: string) => ({ is: "value", value: [Buffer.from(text, "latin1")] }) as const;

  it("is answered again, and what was not asked is unreadable", async () => {
    const recording: Recording = {};
    const recorded = new RecordingReader(reader(answers), recording);
    const questions = Object.keys(answers).map((name): Question => [name, "/a b"]);
    const live = await Promise.all(recorded.ask(questions));
    const later = new RecordedReader(JSON.parse(JSON.stringify(recording)));
    expect(await Promise.all(later.ask(questions))).toEqual(live);
    expect(await later.ask([["text", "/c"]])[0]).toEqual({
      is: "unreadable",
      because: "the recording has no answer to: text /c",
    });
  });

  it("is kept without secrets, those of others and those between bytes that are no text too", async () => {
    new Secret("pa55 of ours");
    const recording: Recording = {};
    const said = {
      ours: bytes("key pa55 of ours"),
      theirs: bytes("stats auth admin:pa55"),
      mixed: bytes("\xff\npassword = pa55\n"),
      reason: { is: "unreadable", because: "it says password=pa55" } as const,
    };
    const asked = Object.keys(said).map((name): Question => [name, "password=pa55"]);
    await Promise.all(new RecordingReader(reader(said), recording).ask(asked));
    const kept = JSON.stringify(recording);
    const decoded = kept.replace(/"base64":"([^"]+)"/g, (_, text) =>
      Buffer.from(text, "base64").toString("latin1"),
    );
    expect(Object.keys(recording)).toHaveLength(4);
    expect(`${kept}${decoded}`).not.toContain("pa55");
    // The same question is found again.
    const [answer] = await Promise.all(new RecordedReader(recording).ask([["ours", "password=pa55"]]));
    expect(answer).toEqual({ is: "value", value: [Buffer.from("key ••••••")] });
  });

  it("tells the moments of a clock's answer by the clock of the process that reads it", async () => {
    const recording: Recording = {};
    const clock = { is: "value", value: ["5", "1000.5", "1001"].map((field) => Buffer.from(field)) } as const;
    await Promise.all(new RecordingReader(reader({ clock }), recording).ask([["clock"]]));
    const kept = recording.clock;
    if (kept?.is !== "value") throw new Error("nothing is kept");
    expect(Number(kept.value[1])).toBeCloseTo(performance.timeOrigin + 1000.5, 1);
    const [answer] = await Promise.all(new RecordedReader(recording).ask([["clock"]]));
    if (answer?.is !== "value") throw new Error("nothing is answered");
    expect(answer.value.map((field) => Number(field.toString()))[1]).toBeCloseTo(1000.5, 1);
  });
});
