import * as z from "zod";
import type { Assessed } from "../contract/step.ts";
import { switchedOff, type UnitState } from "../daemon/switched-off.ts";
import { judge } from "../evidence/verdict.ts";

const EXPECTED = "expected the name of a systemd service that is not meshctl's, for example synapse.service";
/** What the mesh goes on with. */
const NEEDED = /^(?:haproxy|zookeeper|mariadb|mysqld?)\.service$/;

/** The parameter `replaces` of a step with a program that people may have run by a unit of their own. */
export const replacedUnits = z
  .array(
    z
      .string()
      .regex(/^(?!meshctl-)[A-Za-z0-9][A-Za-z0-9:_.@-]*\.service$/, { error: EXPECTED })
      .refine((name) => !NEEDED.test(name), {
        error: "is what other steps run: it would be stopped and disabled",
      }),
  )
  .default([])
  .describe("units of before meshctl: stopped and disabled as soon as its own runs");

/** An assessment of a program, with the units of before it that the inventory names. */
export function replacing<
  Self extends {
    readonly desired: { readonly replaces: readonly string[] };
    readonly facts: { readonly replaced: ReadonlyMap<string, UnitState> };
  },
  Others,
>(title: string, assess: (self: Self, others: Others) => Assessed): typeof assess {
  return (self, others) =>
    withReplaced(assess(self, others), title, self.desired.replaces, self.facts.replaced);
}

/**
 * With rows and the change for the units of before. They rest last, for what they do goes on until meshctl's own does it; and
 * not while that cannot be had, or nobody would.
 */
function withReplaced(
  assessed: Assessed,
  title: string,
  names: readonly string[],
  units: ReadonlyMap<string, UnitState>,
): Assessed {
  if (names.length === 0) return assessed;
  const off = switchedOff(`the ${title} of before`, names, units, `meshctl's ${title} takes its place`);
  const isOpen = assessed.readings.some((reading) => judge(reading).verdict !== "proven");
  const waits = isOpen && assessed.changes.length === 0;
  return {
    readings: [
      ...assessed.readings,
      ...off.readings.map(({ closedBy, ...row }) => (waits ? row : { ...row, closedBy })),
    ],
    changes: waits ? [] : [...assessed.changes, ...off.changes],
  };
}
