import { sha256Of } from "../../../src/evidence/file.ts";
import { parseProbeOutput } from "../../../src/evidence/probe-output.ts";
import { judge } from "../../../src/evidence/verdict.ts";
import type { HostName, HostView, InventoryView } from "../../../src/inventory/view.ts";
import type { Fleet, HostFacts } from "../../../src/step.ts";
import type { ZookeeperDesired } from "../../../src/steps/zookeeper/desired.ts";
import type { ZookeeperFacts } from "../../../src/steps/zookeeper/facts.ts";
import { zookeeper } from "../../../src/steps/zookeeper/index.ts";
import { argvOf, renderUnit, renderZooCfg, serverOf } from "../../../src/steps/zookeeper/render.ts";
import { serversFor } from "../../../src/steps/zookeeper/roster.ts";
import { bookwormHost } from "../bookworm-host.ts";

export const DATA = "/var/lib/zookeeper/data";
export const ZOO_CFG = "/etc/zookeeper/conf/zoo.cfg";
export const UNIT_FILE = "/etc/systemd/system/zookeeper.service";
export const PACKAGED_ZOO_CFG =
  "tickTime=2000\ninitLimit=10\nsyncLimit=5\ndataDir=/tmp/zookeeper\nclientPort=2181\n";

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
  /** What runs; undefined when nothing does. */
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
    data: { [desired.dataDir]: "holds" },
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
    conf: `clientPort=2181\ndataDir=${desired.dataDir}/version-2\ntickTime=${desired.tickTimeMs}\nserverId=${
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
  const rows = new Map(readings.map((reading) => [reading.setting, judge(reading)]));
  const open = [...rows.values()].filter(({ verdict }) => verdict !== "proven").map(({ setting }) => setting);
  return { rows, open, changes, ids: changes.map(({ id }) => id) };
}

function factsOf(model: HostModel, { dataDir }: Pick<ZookeeperDesired, "dataDir"> = { dataDir: DATA }) {
  return zookeeper.facts!(parseProbeOutput(probeOutputOf(model, dataDir)));
}

function probeOutputOf(model: HostModel, dataDir: string): string {
  const lines: string[] = [];
  const emit = (key: string, ...fields: string[]) =>
    lines.push(
      [key, ...fields.map((text) => (/[\t\n]/.test(text) ? `b64:${base64(text)}` : text))].join("\t"),
    );
  const unit = (property: string, value: string) => emit("unit", "zookeeper.service", property, value);
  const { runs } = model;
  unit("LoadState", model.unitFile === undefined ? "not-found" : "loaded");
  unit("ActiveState", runs === undefined ? "inactive" : "active");
  unit("SubState", runs === undefined ? "dead" : "running");
  unit("DropInPaths", model.dropIns ?? "");
  unit("InvocationID", runs === undefined ? "" : "0123abc");
  unit("NeedDaemonReload", model.needDaemonReload ? "yes" : "no");
  for (const [property, value] of startAsWritten(model.unitFile)) unit(property, value);
  if (model.startedByDropIn !== undefined) {
    const [line, command] = model.startedByDropIn.split(/ (.*)/);
    unit("ExecStart", execStart(command!));
    emit("unit_line", "zookeeper.service", model.dropIns ?? "", line!, "ExecStart");
  }
  if (model.restarts !== undefined) {
    unit("NRestarts", String(model.restarts[0]));
    emit("unit_age", "zookeeper.service", String(model.restarts[1]));
  }
  emit("unit_enabled", "zookeeper.service", model.enabled ?? "");
  const file = (path: string, text: string | undefined, packaged = "", mode = "0644") => {
    if (text === undefined) emit("file", path, "absent", "", "", "", "", "", "");
    else emit("file", path, "regular", mode, "root:root", sha256Of(text), packaged, path, base64(text));
  };
  file(
    ZOO_CFG,
    model.zooCfg,
    model.isPackaged ? "yes" : model.zooCfg === undefined ? "" : "no",
    model.zooCfgMode,
  );
  file(UNIT_FILE, model.unitFile);
  file(`${dataDir}/myid`, model.myid);
  const data: Readonly<Record<string, Data>> = model.data ?? { [dataDir]: "none" };
  for (const [directory, is] of Object.entries(data)) {
    emit("data", directory, ...DATA_FIELDS[is]);
  }
  if (runs !== undefined) {
    if (runs.startedWith !== undefined) {
      const { zooCfg, unitFile, myid } = runs.startedWith;
      const digests = [
        `${sha256Of(zooCfg)}  ${ZOO_CFG}`,
        `${sha256Of(unitFile)}  ${UNIT_FILE}`,
        `${sha256Of(myid)}  ${dataDir}/myid`,
      ];
      emit("started", [runs.invocation ?? "0123abc", ...digests].join("\n"));
    }
    emit("process", "77", "yes", (runs.argv ?? ["java"]).join("\n"));
    for (const socket of runs.sockets ?? []) emit("socket", "77", socket);
    for (const jar of runs.jars ?? []) emit("jar", jar);
    emit("stderr", runs.stderr ?? "/dev/null");
    if (runs.answers !== undefined) {
      const text = Object.entries(runs.answers).map(([word, answer]) => `== ${word}\n${answer}\n`);
      emit("asked", "10.0.0.9", "2181", text.join(""));
    }
  }
  for (const [index, sockets] of (model.strangers ?? []).entries()) {
    emit("process", String(90 + index), "no", "java\norg.apache.zookeeper.server.quorum.QuorumPeerMain");
    for (const socket of sockets) emit("socket", String(90 + index), socket);
  }
  if (model.lastWords !== undefined) emit("last_words", model.lastWords);
  return lines.join("\n");
}

/** What systemd has loaded of a unit with this text and no drop-in. */
function startAsWritten(text = ""): readonly (readonly [string, string])[] {
  return [...text.matchAll(/^(ExecStart|User)=(.*)$/gm)].map(
    ([, key, value]) => [key!, key === "ExecStart" ? execStart(value!) : value!] as const,
  );
}

const execStart = (command: string) =>
  `{ path=${command.split(" ")[0]} ; argv[]=${command} ; ignore_errors=no ; pid=0 }`;

/** version-2 is there, marked as new, first snapshot, later ones, logs, epoch. */
const DATA_FIELDS: Readonly<Record<Data, readonly string[]>> = {
  none: ["no", "no", "no", "no", "no", ""],
  new: ["yes", "yes", "no", "no", "no", ""],
  blank: ["yes", "no", "yes", "no", "no", "0"],
  holds: ["yes", "no", "yes", "no", "no", "1"],
  lost: ["yes", "no", "no", "no", "no", ""],
};

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

function hostFactsOf(model: HostModel): HostFacts {
  return bookwormHost({
    listeners: model.listeners ?? [],
    manifest: new Map(Object.entries(model.wrote ?? {}).map(([path, text]) => [path, sha256Of(text)])),
    packages: new Map(model.package === undefined ? [] : [["zookeeper", model.package]]),
  });
}
