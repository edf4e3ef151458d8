import { describe, expect, it } from "vitest";
import { vitals } from "../../../src/steps/zookeeper/service.ts";
import { desiredFor, factsOf, LATE, member } from "./world.ts";

const NAMES = ["zk-1", "zk-2", "zk-3"];
const IDS = { "zk-1": 1, "zk-2": 2, "zk-3": 3 };
const want = desiredFor(NAMES, "zk-1");

function told(role: Parameters<typeof member>[3] | "stopped") {
  if (role !== "stopped") return vitals(want, factsOf(member(want, "zk-1", IDS, role)));
  const { runs: _, ...stopped } = member(want, "zk-1", IDS, "follower");
  return vitals(want, factsOf(stopped));
}

describe("what a member tells of the mesh's health", () => {
  it.each([
    ["leader", { is: "well" }],
    ["follower", { is: "well" }],
    ["looking", { is: "bad", because: "does not serve: looking for a quorum" }],
    ["stopped", { is: "bad", because: "does not serve: stopped" }],
  ] as const)("as a %s is whether it serves", (role, expected) => {
    expect(told(role)).toEqual({
      is: "read",
      of: new Map([["the ensemble's member", expected]]),
      shownAfterMs: 0,
    });
  });

  it("is why it was not read", () => {
    expect(told("silent")).toEqual({ is: "unread", because: `srvr: ${LATE}` });
  });
});
