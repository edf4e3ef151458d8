import type { WantedFile } from "../../contract/change.ts";
import type { HostFacts } from "../../contract/host.ts";
import type { HostName } from "../../contract/inventory-view.ts";
import type { Reading } from "../../contract/reading.ts";
import type { Refusal } from "../../daemon/access.ts";
import { otherStart } from "../../daemon/other-start.ts";
import { isBelow } from "../../daemon/place.ts";
import { familyOf } from "../../daemon/reach.ts";
import { bootRow, isEnabled, nextStartRow } from "../../daemon/rows.ts";
import { accessRow, placeRow } from "../../daemon/surroundings-rows.ts";
import { assessFile, type FileAssessment, type FileFact, sha256Of } from "../../evidence/file.ts";
import { revealContent } from "../../secret.ts";
import type { ZookeeperDesired } from "./desired.ts";
import { membershipConflict, membersUnread, type Quorum, quorumOf, versionConflict } from "./ensemble.ts";
import type { ZookeeperFacts } from "./facts.ts";
import { dataIn, holdsData, idOnDisk, type State, stateOf, whyUndecided } from "./member.ts";
import { obstaclesOf } from "./obstacles.ts";
import type { Servers } from "./properties.ts";
import { argvOf, memberFiles, myidPath, STARTED, UNIT_FILE, ZOO_CFG } from "./render.ts";
import { seenMember, serversFor, type ZookeeperFleet } from "./roster.ts";

/** Everything that rows and changes of one member are made of. */
export interface MemberView {
  readonly name: HostName;
  readonly desired: ZookeeperDesired;
  readonly facts: ZookeeperFacts;
  readonly host: HostFacts;
  readonly id: number;
  readonly servers: Servers;
  readonly zooCfg: FileAssessment & { readonly sha256: string };
  readonly unit: FileAssessment & { readonly sha256: string };
  readonly atBoot: Reading;
  readonly nextStart: Reading;
  readonly state: State;
  readonly quorum: Quorum;
  /** Why it is not known which members the ensemble has. */
  readonly membersUnread: string | undefined;
  /** Sentences that say why nothing may be changed, by the row they stand in. */
  readonly blocked: Readonly<Record<BlockedRow, string | undefined>>;
  readonly needs: Needs;
  /** What its unit needs around it. */
  readonly surroundings: readonly Reading[];
  /** The change that brings what is wrong into force; undefined when nothing is wrong or nothing may be done. */
  readonly closing: ChangeId | undefined;
  /** Whether systemd is to read the unit's files first: what would start is known only when it has. */
  readonly daemonReload: boolean;
}

type BlockedRow =
  | "surroundings"
  | "atBoot"
  | "nextStart"
  | "package"
  | "zooCfg"
  | "unit"
  | "members"
  | "dataDir"
  | "myid"
  | "ports";
export type ChangeId = "packages" | "configuration" | "start" | "restart" | "enable";

interface Needs {
  readonly package: boolean;
  readonly initialise: boolean;
  readonly myid: boolean;
  readonly files: boolean;
  readonly start: boolean;
  readonly restart: boolean;
  readonly enable: boolean;
}

/** What Java takes beside the heap, at the least. */
const OUTSIDE_HEAP_BYTES = 128 * 2 ** 20;
/** Java's own threads and ZooKeeper's. */
const LEAST_TASKS = 100;

