import * as z from "zod";
import type { AnyStep } from "../contract/step.ts";
import { didYouMean } from "../inventory/nearest-name.ts";
import { type ParameterLayer, readLayer } from "../inventory/parameter-layer.ts";
import type { Problems } from "../inventory/problems.ts";
import { isPlainMap, Section } from "../inventory/section.ts";
import type { Source } from "../inventory/source.ts";
import { mostFailures, waveSizes } from "../inventory/wave-schema.ts";
import type { WaveRules } from "../waves.ts";

/** A play as the file has it, its pattern not yet resolved. */
export interface PlayDraft {
  readonly index: number;
  /** Undefined when the file's pattern is no pattern; that was reported. */
  readonly pattern: string | readonly string[] | undefined;
  /** Whether the play is left out when the inventory has no such host or group. */
  readonly optional: boolean;
  readonly rules: WaveRules;
  readonly steps: readonly { readonly step: AnyStep; readonly layer: ParameterLayer }[];
}

const root = z.strictObject({ version: z.literal(1), plays: z.unknown().optional() });
const pattern = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);
const optional = z.boolean().optional();
export const play = z.strictObject({
  hosts: pattern,
  optional,
  serial: waveSizes.optional(),
  max_fail: mostFailures.optional(),
  steps: z.unknown().optional(),
});

/** The plays of the file in order. Mistakes are reported, and left out. */
export function readPlaybook(source: Source, steps: readonly AnyStep[], problems: Problems): PlayDraft[] {
  if (source.value === undefined) return [];
  const section = new Section(source, problems);
  if (source.value === null) {
    section.problem([], "the playbook is empty: expected 'version' and 'plays'");
    return [];
  }
  section.check([], root);
  if (!isPlainMap(source.value)) return [];
  const plays = section.raw(["plays"]);
  if (!Array.isArray(plays)) {
    section.unexpected(["plays"], "expected a list of plays");
    return [];
  }
  if (plays.length === 0) section.problem(["plays"], "expected at least one play, found none");
  return plays.flatMap((entry, index) => {
    const path = ["plays", index];
    // Problems of one key take nothing from the others: the rest of the play is checked on.
    section.check(path, play);
    if (!isPlainMap(entry)) return [];
    return {
      index,
      pattern: pattern.safeParse(entry.hosts).data,
      optional: entry.optional === true,
      rules: {
        serial: waveSizes.safeParse(entry.serial).data,
        maxFail: mostFailures.safeParse(entry.max_fail).data,
      },
      steps: readSteps(section, index, steps),
    };
  });
}

function readSteps(section: Section, index: number, steps: readonly AnyStep[]): PlayDraft["steps"] {
  const path = ["plays", index, "steps"];
  if (section.map(path, { optional: false }) === undefined) return [];
  const names = section.source.keys(path);
  if (names.length === 0) section.problem(path, "expected at least one step, found none");
  return names.flatMap((name) => {
    const step = steps.find((each) => each.name === name);
    if (step === undefined) {
      const known = steps.map((each) => each.name);
      const instead = didYouMean(name, known) || `; known are ${known.join(", ")}`;
      section.problem([...path, name], `unknown step${instead}`, { at: "key" });
      return [];
    }
    const layer = readLayer(section, [...path, name]);
    return layer === undefined ? [] : [{ step, layer }];
  });
}
