import { onceEach } from "../../once-each.ts";
import type { DataFact, ZookeeperFacts } from "./facts.ts";
import { type Properties, parseProperties, type Servers, serversOf, withDynamic } from "./properties.ts";

/**
 * What a member does. "looking": runs, serves nobody for want of a quorum. "silent": runs, does not answer.
 * "secretive": hides its role, by its whitelist or by a port that we do not know; it has to be taken for one that
 * serves.
 */
export type State =
  | "leader"
  | "follower"
  | "observer"
  | "standalone"
  | "looking"
  | "silent"
  | "secretive"
  | "stopped";

/** As a person reads it. */
export const SHOWN: Readonly<Record<State | "unseen", string>> = {
  leader: "leader",
  follower: "follower",
  observer: "observer",
  standalone: "standalone",
  looking: "looking for a quorum",
  silent: "no answer",
  secretive: "hides its role",
  stopped: "stopped",
  unseen: "unseen",
};

export function stateOf(facts: ZookeeperFacts): State {
  if (facts.process === undefined) return "stopped";
  // Ours opens the port that we ask at; what others started may listen anywhere.
  if (facts.asked === undefined) return facts.started === undefined ? "secretive" : "silent";
  const words = ["srvr", "mntr"].map((word) => facts.asked?.answers.get(word) ?? "");
  for (const text of words) {
    const [, mode] = /^(?:Mode: |zk_server_state\s+)(\S+)/m.exec(text) ?? [];
    if (mode === "leader" || mode === "follower" || mode === "observer" || mode === "standalone") return mode;
    if (mode !== undefined) return "looking"; // "read-only"
  }
  if (words.some((text) => text.includes("not currently serving"))) return "looking";
  return words.some((text) => text.includes("whitelist")) ? "secretive" : "silent";
}

/** Why it is not known what a member does that runs; undefined when it is. */
export function whyRoleUnread(facts: ZookeeperFacts): string | undefined {
  if (stateOf(facts) !== "silent") return undefined;
  return whyUnanswered(facts, "srvr") ?? whyUnanswered(facts, "mntr");
}

/** Why a word was not answered whole; undefined when it was, or nobody was asked. */
export function whyUnanswered({ asked }: Pick<ZookeeperFacts, "asked">, word: string): string | undefined {
  const because = asked?.failures.get(word);
  return because === undefined ? undefined : `${word}: ${because}`;
}

/**
 * Why it is not known with which members and directories the process runs; undefined when it is, and when none runs. Where
 * `conf` tells nothing, the zoo.cfg that it started with does.
 */
export function whyRunningUnread(facts: ZookeeperFacts): string | undefined {
  return facts.process === undefined || runsItsZooCfg(facts) ? undefined : whyUnanswered(facts, "conf");
}

/** Why nobody may go by what was read of the member, as one phrase: a part of it was not read whole. */
export function whyUndecided(facts: ZookeeperFacts): string | undefined {
  const [unread] = facts.unread;
  return unread === undefined ? whyRunningUnread(facts) : `${unread[0]}: ${unread[1]}`;
}

export function serves(state: State): boolean {
  return !["stopped", "silent", "looking"].includes(state);
}

/** As the leader counts them; undefined for others. */
export function syncedFollowersOf(facts: ZookeeperFacts): number | undefined {
  const [, count] = /^zk_synced_followers\s+(\d+)/m.exec(facts.asked?.answers.get("mntr") ?? "") ?? [];
  return count === undefined ? undefined : Number(count);
}

/** zoo.cfg as it is on disk, with the members that it leaves to another file. */
export const configurationOf = onceEach(
  (facts: ZookeeperFacts): Properties =>
    withDynamic(parseProperties(facts.zooCfg.content ?? ""), facts.dynamic),
);

/** What the server says of itself, once it serves. */
export function liveConfigurationOf({ asked }: Pick<ZookeeperFacts, "asked">): Properties | undefined {
  return asked === undefined ? undefined : configurationTold(asked.answers);
}

const configurationTold = onceEach((answers: ReadonlyMap<string, string>): Properties | undefined => {
  const text = answers.get("conf") ?? "";
  return /^clientPort=/m.test(text) ? parseProperties(text) : undefined;
});

/** Whether the process started with the zoo.cfg that is on disk now. */
export function runsItsZooCfg(facts: ZookeeperFacts): boolean {
  return facts.zooCfg.sha256 !== "" && facts.started?.digests.get(facts.zooCfg.path) === facts.zooCfg.sha256;
}

/** Members as the process knows them; only ≥ 3.5 tells, and then the file stands for what runs. */
export function serversInUse(facts: ZookeeperFacts): Servers {
  const live = liveConfigurationOf(facts);
  return serversOf(live?.has("membership") ? live : configurationOf(facts));
}

/** Directories that the server names: of its data first, then of its logs. */
export function liveDirectories(facts: Pick<ZookeeperFacts, "asked">): readonly string[] {
  const live = liveConfigurationOf(facts);
  return ["dataDir", "dataLogDir"].flatMap((key) => {
    const directory = live?.get(key)?.value.replace(/\/version-2\/?$/, "");
    return directory === undefined ? [] : [directory];
  });
}

/** The directory that the process or, when none runs, the next start uses; undefined when zoo.cfg says nothing. */
export function dataDirectoryInUse(facts: ZookeeperFacts): string | undefined {
  const live = liveConfigurationOf(facts)?.has("dataDir") ? liveDirectories(facts)[0] : undefined;
  return live ?? configurationOf(facts).get("dataDir")?.value;
}

/** The same of transaction logs, which lie in the data directory where nothing else is said. */
export function logDirectoryInUse(facts: ZookeeperFacts): string | undefined {
  const live = liveConfigurationOf(facts)?.has("dataLogDir") ? liveDirectories(facts)[1] : undefined;
  return live ?? configurationOf(facts).get("dataLogDir")?.value ?? dataDirectoryInUse(facts);
}

export function hasLogsIn(facts: ZookeeperFacts, directory: string): boolean {
  return facts.data.some((data) => data.directory === directory && data.hasLogs);
}

export function dataIn(facts: ZookeeperFacts, directory: string): DataFact["is"] {
  return facts.data.find((data) => data.directory === directory)?.is ?? "none";
}

/** Whether any of its directories holds what a quorum has agreed on. */
export function holdsData(facts: ZookeeperFacts): boolean {
  return facts.data.some(({ is }) => is === "holds");
}

/**
 * What myid holds, as it may be shown: ZooKeeper's user can make it anything, and what it leads to may be no business of
 * anybody's. Undefined when there is none.
 */
export function shownId(facts: ZookeeperFacts): string | undefined {
  const { kind, content } = facts.myid;
  if (kind === "absent") return undefined;
  const id = idOnDisk(facts);
  if (id !== undefined) return String(id);
  if (content?.startsWith(PROSE)) return `${PROSE} …`;
  return kind === "regular" ? "no number" : `no number, ${kind}`;
}

/** How what Debian ships as myid begins. */
const PROSE = "replace this text";

/** The number in myid; undefined for a missing file and for the prose that Debian ships. */
export function idOnDisk(facts: ZookeeperFacts): number | undefined {
  const text = facts.myid.content?.trim() ?? "";
  return /^\d{1,3}$/.test(text) ? Number(text) : undefined;
}