export function viewOf(
  self: { name: HostName; desired: ZookeeperDesired; facts: ZookeeperFacts; host: HostFacts },
  ids: ReadonlyMap<HostName, number>,
  fleet: ZookeeperFleet,
): MemberView {
  const { name, desired, facts, host } = self;
  const id = ids.get(name)!;
  const servers = serversFor(desired, ids);
  const wanted = memberFiles(desired, servers, id);
  const assessed = (fact: FileFact, file: WantedFile) => ({
    ...assessFile(fact, file, host.manifest, desired.adopt),
    sha256: sha256Of(revealContent(file.content)),
  });
  const zooCfg = assessed(facts.zooCfg, wanted.zooCfg);
  const unit = assessed(facts.unitFile, wanted.unit);
  const { clientPort, quorumPort, electionPort } = desired.ports;
  const atBoot = bootRow(facts.unit, "starts at boot", {
    ports: [clientPort, quorumPort, electionPort],
    kind: "registry",
  });
  const family = familyOf(desired.members.map(({ address }) => address));
  const nextStart = nextStartRow(facts.unit, {
    memoryBytes: desired.heapBytes + OUTSIDE_HEAP_BYTES,
    tasks: LEAST_TASKS,
    own: [UNIT_FILE],
    reach: {
      doors: [clientPort, quorumPort, electionPort].map((port) => ({ port, isLocal: false, family })),
      peers: desired.members.flatMap(({ address }) => (address === desired.address ? [] : [address])),
    },
    runs: unit.agrees ? [{ key: "ExecStartPre", program: STARTED }] : [],
  });
  const obstacles = obstaclesOf(desired, facts, host, id);
  const surroundings = surroundingRows(desired, facts, { zooCfg, unit });
  const blocked = {
    atBoot: atBoot.blocked,
    nextStart: nextStart.blocked,
    surroundings: surroundings.find((row) => row.blocked !== undefined)?.blocked,
    package: versionConflict(desired, fleet),
    zooCfg: zooCfg.blocked,
    unit: facts.unread.has("unit file")
      ? undefined
      : (unit.blocked ?? otherStart(facts.unit, facts.unitFile.content)),
    members: membershipConflict(desired, servers, fleet),
    ...obstacles,
  };

  const data = dataIn(facts, desired.dataDir);
  const initialise = data === "none" || data === "lost" || (data === "new" && facts.process === undefined);
  const isOther = idOnDisk(facts) !== id;
  const myid = isOther || facts.closedMyid !== undefined;
  const files = !zooCfg.agrees || !unit.agrees || myid || data === "none" || data === "lost";
  const isCurrent = !isOther && runsAsWanted(desired, facts, zooCfg.sha256, unit.sha256);
  const needs: Needs = {
    package: !host.packages.has("zookeeper"),
    initialise,
    myid,
    files,
    start: facts.process === undefined,
    restart: facts.process !== undefined && !isCurrent,
    enable: !isEnabled(facts.unit),
  };
  const isBlocked = Object.values(blocked).some((because) => because !== undefined);
  const unread = membersUnread(fleet);
  const isUndecided =
    unread !== undefined ||
    whyUndecided(facts) !== undefined ||
    [atBoot, nextStart, ...surroundings].some(({ onDisk }) => onDisk.is === "unreadable");
  const closing = isBlocked || isUndecided ? undefined : closingChange(needs);
  const quorum = quorumOf(desired, fleet);
  const state = stateOf(facts);
  return {
    name,
    desired,
    facts,
    host,
    id,
    servers,
    zooCfg,
    unit,
    atBoot,
    nextStart,
    state,
    quorum,
    membersUnread: unread,
    blocked,
    needs,
    surroundings,
    closing,
    daemonReload: !isBlocked && facts.unitFile.kind === "regular" && facts.unit.needDaemonReload,
  };
}

function surroundingRows(
  { dataDir, dataLogDir }: ZookeeperDesired,
  facts: ZookeeperFacts,
  { zooCfg, unit }: Pick<MemberView, "zooCfg" | "unit">,
): readonly Reading[] {
  if (facts.surroundings === undefined) return [];
  const isOpened = (path: string) =>
    [dataDir, dataLogDir].some((own) => own !== undefined && isBelow(path, own));
  const mended = (path: string, { isBySystem = false }: Refusal) =>
    (path === facts.zooCfg.realPath && !zooCfg.agrees) ||
    (path === facts.myid.realPath && facts.closedMyid !== undefined) ||
    // The unit of before opens the directories of before.
    (isBySystem && !unit.agrees && isOpened(path))
      ? "configuration"
      : undefined;
  return [
    accessRow(facts.surroundings, facts.unit.startedAt, mended),
    placeRow(facts.surroundings, "data directory", facts.unit),
  ];
}

function closingChange(needs: Needs): ChangeId | undefined {
  if (needs.package || needs.files) return "configuration";
  if (needs.start) return "start";
  if (needs.restart) return "restart";
  return needs.enable ? "enable" : undefined;
}

/** Whether the process is the one that a start now would give. Nothing here looks at times. */
function runsAsWanted(
  desired: ZookeeperDesired,
  facts: ZookeeperFacts,
  zooCfg: string,
  unit: string,
): boolean {
  const { process, started } = facts;
  if (process === undefined || started === undefined) return false;
  const wanted = argvOf(desired);
  return (
    started.digests.get(ZOO_CFG) === zooCfg &&
    started.digests.get(UNIT_FILE) === unit &&
    started.digests.get(myidPath(desired)) === facts.myid.sha256 &&
    process.argv.length === wanted.length &&
    process.argv.every((argument, index) => argument === wanted[index]) &&
    !process.jars.some((jar) => jar.endsWith(" (deleted)"))
  );
}

/**
 * Members that serve once this one has been started, as far as the same wave can bring them there: those that run,
 * and those that start with it (`next` starts members with data before empty ones).
 */
export function companionsOf({ name, desired, facts, quorum }: MemberView, fleet: ZookeeperFleet): number {
  return desired.members.filter(({ host }) => {
    if (host === name) return false;
    const seen = seenMember(fleet, host);
    if (seen === undefined) return false;
    return quorum.states.get(host) !== "stopped" || holdsData(seen.facts) === holdsData(facts);
  }).length;
}
