import type { HostFacts } from "../../../src/contract/host.ts";
import type { HostName, HostView, InventoryView } from "../../../src/contract/inventory-view.ts";
import type { Fleet } from "../../../src/contract/step.ts";
import { type UnitFact, unitFact } from "../../../src/daemon/unit.ts";
import { type FileFact, sha256Of } from "../../../src/evidence/file.ts";
import { judge } from "../../../src/evidence/verdict.ts";
import type { ZookeeperDesired } from "../../../src/steps/zookeeper/desired.ts";
import type { ZookeeperFacts } from "../../../src/steps/zookeeper/facts.ts";
import { zookeeper } from "../../../src/steps/zookeeper/index.ts";
import { argvOf, renderUnit, renderZooCfg, serverOf } from "../../../src/steps/zookeeper/render.ts";
import { serversFor } from "../../../src/steps/zookeeper/roster.ts";
import { bookwormHost } from "../bookworm-host.ts";
import { holdRowsOfChanges } from "../rows-of-changes.ts";

export const DATA = "/var/lib/zookeeper/data";
export const ZOO_CFG = "/etc/zookeeper/conf/zoo.cfg";
export const UNIT_FILE = "/etc/systemd/system/zookeeper.service";
export const PACKAGED_ZOO_CFG =
  "tickTime=2000\ninitLimit=10\nsyncLimit=5\ndataDir=/tmp/zookeeper\nclientPort=2181\n";

/** Four-letter words, and why one is not answered. */
const WORDS = ["srvr", "mntr", "conf", "isro", "ruok"];
export const LATE = "no end of its answer in time";

type Data = "none" | "new" | "blank" | "holds" | "lost";
type Words = Readonly<Record<string, string>>;

/** A host as a person would describe it. */
export interface HostModel {
  readonly package?: string;
  readonly zooCfg?: string;
  /** zoo.cfg is as the package ships it. */
  readonly isPackaged?: boolean;
  readonly zooCfgMode?: string;
  readonly unitFile?: string;
  readonly dropIns?: string;
  /** What a drop-in makes systemd start, and its line: "3 /root/x". */
  readonly startedByDropIn?: string;
  readonly needDaemonReload?: boolean;
  /** Starts by systemd since somebody started it, and the age of what runs. */
  readonly restarts?: readonly [number, number];
  readonly enabled?: string;
  readonly myid?: string;
  readonly data?: Readonly<Record<string, Data>>;
  /** Directories with transaction logs; as it is by itself, those that hold data. */
  readonly logs?: readonly string[];
  /** What runs; undefined when nothing does. */
  /** "ADDRESS:PORT" of the others → why it cannot connect there. */
  readonly peers?: Readonly<Record<string, string>> | undefined;
  readonly runs?: Running;
  /** Servers that the unit did not start: their sockets. */
  readonly strangers?: readonly (readonly string[])[];
  /** Other programs that listen, as ss tells: address, port, name. */
  readonly listeners?: HostFacts["listeners"];
  /** Path → text that meshctl wrote last. */
  readonly wrote?: Readonly<Record<string, string>>;
  readonly lastWords?: string;
}

interface Running {
  /** What it started with; undefined when no record of ours says. */
  readonly startedWith?:
    | { readonly zooCfg: string; readonly unitFile: string; readonly myid: string }
    | undefined;
  readonly invocation?: string;
  readonly argv?: readonly string[];
  readonly sockets?: readonly string[];
  readonly jars?: readonly string[];
  readonly stderr?: string;
  readonly answers?: Words;
  /** Words that were not answered, and why. */
  readonly failures?: Words;
}

export type World = Readonly<Record<HostName, HostModel | "unseen">>;

/** Host names in inventory order; "zk-1=3" states an id. Addresses are 10.0.0.1 and so on, by the name's number. */
export function desiredFor(
  members: readonly string[],
  name: HostName,
  parameters: object = {},
): ZookeeperDesired {
  const { host, inventory } = inventoryOf(members, name);
  return zookeeper.desired(zookeeper.parameters.parse(parameters), host, inventory);
}

