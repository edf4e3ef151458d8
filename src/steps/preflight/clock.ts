import type { HostName } from "../../inventory/view.ts";
import type { Fleet, HostFacts, Reading } from "../../step.ts";
import { check } from "./check.ts";
import type { PreflightDesired } from "./desired.ts";

/** Compares clocks beyond what a round trip leaves uncertain. Only a host that most others disagree with is stopped. */
export function clockReading(
  self: HostName,
  { clockSkewMaxMs }: PreflightDesired,
  host: HostFacts,
  fleet: Fleet<unknown, unknown>,
): Reading {
  const others = [...fleet].flatMap(([name, peer]) =>
    name !== self && peer.is === "seen" ? [{ name, ...distance(host, peer.host) }] : [],
  );
  const furthest = [...others].sort(
    (a, b) => b.certainMs - a.certainMs || Math.abs(b.aheadMs) - Math.abs(a.aheadMs),
  )[0];
  const apart = others.filter(({ certainMs }) => certainMs > clockSkewMaxMs);
  const fine = apart.length * 2 <= others.length;
  const names = apart.map(({ name }) => name).join(", ");
  return check({
    setting: "clock",
    want: `within ${clockSkewMaxMs} ms of the other hosts`,
    found: furthest === undefined ? "no other host to compare with" : showDistance(furthest),
    source: "date +%s.%N (half the round trip taken off)",
    fine,
    because: `the clock is ${furthest && showDistance(furthest)}: let NTP set it (apt-get install systemd-timesyncd, then timedatectl set-ntp true) and see that UDP port 123 gets out`,
    warning:
      fine && apart.length > 0 ? `the clocks of ${names} are more than ${clockSkewMaxMs} ms away` : undefined,
  });
}

interface Distance {
  /** Positive when this host is ahead. */
  readonly aheadMs: number;
  readonly uncertaintyMs: number;
  /** How far apart the clocks are at least. */
  readonly certainMs: number;
}

function distance({ clock: here }: HostFacts, { clock: there }: HostFacts): Distance {
  const aheadMs = here.skewMs - there.skewMs;
  const uncertaintyMs = here.uncertaintyMs + there.uncertaintyMs;
  return { aheadMs, uncertaintyMs, certainMs: Math.max(0, Math.abs(aheadMs) - uncertaintyMs) };
}

function showDistance({ aheadMs, uncertaintyMs, name }: Distance & { name: HostName }): string {
  return `${Math.abs(aheadMs)} ms (± ${uncertaintyMs}) ${aheadMs < 0 ? "behind" : "ahead of"} ${name}`;
}
