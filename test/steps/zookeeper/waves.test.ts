import { describe, expect, it } from "vitest";
import { zookeeper } from "../../../src/steps/zookeeper/index.ts";
import { DATA, desiredFor, fleetOf, type HostModel, member, type World } from "./world.ts";

const FIVE = ["zk-1", "zk-2", "zk-3", "zk-4", "zk-5"];
const THREE = FIVE.slice(0, 3);
/** What those that run must restart for. */
const NEW_HEAP = { heap: "2G" };
type State = "leader" | "follower" | "looking" | "silent" | "stopped" | "empty" | "blank" | "bare" | "unseen";

/** A fleet of members by what they do; "empty", "blank" and "bare" ones hold no data. */
function worldOf(states: readonly State[]): World {
  const members = FIVE.slice(0, states.length);
  const ids = Object.fromEntries(members.map((name, index) => [name, index + 1]));
  const model = (name: string, state: State): HostModel | "unseen" => {
    if (state === "unseen") return "unseen";
    if (state === "bare") return {};
    if (state === "leader" || state === "follower" || state === "looking" || state === "silent") {
      return member(desiredFor(members, name), name, ids, state);
    }
    const { runs: _, ...stopped } = member(desiredFor(members, name), name, ids, "follower");
    const data = state === "empty" ? "new" : state === "blank" ? "blank" : "holds";
    return { ...stopped, data: { [DATA]: data } };
  };
  return Object.fromEntries(members.map((name, index) => [name, model(name, states[index]!)]));
}

function next(waiting: readonly string[], states: readonly State[]) {
  return zookeeper.next(waiting, fleetOf(FIVE.slice(0, states.length), worldOf(states), NEW_HEAP));
}

describe("who may change next", () => {
  it.each<[string, readonly string[], readonly State[], readonly string[]]>([
    ["installs everywhere at once", THREE, ["bare", "bare", "bare"], THREE],
    ["installs before it starts anybody", THREE, ["empty", "bare", "empty"], ["zk-2"]],
    ["starts all of an ensemble that is new", THREE, ["empty", "empty", "empty"], THREE],
    ["starts a new ensemble again after a run that was cut off", THREE, ["blank", "empty", "blank"], THREE],
    ["starts all when none serves", THREE, ["stopped", "stopped", "stopped"], THREE],
    [
      "starts members with data although one cannot be seen",
      ["zk-1", "zk-2"],
      ["stopped", "stopped", "unseen"],
      ["zk-1", "zk-2"],
    ],
    ["starts members with data before empty ones", THREE, ["empty", "stopped", "stopped"], ["zk-2", "zk-3"]],
    [
      "starts what does not serve before it restarts what does",
      THREE,
      ["follower", "leader", "stopped"],
      ["zk-3"],
    ],
    ["starts what hangs", ["zk-1"], ["silent", "leader", "follower"], ["zk-1"]],
    ["lets an empty member join a majority", ["zk-1"], ["empty", "leader", "follower"], ["zk-1"]],
    ["restarts one follower at a time", THREE, ["follower", "leader", "follower"], ["zk-1"]],
    ["restarts the leader last", ["zk-2", "zk-3"], ["follower", "leader", "follower"], ["zk-3"]],
    ["restarts the leader when it alone is left", ["zk-2"], ["follower", "leader", "follower"], ["zk-2"]],
    [
      "restarts a follower of five with one member down",
      ["zk-1"],
      ["follower", "leader", "follower", "follower", "unseen"],
      ["zk-1"],
    ],
    [
      "restarts a lone pair's follower: no majority could ever survive",
      ["zk-1", "zk-2"],
      ["leader", "follower"],
      ["zk-2"],
    ],
  ])("%s", (_, waiting, states, wave) => {
    expect(next(waiting, states)).toEqual(wave);
  });

  it.each<[string, readonly string[], readonly State[], string]>([
    [
      "a restart while another member is down",
      ["zk-1"],
      ["follower", "leader", "stopped"],
      "restarting zk-1 would end the quorum",
    ],
    [
      "a restart while another member cannot be seen",
      ["zk-1"],
      ["follower", "leader", "unseen"],
      "zk-3 unseen",
    ],
    ["a restart beside two leaders", ["zk-1"], ["follower", "leader", "leader"], "would end the quorum"],
    [
      "empty members while one holds data and is down",
      ["zk-1", "zk-2"],
      ["empty", "empty", "stopped"],
      "zk-3 holds data and no majority serves",
    ],
    [
      "empty members while one cannot be seen",
      ["zk-1", "zk-2"],
      ["empty", "empty", "unseen"],
      "zk-3 cannot be seen and may hold data",
    ],
    ["an empty member beside a lone survivor", ["zk-1"], ["empty", "looking", "unseen"], "cannot be seen"],
  ])("holds %s", (_, waiting, states, because) => {
    expect(next(waiting, states)).toEqual({ hold: expect.stringContaining(because) });
  });

  it("restarts those that do not answer one by one: they may serve after all", () => {
    expect(next(THREE, ["silent", "silent", "follower"])).toEqual(["zk-1"]);
  });

  it("takes a server that others started on another port for one that serves", () => {
    const world = worldOf(["stopped", "leader", "follower"]);
    const { answers: _, startedWith: __, ...elsewhere } = (world["zk-3"] as HostModel).runs!;
    const foreign: World = { ...world, "zk-3": { ...(world["zk-3"] as HostModel), runs: elsewhere } };
    expect(zookeeper.next(["zk-3"], fleetOf(THREE, foreign, NEW_HEAP))).toEqual({
      hold: expect.stringContaining("restarting zk-3"),
    });
  });

  it("enables at boot without asking for a majority", () => {
    const world = worldOf(["follower", "leader", "stopped"]);
    const disabled: World = { ...world, "zk-1": { ...(world["zk-1"] as HostModel), enabled: "disabled" } };
    expect(zookeeper.next(["zk-1"], fleetOf(THREE, disabled))).toEqual(["zk-1"]);
  });

  it("counts a follower that serves but lags as none", () => {
    const world = worldOf(["follower", "leader", "follower"]);
    const leader = world["zk-2"] as HostModel;
    const answers = { ...leader.runs?.answers, mntr: "zk_server_state\tleader\nzk_synced_followers\t1" };
    const lagging: World = { ...world, "zk-2": { ...leader, runs: { ...leader.runs, answers } } };
    expect(zookeeper.next(["zk-1"], fleetOf(THREE, lagging, NEW_HEAP))).toEqual({
      hold: expect.stringContaining("zk-1"),
    });
  });

  it("takes a server that hides its role for one that serves", () => {
    const world = worldOf(["stopped", "leader", "follower"]);
    const mute = world["zk-3"] as HostModel;
    const answers = { srvr: "srvr is not executed because it is not in the whitelist." };
    const secretive: World = { ...world, "zk-3": { ...mute, runs: { ...mute.runs, answers } } };
    expect(zookeeper.next(["zk-3"], fleetOf(THREE, secretive, NEW_HEAP))).toHaveProperty("hold");
  });
});
