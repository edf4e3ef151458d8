import type { HostName } from "../../contract/inventory-view.ts";
import type { Reading } from "../../contract/reading.ts";
import type { Fleet } from "../../contract/step.ts";
import { check, unread } from "./check.ts";
import type { PreflightDesired } from "./desired.ts";
import type { PreflightFacts } from "./facts.ts";
import { showMilliseconds } from "./milliseconds.ts";

/**
 * The way from a member or a proxy to each other member; the fastest of some counts, which no busy host makes longer
 * than the network is. A write takes two round trips between members (to the leader, and from it to the majority), so
 * 50 ms make it 100 at least. A member whose host meshctl reaches and this one does not is behind a firewall: that
 * proves nothing. One that is down altogether has its own failure.
 */
export function roundTripReadings(
  { members, clientPort, roundTripMaxMs }: PreflightDesired,
  { roundTrips }: PreflightFacts,
  fleet: Fleet<unknown, unknown>,
): readonly Reading[] {
  if (members.length === 0) return [];
  const ways = members.map(({ host, address }) => {
    const { microseconds = [], failure = "nothing was measured" } = roundTrips.get(address) ?? {};
    const ms = microseconds.length === 0 || failure !== "" ? undefined : Math.min(...microseconds) / 1000;
    return { host, address, ms, failure: failure || "no answer within 2 s" };
  });
  const row = { setting: "latency to the ensemble", want: `at most ${roundTripMaxMs} ms a round trip` };
  const [farthest] = ways
    .flatMap(({ ms, ...way }) => (ms === undefined ? [] : [{ ...way, ms }]))
    .sort((a, b) => b.ms - a.ms);
  const source = connectQuestion((farthest ?? ways[0]!).address, clientPort);
  if (farthest !== undefined && farthest.ms > roundTripMaxMs) {
    return [check({ ...row, found: show(farthest), source, fine: false, because: tooFar(farthest) })];
  }
  const silent = ways.filter(({ ms }) => ms === undefined);
  const [cutOff] = silent.filter(({ host }) => farthest === undefined || fleet.get(host)?.is === "seen");
  if (farthest === undefined || cutOff !== undefined) {
    const { host, address, failure } = cutOff ?? silent[0]!;
    const because = `${host} does not answer a connect from here to ${address}:${clientPort} (${failure}): let firewalls pass it, or see whether ${host} is up`;
    return [unread({ ...row, source: connectQuestion(address, clientPort), because })];
  }
  return [
    check({
      ...row,
      found: `${show(farthest)}${ways.length - silent.length > 1 ? ", the farthest" : ""}`,
      source,
      fine: true,
      warning:
        silent.length === 0
          ? undefined
          : `the way to ${silent.map(({ host }) => host).join(", ")} could not be measured`,
    }),
  ];

  function tooFar(way: { host: HostName; ms: number }): string {
    return `a round trip takes ${show(way)}, and every write of ZooKeeper takes several: put them closer together, or raise preflight.round_trip_max and zookeeper.tick_time with it`;
  }
}

function show({ host, ms }: { readonly host: HostName; readonly ms: number }): string {
  return `${showMilliseconds(ms)} to ${host}`;
}

function connectQuestion(address: string, port: number): string {
  return `bash -c 'time : <>/dev/tcp/${address}/${port}' 2>&1`;
}