export function inventoryOf(members: readonly string[], name: HostName) {
  const ensemble = members.map((member) => {
    const [host, id] = member.split("=");
    return { host: host!, address: addressOf(host!), id: id === undefined ? undefined : Number(id) };
  });
  const hosts = new Map(
    ensemble.map(({ host, address }): [HostName, HostView] => [
      host,
      { name: host, address, groups: [], parameters: new Map() },
    ]),
  );
  const inventory: InventoryView = {
    hosts,
    groups: new Map(),
    mesh: {
      ensemble,
      zookeeper: { clientPort: 2181, quorumPort: 2888, electionPort: 3888 },
      proxies: [],
      networks: [],
      services: [],
    },
    network: { proxy: undefined, caCertificates: undefined },
    file: "inventory.yaml",
    allowOs: [],
  };
  const host = hosts.get(name) ?? { name, address: addressOf(name), groups: [], parameters: new Map() };
  return { host, inventory };
}

function addressOf(host: HostName): string {
  return `10.0.0.${host.replace(/\D/g, "")}`;
}

/** A member as meshctl leaves it: `ids` are those of the whole ensemble. */
export function member(
  desired: ZookeeperDesired,
  name: HostName,
  ids: Readonly<Record<HostName, number>>,
  state: "leader" | "follower" | "standalone" | "looking" | "silent",
): HostModel {
  const zooCfg = renderZooCfg(desired, serversFor(desired, new Map(Object.entries(ids))));
  const unitFile = renderUnit(desired);
  const myid = `${ids[name]}\n`;
  return {
    package: "3.8.0-11+deb12u2",
    zooCfg,
    unitFile,
    enabled: "enabled",
    myid,
    data: {
      [desired.dataDir]: "holds",
      ...(desired.dataLogDir === undefined ? {} : { [desired.dataLogDir]: "holds" as const }),
    },
    ...(desired.dataLogDir === undefined ? {} : { logs: [desired.dataLogDir] }),
    wrote: { [ZOO_CFG]: zooCfg, [UNIT_FILE]: unitFile, [`${desired.dataDir}/myid`]: myid },
    runs: {
      startedWith: { zooCfg, unitFile, myid },
      argv: argvOf(desired),
      sockets: [2181, ...(state === "standalone" ? [] : [3888]), ...(state === "leader" ? [2888] : [])].map(
        (port) => `[::ffff:${desired.address}]:${port}`,
      ),
      jars: [
        "/usr/share/java/zookeeper.jar",
        "/usr/share/java/slf4j-api.jar",
        "/usr/share/java/slf4j-simple.jar",
      ],
      stderr: "journal",
      answers: state === "silent" ? {} : answersOf(desired, ids, name, state),
      failures: state === "silent" ? Object.fromEntries(WORDS.map((word) => [word, LATE])) : {},
    },
  };
}

function answersOf(
  desired: ZookeeperDesired,
  ids: Readonly<Record<HostName, number>>,
  name: HostName,
  state: string,
): Words {
  if (state === "looking") {
    const refusal = "This ZooKeeper instance is not currently serving requests";
    return { srvr: refusal, mntr: refusal, conf: refusal, isro: "null", ruok: "imok" };
  }
  const synced = state === "leader" ? `\nzk_synced_followers\t${desired.members.length - 1}` : "";
  const servers = Object.entries(ids).map(
    ([host, id]) => `server.${id}=${serverOf(addressOf(host), desired.ports)}:participant`,
  );
  const limits = `initLimit=${desired.initLimit}\nsyncLimit=${desired.syncLimit}\nmembership: \n${servers.join("\n")}`;
  return {
    srvr: `Zookeeper version: 3.8.0\nMode: ${state}\nNode count: 5`,
    mntr: `zk_version\t3.8.0\nzk_server_state\t${state}${synced}`,
    conf: `clientPort=2181\ndataDir=${desired.dataDir}/version-2\ndataLogDir=${desired.dataLogDir ?? desired.dataDir}/version-2\ntickTime=${desired.tickTimeMs}\nserverId=${
      state === "standalone" ? 0 : ids[name]
    }${state === "standalone" ? "" : `\n${limits}`}`,
    isro: "rw",
    ruok: "imok",
  };
}

