import { describe, expect, it } from "vitest";
import type { Answer } from "../../src/reader/answer.ts";
import type { Ask, Fields, Question } from "../../src/reader/protocol.ts";
import { askRecording, type Recording, recordTo } from "../../src/reader/recording.ts";

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
