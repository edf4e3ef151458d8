import { lookAtSurroundings, type SurroundingsFacts } from "../../daemon/look-at-surroundings.ts";
import { lookAtUnit } from "../../daemon/look-at-units.ts";
import { withoutNote } from "../../daemon/lost-note.ts";
import { sha256Of } from "../../evidence/file.ts";
import { readFileFact } from "../../evidence/read-file.ts";
import { type Answer, NotRead } from "../../reader/answer.ts";
import type { Reader } from "../../reader/reader.ts";
import { type DataReading, lookAtData } from "./data.ts";
import type { ZookeeperDesired } from "./desired.ts";
import type { Basis, ZookeeperFacts } from "./facts.ts";
import { liveConfigurationOf, liveDirectories } from "./member.ts";
import { needsOf } from "./needs.ts";
import { myidPath, renderUnit, STARTED, UNIT, UNIT_FILE, ZOO_CFG } from "./render.ts";
import { configurationIn, lookAtServers } from "./servers.ts";

const TOO_LARGE = "it is larger than 256 KiB";

/** What runs, and what would run after a reboot. Throws NotRead. */
export async function lookAtMember(reader: Reader, desired: ZookeeperDesired): Promise<ZookeeperFacts> {
  const [unit, zooCfg, unitFile, found, record, configured, servers, around, dynamic] = await Promise.all([
    lookAtUnit(reader, UNIT),
    readFileFact(reader, ZOO_CFG, { mayBePackaged: true }),
    readFileFact(reader, UNIT_FILE, { wanted: renderUnit(desired) }),
    readFileFact(reader, myidPath(desired)),
    reader.text(STARTED),
    lookAtConfiguredData(reader, desired),
    lookAtServers(reader, desired),
    lookAtSurroundings(reader, UNIT, needsOf(desired)),
    dynamicConfiguration(reader),
  ]);
  // Members and directories are told by it, to this member and to the others.
  const unreadConfiguration = whyUnread(zooCfg);
  if (unreadConfiguration !== undefined) throw new NotRead(`${ZOO_CFG} was not read: ${unreadConfiguration}`);
  if (dynamic.is === "unreadable")
    throw new NotRead(`${DYNAMIC} of ${ZOO_CFG} was not read: ${dynamic.because}`);
  const { isRead, ...running } = servers;
  const surroundings = unitFile.kind === "regular" ? around : undefined;
  const { myid, closedMyid } = myidOf(found, surroundings, running.asked);
  const data = [...configured, ...(await lookAtLiveData(reader, running.asked, configured))];
  const recorded = running.process === undefined ? undefined : startedOf(record, unit.invocation);
  const lost =
    running.process === undefined || record.is !== "absent"
      ? undefined
      : withoutNote(unit, unitFile, [zooCfg, myid], STARTED);
  const unread: readonly (readonly [Basis, string | undefined])[] = [
    ["unit file", whyUnread(unitFile)],
    ["myid", whyUnread(myid)],
    ["start record", running.process === undefined ? undefined : (reasonOf(record) ?? lost?.unread)],
    ["data", data.find(({ because }) => because !== undefined)?.because],
    ["process", reasonOf(isRead.process)],
    ["sockets", reasonOf(isRead.sockets)],
  ];
  return {
    unit,
    zooCfg,
    ...(dynamic.is === "value" ? { dynamic: dynamic.value } : {}),
    unitFile,
    myid,
    started: recorded ?? lost,
    closedMyid,
    surroundings,
    data: data.map(({ directory, is, hasLogs }) => ({ directory, is, hasLogs })),
    ...running,
    unread: new Map(unread.flatMap(([basis, because]) => (because === undefined ? [] : [[basis, because]]))),
  };
}

/** One that ZooKeeper may not read is root's to tell, and its own user's directory is not read as root. */
function myidOf(
  myid: ZookeeperFacts["myid"],
  surroundings: SurroundingsFacts | undefined,
  asked: ZookeeperFacts["asked"],
): Pick<ZookeeperFacts, "myid" | "closedMyid"> {
  const access =
    surroundings?.access.is === "value"
      ? surroundings.access.value.find(({ asked: path }) => path === myid.path)
      : undefined;
  const id = liveConfigurationOf({ asked })?.get("serverId")?.value;
  const isClosed = access?.state === "there" && access.kind === "regular" && !access.may.includes("r");
  if (!isClosed || id === undefined || !/^[1-9]\d{0,2}$/.test(id)) return { myid };
  const content = `${id}\n`;
  const { path, mode, owner } = access;
  return {
    myid: {
      path: myid.path,
      kind: "regular",
      mode,
      owner,
      sha256: sha256Of(content),
      packaged: "no",
      realPath: path,
      content,
    },
    closedMyid: `${mode} ${owner}`,
  };
}

const DYNAMIC = "dynamicConfigFile";

/** Absent where zoo.cfg names none. */
async function dynamicConfiguration(reader: Reader): Promise<Answer<string>> {
  const path = (await configurationIn(reader)).get(DYNAMIC)?.value;
  return path === undefined || path === "" ? { is: "absent" } : reader.text(path);
}

function reasonOf(answer: Answer<unknown>): string | undefined {
  return answer.is === "unreadable" ? answer.because : undefined;
}

function whyUnread({ because, kind, content }: ZookeeperFacts["myid"]): string | undefined {
  return because ?? (kind === "regular" && content === undefined ? TOO_LARGE : undefined);
}

/** The wanted directories, and those that zoo.cfg names: what runs may still be foreign. */
async function lookAtConfiguredData(
  reader: Reader,
  { dataDir, dataLogDir }: ZookeeperDesired,
): Promise<readonly DataReading[]> {
  const wanted = dataLogDir === undefined ? [dataDir] : [dataDir, dataLogDir];
  const lookAtOthers = async () => {
    const configuration = await configurationIn(reader);
    const named = ["dataDir", "dataLogDir"].flatMap((key) => configuration.get(key)?.value ?? []);
    const others = new Set(named.filter((directory) => !wanted.includes(directory)));
    return Promise.all([...others].map((directory) => lookAtData(reader, directory)));
  };
  const [own, others] = await Promise.all([
    Promise.all(wanted.map((directory) => lookAtData(reader, directory))),
    lookAtOthers(),
  ]);
  return [...own, ...others];
}

/** Those that the server has from an older zoo.cfg. */
function lookAtLiveData(
  reader: Reader,
  asked: ZookeeperFacts["asked"],
  known: readonly DataReading[],
): Promise<readonly DataReading[]> {
  const live = new Set(liveDirectories({ asked }));
  for (const { directory } of known) live.delete(directory);
  return Promise.all([...live].map((directory) => lookAtData(reader, directory)));
}

/** A record that an earlier start of the unit left says nothing of the process that runs now. */
function startedOf(record: Answer<string>, invocation: string | undefined): ZookeeperFacts["started"] {
  const [recorded, ...lines] = record.is === "value" ? record.value.split("\n") : [];
  if (recorded === undefined || recorded === "" || recorded !== invocation) return undefined;
  const digests = new Map<string, string>();
  for (const line of lines) {
    const [, digest, path] = /^([0-9a-f]{64}) {2}(.+)$/.exec(line) ?? [];
    if (digest !== undefined) digests.set(path!, digest);
  }
  return { digests };
}
