import type { Reader } from "../reader/reader.ts";
import { secondsOf } from "./unit-keys.ts";

/** What starts a unit again after the boot. */
export interface Trigger {
  /** A timer or a path. */
  readonly name: string;
  /** How often a timer does in a day; undefined of what waits for something. */
  readonly timesADay: number | undefined;
}

/** What starts each of these units again and again, as systemd has it. Two round trips; what it does not tell starts nothing. */
export async function lookAtTriggers(
  reader: Reader,
  units: readonly string[],
): Promise<ReadonlyMap<string, readonly Trigger[]>> {
  const values = async (unit: string, ...properties: string[]) => {
    const answer = await reader.unit(unit, properties);
    return properties.flatMap((property) =>
      answer.is === "value" ? (answer.value.get(property) ?? []) : [],
    );
  };
  const found = await Promise.all(
    units.map(async (unit) => {
      const names = (await values(unit, "TriggeredBy")).join(" ").split(" ").filter(Boolean);
      const triggers = names.map(async (name): Promise<Trigger> => {
        if (!name.endsWith(".timer")) return { name, timesADay: undefined };
        const said = await values(name, "TimersCalendar", "TimersMonotonic");
        return { name, timesADay: said.reduce((sum, each) => sum + timesOf(each), 0) };
      });
      return [unit, await Promise.all(triggers)] as const;
    }),
  );
  return new Map(found);
}

const DAY_SECONDS = 86_400;

/** How often in a day, as systemd shows it: "{ OnCalendar=*-*-* *:00/5:00 ; next_elapse=… }", "{ OnUnitActiveUSec=5min ; … }". */
export function timesOf(shown: string): number {
  const [, calendar = ""] = /\bOnCalendar=([^;}]*)/.exec(shown) ?? [];
  const [, hours, minutes, seconds] = /(?:^|\s)([\d*,./]+):([\d*,./]+):([\d*,./]+)/.exec(calendar) ?? [];
  if (hours !== undefined) return timesIn(hours, 24) * timesIn(minutes!, 60) * timesIn(seconds!, 60);
  const [, span = ""] = /\bOnUnit(?:Active|Inactive)USec=([^;}]*)/.exec(shown) ?? [];
  const length = secondsOf(span.trim()) ?? 0;
  return length > 0 ? Math.floor(DAY_SECONDS / length) : 0;
}

/** "*", "00/5", "08..17", "00,30". */
function timesIn(field: string, all: number): number {
  const times = field.split(",").map((part) => {
    const [, first, last, step] = /^(?:\*|(\d+)(?:\.\.(\d+))?)(?:\/(\d+))?/.exec(part) ?? [];
    const begin = Number(first ?? 0);
    // With a step alone it goes on to the end.
    const end =
      last !== undefined ? Number(last) : first === undefined || step !== undefined ? all - 1 : begin;
    return Math.ceil((end - begin + 1) / Math.max(1, Number(step ?? 1)));
  });
  return times.reduce((sum, each) => sum + each, 0);
}