export function fleetOf(
  members: readonly string[],
  world: World,
  parameters: object = {},
): Fleet<ZookeeperDesired, ZookeeperFacts> {
  const memberOf = (name: HostName, model: HostModel | "unseen") => {
    const desired = desiredFor(members, name, parameters);
    return model === "unseen"
      ? ({ is: "unseen", desired, because: "no route to host" } as const)
      : ({ is: "seen", desired, facts: factsOf(model, desired), host: hostFactsOf(model) } as const);
  };
  return new Map(Object.keys(world).map((name) => [name, memberOf(name, world[name]!)]));
}

/** Rows by setting, verdicts and changes of one host of a fleet. */
export function assessed(members: readonly string[], world: World, name: HostName, parameters: object = {}) {
  const fleet = fleetOf(members, world, parameters);
  const self = fleet.get(name);
  if (self?.is !== "seen") throw new Error(`${name} is not seen`);
  const { desired, facts, host } = self;
  const { readings, changes } = zookeeper.assess({ name, desired, facts, host, claims: new Map() }, fleet);
  holdRowsOfChanges(readings, changes);
  const rows = new Map(readings.map((reading) => [reading.setting, judge(reading)]));
  const open = [...rows.values()].filter(({ verdict }) => verdict !== "proven").map(({ setting }) => setting);
  return { rows, open, changes, ids: changes.map(({ id }) => id) };
}

/** What a look at the host tells. */
export function factsOf(
  model: HostModel,
  { dataDir }: Pick<ZookeeperDesired, "dataDir"> = { dataDir: DATA },
): ZookeeperFacts {
  const { runs } = model;
  const process =
    runs === undefined
      ? undefined
      : {
          pid: 77,
          sockets: (runs.sockets ?? []).map(endpoint),
          argv: runs.argv ?? ["java"],
          jars: runs.jars ?? [],
          stderr: runs.stderr ?? "/dev/null",
        };
  const file = (path: string, text: string | undefined, change: Partial<FileFact> = {}): FileFact => {
    const nothing = { path, packaged: "no", mode: "", owner: "", sha256: "", realPath: "" } as const;
    if (text === undefined) return { ...nothing, kind: "absent", content: undefined };
    const whole = {
      kind: "regular",
      mode: "0644",
      owner: "root:root",
      sha256: sha256Of(text),
      realPath: path,
    };
    return { ...nothing, ...whole, content: text, ...change };
  };
  return {
    ...(model.peers === undefined ? {} : { peers: new Map(Object.entries(model.peers)) }),
    unit: unitOf(model),
    zooCfg: file(ZOO_CFG, model.zooCfg, {
      packaged: model.isPackaged ? "default" : "no",
      mode: model.zooCfgMode ?? "0644",
    }),
    unitFile: file(UNIT_FILE, model.unitFile),
    myid: file(`${dataDir}/myid`, model.myid),
    started:
      runs?.startedWith === undefined || (runs.invocation ?? INVOCATION) !== INVOCATION
        ? undefined
        : { digests: digestsOf(runs.startedWith, dataDir) },
    data: Object.entries<Data>(model.data ?? { [dataDir]: "none" }).map(([directory, is]) => ({
      directory,
      is,
      hasLogs: model.logs?.includes(directory) ?? is === "holds",
    })),
    process,
    strangers: (model.strangers ?? []).map((sockets, index) => ({
      pid: 90 + index,
      sockets: sockets.map(endpoint),
    })),
    asked:
      runs?.answers === undefined
        ? undefined
        : {
            at: "10.0.0.9:2181",
            answers: new Map(Object.entries(runs.answers)),
            failures: new Map(Object.entries(runs.failures ?? {})),
          },
    lastWords: model.lastWords ?? "",
    unread: new Map(),
  };
}

