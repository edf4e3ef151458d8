import type { Layer, Reading } from "../../contract/reading.ts";
import type { Step } from "../../contract/step.ts";
import { AS_NEXT_SAYS } from "../../waves.ts";
import { changesOf } from "./changes.ts";
import { desired, problems, type ZookeeperDesired } from "./desired.ts";
import type { ZookeeperFacts } from "./facts.ts";
import { lookAtMember } from "./look.ts";
import { shownId } from "./member.ts";
import { type ZookeeperParameters, zookeeperParameters } from "./parameters.ts";
import { readingsOf } from "./readings.ts";
import { memberFiles, myidPath, UNIT, UNIT_FILE, ZOO_CFG } from "./render.ts";
import { firstIds, rosterOf, serversFor } from "./roster.ts";
import { service, vitals } from "./service.ts";
import { viewOf } from "./view.ts";
import { next } from "./waves.ts";

/** What a JVM takes beside its heap: code, threads, collector, direct buffers. */
const OVERHEAD_BYTES = 256 * 2 ** 20;

/** The ensemble: one unit, one zoo.cfg and one id a member, and a quorum that is never lost on the way. */
export const zookeeper: Step<ZookeeperParameters, ZookeeperDesired, ZookeeperFacts> = {
  name: "zookeeper",
  title: "ZooKeeper ensemble",
  parameters: zookeeperParameters,
  problems,
  desired,

  owns: { paths: [ZOO_CFG, UNIT_FILE, "/var/lib/zookeeper/"], units: [UNIT] },

  claims({ address, ports, members, heapBytes }) {
    const port = (number: number, what: string) => ({
      port: number,
      address,
      process: "java",
      what: `ZooKeeper's ${what} port`,
    });
    const peers = [port(ports.quorumPort, "quorum"), port(ports.electionPort, "election")];
    return {
      packages: ["zookeeper"],
      ports: [port(ports.clientPort, "client"), ...(members.length > 1 ? peers : [])],
      memory: [{ bytes: heapBytes + OVERHEAD_BYTES, what: "ZooKeeper's heap and what Java needs beside it" }],
    };
  },

  files({ name, desired }) {
    const ids = firstIds(desired);
    const { myid, zooCfg, unit } = memberFiles(desired, serversFor(desired, ids), ids.get(name)!);
    const unstated = desired.members.filter(({ id }) => id === undefined).map(({ host }) => host);
    const assumed = `The inventory states no id for ${unstated.join(", ")}: those who have one keep it, and a new member takes the lowest that is free.`;
    const notes = unstated.length === 0 ? [] : [assumed];
    return [{ ...myid, notes }, { ...zooCfg, notes }, unit];
  },

  look: lookAtMember,

  assess(self, fleet) {
    const roster = rosterOf(self.desired, fleet);
    if (roster.is === "unknown") return { readings: [withoutId(self, roster.because)], changes: [] };
    const view = viewOf(self, roster.ids, fleet);
    return { readings: readingsOf(view, fleet), changes: changesOf(view) };
  },

  needs: "all",
  next,
  serial: AS_NEXT_SAYS,
  service,
  vitals,
  // A member loads its data before it serves; initLimit × tickTime bounds what follows.
  settle: { deadlineMs: 90_000, stableMs: 2_000 },
};

/** Without the members' ids there is no zoo.cfg to compare with. */
function withoutId(
  { desired, facts }: { desired: ZookeeperDesired; facts: ZookeeperFacts },
  because: string,
): Reading {
  const source = myidPath(desired);
  const found = shownId(facts);
  const unread = facts.unread.get("myid");
  const onDisk: Layer = found === undefined ? { is: "absent", source } : { is: "read", value: found, source };
  return {
    setting: "myid",
    want: "1–255",
    onDisk: unread === undefined ? onDisk : { is: "unreadable", source, because: unread },
    inForce: { is: "inapplicable" },
    blocked: unread === undefined ? because : undefined,
  };
}
