import type { HostName } from "./inventory/view.ts";

/** For steps whose changes on one host cannot harm another: all at once. */
export function everyone(waiting: readonly HostName[]): readonly HostName[] {
  return waiting;
}
