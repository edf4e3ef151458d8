import { hasMajority, quorumOf } from "../steps/zookeeper/ensemble.ts";
import { SHOWN, serves } from "../steps/zookeeper/member.ts";
import type { EnsembleStatus } from "./mesh-status.ts";
import type { MeshView } from "./mesh-view.ts";

/** Every member whatever `--limit` says: a quorum is the whole ensemble's. */
export function ensembleStatus({ zookeeper, unseen }: MeshView): EnsembleStatus | undefined {
  const [first] = zookeeper.values();
  if (first === undefined) return undefined;
  const quorum = quorumOf(first.desired, zookeeper);
  const members = [...quorum.states].map(([host, state]) => {
    if (state !== "unseen") return { host, role: SHOWN[state], serves: serves(state) };
    const member = zookeeper.get(host);
    const because = member?.is === "unseen" ? member.because : "no play gives it ZooKeeper";
    return { host, role: unseen.has(host) ? "unreachable" : "unread", serves: false, because };
  });
  const serving = members.filter((member) => member.serves).length;
  return {
    members,
    serving,
    majority: quorum.majority,
    hasQuorum: quorum.members === 1 ? serving === 1 : hasMajority(quorum),
    synced: quorum.synced,
  };
}
