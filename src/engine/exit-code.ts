import type { HostOutcome } from "./events.ts";

export const EXIT = {
  asWanted: 0,
  failed: 1,
  drift: 2,
  configuration: 3,
  unreachable: 4,
  partial: 5,
  interrupted: 130,
} as const;

/** One number for a run. Drift never hides a failure; an interruption is said first. */
export function exitCodeOf(outcomes: readonly Pick<HostOutcome, "is">[]): number {
  const count = (is: HostOutcome["is"]) => outcomes.filter((outcome) => outcome.is === is).length;
  if (count("interrupted") > 0) return EXIT.interrupted;
  const unreachable = count("unreachable");
  const failed = count("failed");
  if (outcomes.length > 0 && unreachable === outcomes.length) return EXIT.unreachable;
  if (outcomes.length > 0 && failed === outcomes.length) return EXIT.failed;
  if (unreachable + failed > 0) return EXIT.partial;
  return count("drift") > 0 ? EXIT.drift : EXIT.asWanted;
}
