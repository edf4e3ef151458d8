import * as z from "zod";
import type { Hooks } from "../contract/hook.ts";
import type { AnyStep } from "../contract/step.ts";
import { stepHere } from "../inventory/foreign-words.ts";
import { didYouMean } from "../inventory/nearest-name.ts";
import { type ParameterLayer, readLayer } from "../inventory/parameter-layer.ts";
import type { Problems } from "../inventory/problems.ts";
import { Section } from "../inventory/section.ts";
import type { Source } from "../inventory/source.ts";
import { hold, mostFailures, waveSizes } from "../inventory/wave-schema.ts";
import { isPlainMap } from "../plain-map.ts";
import type { WaveRules } from "../waves.ts";
import { hookKeys, hooks } from "./hook-schema.ts";

/** A play as the file has it, its pattern not yet resolved. */
export interface PlayDraft {
  readonly index: number;
  /** Undefined when the file's pattern is no pattern; that was reported. */
  readonly pattern: string | readonly string[] | undefined;
  /** Whether the play is left out when the inventory has no such host or group. */
  readonly optional: boolean;
  readonly rules: WaveRules;
  readonly steps: readonly StepDraft[];
}

interface StepDraft {
  readonly step: AnyStep;
  readonly layer: ParameterLayer;
  /** Those of the play, and within them its own. */
  readonly hooks: Hooks;
}

const PLAYBOOK =
  "a playbook is `version: 1` and `plays: [{ hosts: all, steps: { sysctl: {} } }]`; Ansible's roles and tasks are unknown here";
const INVENTORY = "unknown key; this is an inventory: `-i FILE` names it, and `-p FILE` a playbook";

const root = z.strictObject({ version: z.literal(1), plays: z.unknown().optional() });
const pattern = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);
const optional = z.boolean().optional();
export const play = z.strictObject({
  hosts: pattern.describe("where: a pattern of hosts and groups, or a list of them"),
  optional: optional.describe("left out when the inventory has no such host or group"),
  serial: waveSizes
    .optional()
    .describe("how many hosts a wave may disrupt, wave by wave; default: [1, 25%, 100%]"),
  max_fail: mostFailures.optional().describe("hosts that may fail before the run stops; default: 0"),
  hold: hold
    .optional()
    .describe(
      "how long the mesh is watched after each wave, like 30s; default: no longer than it takes to notice",
    ),
  ...hookKeys,
  steps: z.unknown().optional(),
});

/** The plays of the file in order. Mistakes are reported, and left out. */
export function readPlaybook(source: Source, steps: readonly AnyStep[], problems: Problems): PlayDraft[] {
  if (source.value === undefined) return [];
  const section = new Section(source, problems);
  if (source.value === null) {
    section.problem([], "the playbook is empty: expected 'version' and 'plays'", {
      hint: "for example `plays: [{ hosts: all, steps: { sysctl: {} } }]`; playbooks/site.yaml has them all",
    });
    return [];
  }
  if (Array.isArray(source.value)) {
    section.problem([], "expected a map, found a list", { hint: PLAYBOOK });
    return [];
  }
  const ofInventory = source.keys([]).find((key) => ["hosts", "groups", "mesh"].includes(key));
  if (ofInventory !== undefined && section.raw(["plays"]) === undefined) {
    section.problem([ofInventory], INVENTORY, { at: "key" });
    return [];
  }
  section.check([], root);
  if (!isPlainMap(source.value)) return [];
  const plays = section.raw(["plays"]);
  if (!Array.isArray(plays)) {
    section.unexpected(["plays"], "expected a list of plays");
    return [];
  }
  if (plays.length === 0)
    section.problem(["plays"], "expected at least one play, found none", {
      hint: "for example `plays: [{ hosts: all, steps: { sysctl: {} } }]`",
    });
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
        holdMs: hold.safeParse(entry.hold).data,
      },
      steps: readSteps(section, index, steps, hooksOf(entry)),
    };
  });
}

/** What does not parse was reported. */
function hooksOf({ before, after }: Readonly<Record<string, unknown>>): Hooks {
  return { before: hooks.safeParse(before).data ?? [], after: hooks.safeParse(after).data ?? [] };
}

function readSteps(
  section: Section,
  index: number,
  steps: readonly AnyStep[],
  ofPlay: Hooks,
): readonly StepDraft[] {
  const path = ["plays", index, "steps"];
  if (section.map(path, { optional: false }) === undefined) return [];
  const names = section.source.keys(path);
  if (names.length === 0)
    section.problem(path, "expected at least one step, found none", {
      hint: "for example `steps: { preflight: {}, sysctl: {} }`",
    });
  return names.flatMap((name) => {
    const step = steps.find((each) => each.name === name);
    if (step === undefined) {
      const known = steps.map((each) => each.name);
      const instead = didYouMean(name, known) || `; known are ${known.join(", ")}`;
      section.problem([...path, name], `unknown step${instead}`, { at: "key", hint: stepHere(name) });
      return [];
    }
    const layer = readLayer(section, [...path, name]);
    if (layer === undefined) return [];
    const { before, after, ...values } = layer.values;
    for (const [key, value] of Object.entries({ before, after }))
      if (Object.hasOwn(layer.values, key)) section.check([...path, name, key], hooks, value);
    const own = hooksOf({ before, after });
    return [
      {
        step,
        layer: { ...layer, values },
        hooks: { before: [...ofPlay.before, ...own.before], after: [...own.after, ...ofPlay.after] },
      },
    ];
  });
}
