import { expect } from "vitest";
import type { HostFacts } from "../../src/contract/host.ts";
import type { AnyStep } from "../../src/contract/step.ts";
import { judge } from "../../src/evidence/verdict.ts";
import { NotRead } from "../../src/reader/answer.ts";
import type { Ask, Question } from "../../src/reader/protocol.ts";
import { Reader } from "../../src/reader/reader.ts";
import { keyOf } from "../../src/reader/recording.ts";

const BECAUSE = "it took more than 5 s";

/** A converged host, whose every answer comes whole. */
interface Whole {
  readonly step: AnyStep;
  readonly desired: unknown;
  readonly host: HostFacts;
  readonly ask: Ask;
  /** Questions, or beginnings of them, without which every row can be told. */
  readonly needless?: readonly string[];
}

/**
 * Leaves one answer after the other of a look unread. Whichever it is: nothing is changed for it, no row is told to be
 * otherwise than wanted, and something is unknown with the reason. Returns what is unknown by question: settings, or
 * undefined where it is the whole step.
 */
export async function expectCutAnswersToProveNothing(
  whole: Whole,
): Promise<ReadonlyMap<string, readonly string[] | undefined>> {
  const questions = new Map<string, Question>();
  const seen = await assessedBy(whole, async (question) => {
    questions.set(keyOf(question), question);
    return whole.ask(question);
  });
  expect(seen, "the host is converged").toEqual({ open: [], unknown: [], changes: [] });

  const unknownBy = new Map<string, readonly string[] | undefined>();
  for (const key of questions.keys()) {
    const cut: Ask = async (question) =>
      keyOf(question) === key ? { is: "unreadable", because: BECAUSE } : whole.ask(question);
    try {
      const { open, unknown, changes } = await assessedBy(whole, cut);
      expect({ key, open, changes }).toEqual({ key, open: [], changes: [] });
      const isNeedless = whole.needless?.some((beginning) => key.startsWith(beginning)) ?? false;
      expect({ key, unknown: unknown.length > 0 }).toEqual({ key, unknown: !isNeedless });
      for (const { because } of unknown)
        expect({ key, because }).toEqual({ key, because: expect.stringContaining(BECAUSE) });
      unknownBy.set(
        key,
        unknown.map(({ setting }) => setting),
      );
    } catch (error) {
      if (!(error instanceof NotRead)) throw error;
      expect(error.message).toContain(BECAUSE);
      unknownBy.set(key, undefined);
    }
  }
  return unknownBy;
}

async function assessedBy({ step, desired, host }: Whole, ask: Ask) {
  const facts: unknown = await step.look(new Reader(ask), desired);
  const { readings, changes } = step.assess(
    { name: "a", desired, facts, host, claims: new Map() },
    new Map(),
  );
  const rows = readings.map(judge);
  return {
    open: rows
      .filter(({ verdict }) => verdict !== "proven" && verdict !== "unknown")
      .map(({ setting, verdict }) => `${setting}: ${verdict}`),
    unknown: rows.filter(({ verdict }) => verdict === "unknown"),
    changes: changes.map(({ id }) => id),
  };
}