const INVOCATION = "0123abc";

function digestsOf(
  { zooCfg, unitFile, myid }: NonNullable<Running["startedWith"]>,
  dataDir: string,
): ReadonlyMap<string, string> {
  const texts = { [ZOO_CFG]: zooCfg, [UNIT_FILE]: unitFile, [`${dataDir}/myid`]: myid };
  return new Map(Object.entries(texts).map(([path, text]) => [path, sha256Of(text)]));
}

/** "[::ffff:10.0.0.2]:2181" or "*:8080", as ss shows them. */
function endpoint(local: string) {
  const [, address, port] = /^\[?(?:::ffff:)?(.*?)\]?:(\d+)$/.exec(local) ?? [];
  return { address: address!, port: Number(port) };
}

/** The record of what the member started with. */
export function startedText({ runs }: HostModel, dataDir = DATA): string | undefined {
  if (runs?.startedWith === undefined) return undefined;
  const lines = [...digestsOf(runs.startedWith, dataDir)].map(([path, sha256]) => `${sha256}  ${path}`);
  return [runs.invocation ?? INVOCATION, ...lines, ""].join("\n");
}

/** As systemd shows them. */
export function unitProperties(model: HostModel): Readonly<Record<string, readonly string[]>> {
  const { runs } = model;
  const [, command] = model.startedByDropIn?.split(/ (.*)/) ?? [];
  return {
    LoadState: [model.unitFile === undefined ? "not-found" : "loaded"],
    ActiveState: [runs === undefined ? "inactive" : "active"],
    SubState: [runs === undefined ? "dead" : "running"],
    FragmentPath: [model.unitFile === undefined ? "" : UNIT_FILE],
    DropInPaths: [model.dropIns ?? ""],
    InvocationID: [runs === undefined ? "" : INVOCATION],
    NeedDaemonReload: [model.needDaemonReload ? "yes" : "no"],
    NRestarts: [String(model.restarts?.[0] ?? 0)],
    ExecStart: [
      ...startAsWritten(model.unitFile, "ExecStart"),
      ...(command === undefined ? [] : [execStart(command)]),
    ],
    Slice: ["system.slice"],
    ExecStartPre: [...(model.unitFile ?? "").matchAll(/^ExecStartPre=\+?(.*)$/gm)].map(
      ([, pre]) => `{ path=/bin/sh ; argv[]=${pre} ; ignore_errors=no ; pid=0 }`,
    ),
    User: startAsWritten(model.unitFile, "User"),
    MainPID: [runs === undefined ? "0" : "77"],
  };
}

function unitOf(model: HostModel): UnitFact {
  const [line] = model.startedByDropIn?.split(/ (.*)/) ?? [];
  const properties = unitProperties(model);
  return unitFact("zookeeper.service", {
    values: (property) => properties[property] ?? [],
    enabled: model.enabled ?? "",
    ageSeconds: model.restarts?.[1],
    hasUnread: false,
    startLines:
      line === undefined ? [] : [{ path: model.dropIns ?? "", line: Number(line), key: "ExecStart" }],
  });
}

/** What systemd has loaded of a unit with this text and no drop-in. */
function startAsWritten(text = "", property: "ExecStart" | "User"): readonly string[] {
  return [...text.matchAll(/^(ExecStart|User)=(.*)$/gm)].flatMap(([, key, value]) =>
    key !== property ? [] : [key === "ExecStart" ? execStart(value!) : value!],
  );
}

const execStart = (command: string) =>
  `{ path=${command.split(" ")[0]} ; argv[]=${command} ; ignore_errors=no ; pid=0 }`;

function hostFactsOf(model: HostModel): HostFacts {
  return bookwormHost({
    listeners: model.listeners ?? [],
    manifest: new Map(Object.entries(model.wrote ?? {}).map(([path, text]) => [path, sha256Of(text)])),
    packages: new Map(model.package === undefined ? [] : [["zookeeper", model.package]]),
  });
}
