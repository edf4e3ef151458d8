import { describe, expect, it, vi } from "vitest";
import type { AnyStep } from "../../src/contract/step.ts";
import { lookAt } from "../../src/engine/look.ts";
import { type Answer, NotUnderstood } from "../../src/reader/answer.ts";
import type { Fields, Question } from "../../src/reader/protocol.ts";
import type { Reader } from "../../src/reader/reader.ts";
import { tellTime } from "../told-time.ts";

vi.mock("node:timers/promises", () => import("../told-sleep.ts"));
tellTime();

const IDENTITY = ["InvocationID", "MainPID", "NeedDaemonReload"];

/**
 * A host whose services are in their next life each time that the ones before are told, and what was asked of it.
 * `restarts`: how often systemd has started the service again by itself in that life.
 */
function hostWith(lives: readonly string[], restarts: (life: number) => number = () => 0) {
  const frames: Question[][] = [];
  let told = 0;
  return {
    frames,
    ask(questions: readonly Question[]): readonly Promise<Answer<Fields>>[] {
      frames.push([...questions]);
      const life = lives[Math.min(told, lives.length - 1)]!;
      if (questions.some(([name]) => name === "unit")) told += 1;
      return questions.map(async ([name, , ...properties]): Promise<Answer<Fields>> => {
        const value = (property: string) => (property === "NRestarts" ? `${restarts(Number(life))}` : life);
        const fields =
          name === "unit" ? properties.flatMap((property) => [property, value(property)]) : ["x"];
        return { is: "value", value: fields.map((field) => Buffer.from(field)) };
      });
    },
  };
}

/** Beside them nothing is read. */
const nothing = { first: async () => undefined, last: async () => undefined };
const factsOf = async (...[host, requests]: [Parameters<typeof lookAt>[0], Parameters<typeof lookAt>[1]]) =>
  (await lookAt(host, requests, nothing)).facts;

const step = (name: string, look: (reader: Reader) => Promise<unknown>) => ({
  step: { name, look } as unknown as AnyStep,
  desired: undefined,
});
const ofUnit = (name: string, properties: readonly string[]) =>
  step(name, async (reader) => {
    const unit = await reader.unit("a.service", properties);
    return unit.is === "value" && unit.value.get(properties[0]!);
  });

