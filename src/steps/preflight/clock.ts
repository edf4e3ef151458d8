import type { HostFacts } from "../../contract/host.ts";
import type { HostName } from "../../contract/inventory-view.ts";
import type { Reading } from "../../contract/reading.ts";
import type { Fleet } from "../../contract/step.ts";
import { isClockKept } from "../../daemon/managers.ts";
import { check, unread } from "./check.ts";
import type { PreflightDesired } from "./desired.ts";
import type { PreflightFacts } from "./facts.ts";

const SOURCE = "date +%s.%N (half the round trip taken off)";
const SET_IT =
  "let NTP set it (apt-get install systemd-timesyncd, then timedatectl set-ntp true) and see that UDP port 123 gets out";

/** What sets the clock of a host, again and again. */
const KEEPERS =
  /^(?:systemd-timesyncd|chronyd?|ntpd?|ntpd-rs|ntpsec|openntpd|busybox-ntpd|htpdate|timemaster|phc2sys(?:@.*)?|open-vm-tools|prltoolsd|vmtoolsd|vboxadd-service|virtualbox-guest-utils)\.service$/;
/** A container has the clock of its host. */
const OWN_CLOCK = /^(?:kvm|qemu|none|vmware|microsoft|xen|amazon|oracle|bhyve|parallels|google)$/;

/** A clock that is right now, and that nothing keeps so. */
export function unkeptClock(
  { boot, bootLines }: PreflightFacts,
  { virtualization }: HostFacts,
): string | undefined {
  if (boot === undefined || !OWN_CLOCK.test(virtualization ?? "") || isClockKept(bootLines)) return undefined;
  const keepers = [...boot.units].filter(([name]) => KEEPERS.test(name));
  if (keepers.length === 0)
    return `the next boot starts nothing that sets the clock, so it will go wrong: ${SET_IT}`;
  if (keepers.some(([, { isIdle }]) => !isIdle)) return undefined;
  const [[name]] = keepers as [(typeof keepers)[number]];
  return `${name} does not run, so the clock will go wrong: systemctl status ${name} tells why`;
}

/**
 * Compares clocks beyond what a round trip leaves uncertain. Only a host that most others disagree with is stopped.
 * A comparison that the round trip leaves more uncertain than the limit proves nothing, and neither does none at all.
 * A host is compared with the machine that meshctl runs on where it is alone or no other could be seen.
 */
export function clockReading(
  self: HostName,
  { clockSkewMaxMs }: PreflightDesired,
  host: HostFacts,
  fleet: Fleet<unknown, unknown>,
): Reading {
  const row = { setting: "clock", want: `within ${clockSkewMaxMs} ms of the other hosts`, source: SOURCE };
  let vague: Distance | undefined;
  let furthest: Distance | undefined;
  let others = 0;
  const apart: Distance[] = [];
  // Each host with each: of hundreds that is a large part of all that is to be judged.
  for (const [of, peer] of fleet) {
    if (of === self || peer.is !== "seen") continue;
    const each = distance(host.clock, of, peer.host.clock);
    vague ??= each;
    if (!tells(each, clockSkewMaxMs)) continue;
    others += 1;
    if (each.certainMs > clockSkewMaxMs) apart.push(each);
    if (furthest === undefined || isFurther(each, furthest)) furthest = each;
  }
  if (vague === undefined) return besideOurs(clockSkewMaxMs, host);
  if (furthest === undefined) return unread({ ...row, because: tooVague(vague, clockSkewMaxMs) });
  const fine = apart.length * 2 <= others;
  const names = apart.map(({ of }) => of).join(", ");
  return check({
    ...row,
    found: showDistance(furthest),
    fine,
    because: `the clock is ${showDistance(furthest)}: ${SET_IT}`,
    warning:
      fine && apart.length > 0 ? `the clocks of ${names} are more than ${clockSkewMaxMs} ms away` : undefined,
  });
}

function besideOurs(maxMs: number, { clock }: HostFacts): Reading {
  const row = { setting: "clock", want: `within ${maxMs} ms of this machine's`, source: SOURCE };
  const ours = distance(clock, "this machine's", { skewMs: 0, uncertaintyMs: 0 });
  if (!tells(ours, maxMs)) return unread({ ...row, because: tooVague(ours, maxMs) });
  return check({
    ...row,
    found: showDistance(ours),
    fine: ours.certainMs <= maxMs,
    because: `the clock is ${showDistance(ours)}, and either may be wrong (timedatectl here and there tells): ${SET_IT}`,
  });
}

interface Distance {
  readonly of: string;
  /** Positive when this host is ahead. */
  readonly aheadMs: number;
  readonly uncertaintyMs: number;
  /** How far apart the clocks are at least. */
  readonly certainMs: number;
}

function distance(here: HostFacts["clock"], of: string, there: HostFacts["clock"]): Distance {
  const aheadMs = here.skewMs - there.skewMs;
  const uncertaintyMs = here.uncertaintyMs + there.uncertaintyMs;
  return { of, aheadMs, uncertaintyMs, certainMs: Math.max(0, Math.abs(aheadMs) - uncertaintyMs) };
}

function isFurther(one: Distance, other: Distance): boolean {
  return (
    one.certainMs > other.certainMs ||
    (one.certainMs === other.certainMs && Math.abs(one.aheadMs) > Math.abs(other.aheadMs))
  );
}

function tells({ uncertaintyMs, certainMs }: Distance, maxMs: number): boolean {
  return uncertaintyMs <= maxMs || certainMs > maxMs;
}

function tooVague({ of, uncertaintyMs }: Distance, maxMs: number): string {
  return `the round trips leave the distance to ${of} uncertain by ${uncertaintyMs} ms, and more than ${maxMs} ms tells nothing: try again over a faster connection, or raise preflight.clock_skew_max`;
}

function showDistance({ aheadMs, uncertaintyMs, of }: Distance): string {
  return `${Math.abs(aheadMs)} ms (± ${uncertaintyMs}) ${aheadMs < 0 ? "behind" : "ahead of"} ${of}`;
}
