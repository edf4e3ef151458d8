import { onTestFinished } from "vitest";
import type { LabHost } from "../lab/lab.ts";
import { mustRun } from "./backends.ts";

/**
 * Undoes what a test has done to a host before the next test begins, however this one ends. Say it before it is done.
 * Returns `undo` for a test that goes on after it; it is not run a second time.
 */
export function givenBack(undo: () => Promise<unknown>): () => Promise<void> {
  let isDue = true;
  const once = async () => {
    if (!isDue) return;
    await undo();
    isDue = false;
  };
  onTestFinished(once);
  return once;
}

/** Freezes every process of a unit. Returns what lets them go on. */
export async function frozen(host: LabHost, unit: string): Promise<() => Promise<void>> {
  const thaw = givenBack(() => mustRun(host, `systemctl kill --signal=CONT ${unit}`));
  await mustRun(host, `systemctl kill --signal=STOP ${unit}`);
  return thaw;
}

/** Stops a unit. Returns what starts it again. */
export async function stopped(host: LabHost, unit: string): Promise<() => Promise<void>> {
  const start = givenBack(() => mustRun(host, `systemctl start ${unit}`));
  await mustRun(host, `systemctl stop ${unit}`);
  return start;
}