describe("one look of several steps", () => {
  it("reads what is beside them with their first questions, and with the units at its end", async () => {
    const host = hostWith(["1"]);
    const beside = {
      first: async (reader: Reader) => (await reader.enabled("b.service")).is,
      last: async (reader: Reader) => (await reader.enabled("c.service")).is,
    };
    const seen = await lookAt(host, [ofUnit("one", IDENTITY)], beside);
    expect([seen.first, seen.last]).toEqual(["value", "value"]);
    const unit = ["unit", "a.service", ...IDENTITY];
    expect(host.frames).toEqual([
      [["enabled", "b.service"], unit],
      [["enabled", "c.service"], unit],
    ]);
  });

  it("asks what they share once, in one frame, and the units again at its end", async () => {
    const host = hostWith(["1"]);
    const facts = await factsOf(host, [ofUnit("one", IDENTITY), ofUnit("two", IDENTITY)]);
    expect(facts.get("one")).toEqual({ is: "read", facts: ["1"] });
    expect(facts.get("two")).toEqual({ is: "read", facts: ["1"] });
    expect(host.frames).toEqual([[["unit", "a.service", ...IDENTITY]], [["unit", "a.service", ...IDENTITY]]]);
  });

  it("asks nothing again where no step cares which process runs", async () => {
    const host = hostWith(["1", "2"]);
    expect((await factsOf(host, [ofUnit("one", ["LoadState"])])).get("one")).toMatchObject({ is: "read" });
    expect(host.frames).toHaveLength(1);
  });

  it("reads a service once more that was started again meanwhile", async () => {
    const host = hostWith(["1", "2"]);
    expect((await factsOf(host, [ofUnit("one", IDENTITY)])).get("one")).toEqual({ is: "read", facts: ["2"] });
  });

  it("believes nothing of one that is started again and again, and spares its neighbours", async () => {
    const host = hostWith(Array.from({ length: 10 }, (_, at) => `${at}`));
    const facts = await factsOf(host, [ofUnit("one", IDENTITY), ofUnit("two", ["LoadState"])]);
    expect(facts.get("one")).toEqual({
      is: "broken",
      because:
        "a.service changed while it was read, 5 times in a row: is it started over and over? See journalctl -u a.service",
    });
    expect(facts.get("two")).toMatchObject({ is: "read" });
  });

  describe("of what systemd starts over and over", () => {
    const STATE = ["ActiveState", "SubState", "MainPID", "InvocationID", "NeedDaemonReload", "NRestarts"];
    const lives = Array.from({ length: 20 }, (_, at) => `${at + 1}`);
    const lookingAt = (look: (unit: ReadonlyMap<string, readonly string[]>, reader: Reader) => unknown) =>
      step("one", async (reader) => {
        const unit = await reader.unit("a.service", STATE);
        return look(unit.is === "value" ? unit.value : new Map(), reader);
      });

    it("takes it for what it is between two starts, and reads all else", async () => {
      const host = hostWith(lives, (life) => life);
      const facts = await factsOf(host, [
        lookingAt(async (unit, reader) => [
          ...STATE.map((property) => unit.get(property)?.[0]),
          (await reader.enabled("a.service")).is,
        ]),
      ]);
      const [frame] = host.frames.slice(-3);
      const { value } = (await host.ask([["unit", "a.service", "NRestarts"]])[0]!) as { value: Fields };
      expect(frame).toHaveLength(2);
      // Beside it the end of the look was told since.
      const life = `${Number(String(value[1])) - 2}`;
      expect(facts.get("one")).toEqual({
        is: "read",
        facts: ["activating", "auto-restart", "0", life, life, life, "value"],
      });
    });

    it("also where systemd takes longer to start it than a look takes", async () => {
      const facts = await factsOf(
        hostWith(lives, (life) => (life < 14 ? 3 : 4)),
        [lookingAt((unit) => unit.get("SubState"))],
      );
      expect(facts.get("one")).toEqual({ is: "read", facts: ["auto-restart"] });
    });

    it("also where the step asks anew", async () => {
      const facts = await factsOf(
        hostWith(lives, (life) => life),
        [lookingAt(async (_, reader) => [await reader.anew()!.unit("a.service", ["MainPID"])])],
      );
      expect(facts.get("one")).toMatchObject({
        facts: [{ is: "value", value: new Map([["MainPID", ["0"]]]) }],
      });
    });

    it.each([
      ["somebody starts it over and over", () => 0],
      ["it was started in the last look but one", (life: number) => Math.min(life, 10)],
      ["somebody starts it in the last look", (life: number) => (life < 12 ? life : 0)],
    ])("believes nothing where %s", async (_, restarts) => {
      const facts = await factsOf(hostWith(lives, restarts), [lookingAt(() => "read")]);
      expect(facts.get("one")).toMatchObject({ is: "broken", because: /started over and over/ });
    });

    it("believes nothing where another unit of the step moves, too", async () => {
      const both = step("one", async (reader) =>
        Promise.all(["a.service", "b.service"].map((unit) => reader.unit(unit, STATE))),
      );
      const facts = await factsOf(
        hostWith(lives, (life) => life),
        [both],
      );
      expect(facts.get("one")).toMatchObject({ is: "broken" });
    });
  });

  it("does not take one that was not read at first for one that has moved", async () => {
    const host = hostWith(["1"]);
    let frames = 0;
    const ask = (questions: readonly Question[]) => {
      frames += 1;
      const late = { is: "unreadable", because: "it took more than 7 s" } as const;
      return frames === 1 ? questions.map(async () => late) : host.ask(questions);
    };
    const told = step("one", async (reader) => (await reader.unit("a.service", IDENTITY)).is);
    expect((await factsOf({ ask }, [told])).get("one")).toEqual({ is: "read", facts: "unreadable" });
    expect(frames).toBe(2);
  });

  it("believes one that stands still at last", async () => {
    const host = hostWith(["1", "2", "3", "4", "5", "5"]);
    expect((await factsOf(host, [ofUnit("one", IDENTITY)])).get("one")).toEqual({ is: "read", facts: ["5"] });
  });

  it("does not take another property of a unit without a process for what tells its runs apart", async () => {
    const host = hostWith(["1"]);
    const ask = (questions: readonly Question[]) =>
      host.ask(questions.map(([name, ...words]) => [name, ...words.filter((word) => word !== "MainPID")]));
    const facts = await factsOf({ ask }, [ofUnit("one", ["Id", ...IDENTITY])]);
    expect(facts.get("one")).toEqual({ is: "read", facts: ["1"] });
  });

  it("asks a host once more where a step asks anew", async () => {
    const host = hostWith(["1", "2", "3"]);
    const facts = await factsOf(host, [
      step("one", async (reader) => {
        const again = reader.anew()!;
        return Promise.all([reader, reader, again].map((each) => each.unit("a.service", ["LoadState"])));
      }),
    ]);
    expect(host.frames).toHaveLength(2);
    expect(facts.get("one")).toMatchObject({
      facts: ["1", "1", "2"].map((life) => ({ value: new Map([["LoadState", [life]]]) })),
    });
  });

  it("spares the neighbours of a step that does not understand an answer", async () => {
    const facts = await factsOf(hostWith(["1"]), [
      step("one", async () => {
        throw new NotUnderstood("x");
      }),
      ofUnit("two", ["LoadState"]),
    ]);
    expect(facts.get("one")).toEqual({ is: "broken", because: "its look was not understood: x" });
    expect(facts.get("two")).toMatchObject({ is: "read" });
  });
});
