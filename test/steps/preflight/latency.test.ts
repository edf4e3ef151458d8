import { describe, expect, it } from "vitest";
import { zookeeperQuestion } from "../../../src/evidence/by-hand.ts";
import type { Flush } from "../../../src/steps/preflight/facts.ts";
import { rowsOf, type World } from "./world.ts";

describe("the disk's latency", () => {
  const row = (flush: Flush | undefined, parameters = {}) =>
    rowsOf({ facts: { flush }, parameters }).get("disk latency");
  const told = (meanMs: number): Flush => ({ from: "zookeeper", at: "10.0.0.1:2181", count: 4711, meanMs });
  const measured = (...milliseconds: number[]): Flush => ({
    from: "measured",
    directory: "/var/lib",
    milliseconds,
  });
  const counted = (totalMs: number): Flush => ({ from: "kernel", file: "/x", count: 100, totalMs });

  it.each<[string, Flush | undefined, string]>([
    ["as ZooKeeper tells it", told(50), "proven"],
    ["too high, as ZooKeeper tells it", told(50.1), "blocked"],
    ["as measured, with one that was held up", measured(1, 900, 2), "proven"],
    ["too high, as measured", measured(40, 60, 70), "blocked"],
    ["as the kernel counts it", counted(5000), "proven"],
    ["too high, as the kernel counts it", counted(5100), "blocked"],
    ["not to be had", { from: "unread", directory: "/srv", because: "Operation not supported" }, "unknown"],
    ["not even tried", undefined, "unknown"],
  ])("%s", (_, flush, verdict) => {
    expect(row(flush)?.verdict).toBe(verdict);
  });

  it("is told with how it was come by, and what to do", () => {
    expect(row(told(120))).toMatchObject({
      inForce: {
        value: "120 ms, the mean of the 4711 that ZooKeeper made",
        source: zookeeperQuestion("10.0.0.1:2181", "mntr"),
      },
      because:
        "a flush takes 120 ms, the mean of the 4711 that ZooKeeper made, and ZooKeeper waits for one at every write: give it a faster disk (zookeeper.data_dir, or data_log_dir for its log alone), or raise preflight.flush_latency_max and live with slow writes",
    });
    expect(row(measured(0.312, 7.42, 900))?.inForce).toMatchObject({
      value: "7.4 ms, the median of 3 writes (at most 900 ms)",
    });
    expect(row({ from: "unread", directory: "/srv", because: "Read-only file system" })?.because).toMatch(
      /could not be measured in \/srv \(Read-only file system\)/,
    );
  });

  it("is no more exact than ZooKeeper counts", () => {
    expect(row(told(0))?.inForce).toMatchObject({
      value: "under 1 ms, the mean of the 4711 that ZooKeeper made",
    });
  });

  it("has the limit that the playbook says", () => {
    expect(row(told(80), { flush_latency_max: "100ms" })?.verdict).toBe("proven");
    expect(row(told(0.2), { flush_latency_max: "0ms" })?.verdict).toBe("blocked");
  });

  it("is no business of other hosts", () => {
    expect(rowsOf({ name: "db-01" }).has("disk latency")).toBe(false);
  });
});

describe("the way to the ensemble", () => {
  const answered = (...microseconds: number[]) => ({ microseconds, failure: "" });
  const row = (
    roundTrips: Record<string, { microseconds: readonly number[]; failure: string }>,
    world: World = {},
  ) =>
    rowsOf({
      peers: { "kvm-02": [0, 10], "kvm-03": [0, 10] },
      ...world,
      facts: { roundTrips: new Map(Object.entries(roundTrips)) },
    }).get("latency to the ensemble");
  const near = answered(20_000, 400, 300);
  const filtered = answered();

  it.each<[string, Parameters<typeof row>, string]>([
    ["short to both", [{ "10.0.0.2": near, "10.0.0.3": near }], "proven"],
    ["long to one", [{ "10.0.0.2": near, "10.0.0.3": answered(51_000, 92_000, 50_100) }], "blocked"],
    ["as long as it may be", [{ "10.0.0.2": near, "10.0.0.3": answered(50_000, 50_000, 50_000) }], "proven"],
    ["filtered to a host that is up", [{ "10.0.0.2": near, "10.0.0.3": filtered }], "unknown"],
    ["never measured", [{}], "unknown"],
    [
      "not there to a host that is down",
      [{ "10.0.0.2": near, "10.0.0.3": filtered }, { peers: { "kvm-02": [0, 10], "kvm-03": undefined } }],
      "proven",
    ],
    [
      "not there to any",
      [
        { "10.0.0.2": filtered, "10.0.0.3": filtered },
        { peers: { "kvm-02": undefined, "kvm-03": undefined } },
      ],
      "unknown",
    ],
    [
      "long although another host is down",
      [
        { "10.0.0.2": answered(90_000), "10.0.0.3": filtered },
        { peers: { "kvm-02": [0, 10], "kvm-03": undefined } },
      ],
      "blocked",
    ],
  ])("is %s", (_, [roundTrips, world], verdict) => {
    expect(row(roundTrips, world)?.verdict).toBe(verdict);
  });

  it("is told with the farthest member, and what to do", () => {
    expect(row({ "10.0.0.2": near, "10.0.0.3": answered(250_000, 112_400, 130_000) })).toMatchObject({
      inForce: { value: "112 ms to kvm-03", source: "bash -c 'time : <>/dev/tcp/10.0.0.3/2181' 2>&1" },
      because: expect.stringMatching(/^a round trip takes 112 ms to kvm-03, .*preflight\.round_trip_max/),
    });
    expect(row({ "10.0.0.2": near, "10.0.0.3": answered(500) })?.inForce).toMatchObject({
      value: "0.5 ms to kvm-03, the farthest",
    });
  });

  it("names the member that a firewall hides, and the one that is down", () => {
    const noRoute = { microseconds: [91], failure: "No route to host" };
    expect(row({ "10.0.0.2": near, "10.0.0.3": noRoute })?.because).toMatch(
      /^kvm-03 does not answer .* 10\.0\.0\.3:2181 \(No route to host\)/,
    );
    const down = { peers: { "kvm-02": [0, 10], "kvm-03": undefined } } as const;
    expect(row({ "10.0.0.2": near, "10.0.0.3": noRoute }, down)?.warning).toBe(
      "the way to kvm-03 could not be measured",
    );
  });

  it("has the limit that the playbook says", () => {
    const far = { "10.0.0.2": answered(80_000), "10.0.0.3": near };
    expect(row(far, { parameters: { round_trip_max: "100ms" } })?.verdict).toBe("proven");
  });

  it("is no business of hosts that are neither members nor proxies", () => {
    expect(rowsOf({ name: "db-01" }).has("latency to the ensemble")).toBe(false);
  });
});
