import { describe, expect, it } from "vitest";
import { zookeeperQuestion } from "../../../src/evidence/by-hand.ts";
import {
  assessed,
  DATA,
  desiredFor,
  type HostModel,
  member,
  PACKAGED_ZOO_CFG,
  UNIT_FILE,
  type World,
  ZOO_CFG,
} from "./world.ts";

const THREE = ["zk-1", "zk-2", "zk-3"];
const IDS = { "zk-1": 1, "zk-2": 2, "zk-3": 3 };
const bare: HostModel = {};
const installed: HostModel = {
  package: "3.8.0-11+deb12u2",
  zooCfg: PACKAGED_ZOO_CFG,
  isPackaged: true,
  data: { [DATA]: "none", "/tmp/zookeeper": "none" },
};
const follower = member(desiredFor(THREE, "zk-1"), "zk-1", IDS, "follower");
const living: World = {
  "zk-1": follower,
  "zk-2": member(desiredFor(THREE, "zk-2"), "zk-2", IDS, "follower"),
  "zk-3": member(desiredFor(THREE, "zk-3"), "zk-3", IDS, "leader"),
};
const { runs: _runs, ...halted } = follower;
const with1 = (model: HostModel): World => ({ ...living, "zk-1": model });

describe("a living ensemble", () => {
  it.each(Object.keys(living))("leaves %s untouched", (name) => {
    const { open, ids } = assessed(THREE, living, name);
    expect({ open, ids }).toEqual({ open: [], ids: [] });
  });

  it("reads what counts from the server itself", () => {
    const { rows } = assessed(THREE, living, "zk-3");
    const inForce = (setting: string) => rows.get(setting)?.inForce;
    expect(inForce("members")).toMatchObject({
      is: "read",
      source: zookeeperQuestion("10.0.0.9:2181", "conf"),
    });
    expect(inForce("myid")).toMatchObject({ is: "read", value: "3" });
    expect(inForce("heap")).toMatchObject({ value: "1G", source: "/proc/77/cmdline" });
    expect(inForce("autopurge")).toMatchObject({ is: "inferred", value: "keep 3, every 1 h" });
    expect(inForce("quorum")).toMatchObject({
      value: "1 leader, 2 synced",
      source: `${zookeeperQuestion("10.0.0.9:2181", "mntr")} (on zk-3)`,
    });
  });

  it("stays as it is when the inventory lists its hosts in another order", () => {
    const order = ["zk-3", "zk-1", "zk-2"];
    for (const name of order) expect(assessed(order, living, name).changes).toEqual([]);
  });

  it("is proven while a follower cannot be seen: its leader has counted it", () => {
    const world: World = { ...living, "zk-2": "unseen" };
    expect(assessed(THREE, world, "zk-1").open).toEqual([]);
    expect(assessed(THREE, world, "zk-3").open).toEqual([]);
  });

  it("is unknown to a follower whose leader cannot be seen", () => {
    const { rows, changes } = assessed(THREE, { ...living, "zk-3": "unseen" }, "zk-1");
    expect(rows.get("quorum")?.verdict).toBe("unknown");
    expect(changes).toEqual([]);
  });

  it("is not proven by imok", () => {
    const looking = member(desiredFor(THREE, "zk-1"), "zk-1", IDS, "looking");
    const { rows, open, changes } = assessed(THREE, with1(looking), "zk-1");
    expect(looking.runs?.answers?.ruok).toBe("imok");
    expect(open).toEqual(["role", "quorum"]);
    expect(rows.get("quorum")?.because).toBe("zk-1 looking for a quorum, zk-2 follower, zk-3 leader");
    expect(changes).toEqual([]);
  });

  it.each([
    [undefined, /^zk-3 leads and this member does not join: can it reach 2888 and 3888 of the others\?/],
    [
      { "10.0.0.2:3888": "", "10.0.0.2:2888": "Connection refused", "10.0.0.3:3888": "Permission denied" },
      /^zk-3 leads .*: it cannot reach 2888 and 3888 of the others \(10\.0\.0\.3:3888: Permission denied\): let it/,
    ],
    [
      { "10.0.0.3:2888": "", "10.0.0.3:3888": "" },
      /although it reaches 2888 and 3888 of the others: can they reach 10\.0\.0\.1:3888\?/,
    ],
  ])("is said not to be joined, and why, while the others have one: %s", (peers, because) => {
    const looking = member(desiredFor(THREE, "zk-1"), "zk-1", IDS, "looking");
    const { rows } = assessed(THREE, with1({ ...looking, peers }), "zk-1");
    expect(rows.get("role")).toMatchObject({ verdict: "different", because: expect.stringMatching(because) });
  });

  it("is inferred from its followers while the leader's whitelist hides mntr", () => {
    const leader = living["zk-3"] as HostModel;
    const answers = {
      ...leader.runs?.answers,
      mntr: "mntr is not executed because it is not in the whitelist.",
    };
    const world: World = { ...living, "zk-3": { ...leader, runs: { ...leader.runs, answers } } };
    const { rows } = assessed(THREE, world, "zk-1");
    expect(rows.get("quorum")).toMatchObject({ verdict: "proven", inForce: { is: "inferred" } });
    expect(assessed(THREE, world, "zk-3").open).toEqual(["4lw.commands.whitelist"]);
  });

  it("of two leaders is no quorum", () => {
    const twin = member(desiredFor(THREE, "zk-1"), "zk-1", IDS, "leader");
    expect(assessed(THREE, with1(twin), "zk-2").rows.get("quorum")).toMatchObject({
      verdict: "different",
      inForce: { value: "2 leaders, 0 synced" },
    });
  });
});

describe("the unit's other files", () => {
  const dropIns = `${UNIT_FILE}.d/x.conf`;

  it("may be there", () => {
    expect(assessed(THREE, with1({ ...follower, dropIns }), "zk-1").open).toEqual([]);
  });

  it("must not say what is started: it would be another server after the next boot", () => {
    const world = with1({ ...follower, dropIns, startedByDropIn: "3 /usr/bin/java -Xmx1G x" });
    const { rows, ids } = assessed(THREE, world, "zk-1");
    expect(rows.get("zookeeper.service")).toMatchObject({
      verdict: "blocked",
      because: `${dropIns}:3 sets ExecStart= of zookeeper.service otherwise: take it out there`,
    });
    expect(ids).toEqual([]);
  });

  it("are read by systemd before anything else is done", () => {
    const { runs: _runs, ...stopped } = follower;
    for (const [model, then] of [
      [follower, []],
      [stopped, ["start"]],
    ] as const) {
      const { rows, ids } = assessed(THREE, with1({ ...model, dropIns, needDaemonReload: true }), "zk-1");
      expect(rows.get("zookeeper.service")).toMatchObject({
        verdict: "not-in-force",
        closedBy: { change: "daemon-reload" },
      });
      expect(ids).toEqual(["daemon-reload", ...then]);
    }
  });
});

it("a member that crashes every few seconds is not proven between", () => {
  const crashing = assessed(THREE, with1({ ...follower, restarts: [4, 3] }), "zk-1");
  expect(crashing.open).toEqual(["role"]);
  expect(crashing.rows.get("role")?.inForce).toMatchObject({ value: "running for 3 s after 4 restarts" });
  expect(assessed(THREE, with1({ ...follower, restarts: [4, 30] }), "zk-1").open).toEqual([]);
});

describe("bare hosts", () => {
  const world: World = { "zk-1": bare, "zk-2": bare, "zk-3": bare };

  it("get the package first and then everything else at once", () => {
    const { rows, ids, changes } = assessed(THREE, world, "zk-2");
    expect(ids).toEqual(["packages", "configuration"]);
    expect(rows.get("package")).toMatchObject({ verdict: "missing", closedBy: { change: "packages" } });
    for (const setting of ["zoo.cfg", "heap", "starts at boot", "role", "quorum"]) {
      expect(rows.get(setting)?.closedBy).toEqual({ change: "configuration" });
    }
    expect(changes.map(({ disrupts }) => disrupts)).toEqual([undefined, undefined]);
  });

  it("get ids in inventory order when every member was seen", () => {
    const want = THREE.map((name) => assessed(THREE, world, name).rows.get("myid")?.want);
    expect(want).toEqual(["1", "2", "3"]);
  });

  it("get the numbers that the others leave free", () => {
    const members = ["zk-1", "zk-2=1", "zk-3"];
    const want = THREE.map((name) => assessed(members, world, name).rows.get("myid")?.want);
    expect(want).toEqual(["2", "1", "3"]);
  });

  it("get no id while a member that may have it cannot be seen", () => {
    const { rows, changes } = assessed(THREE, { ...world, "zk-2": "unseen" }, "zk-1");
    expect(rows.get("myid")).toMatchObject({ verdict: "blocked" });
    expect(rows.get("myid")?.because).toContain("bring zk-2 up, or state the ids");
    expect(changes).toEqual([]);
  });

  it("need no look at all members when the inventory states the ids", () => {
    const members = ["zk-1=1", "zk-2=2", "zk-3=3"];
    expect(assessed(members, { ...world, "zk-2": "unseen" }, "zk-1").ids).toEqual([
      "packages",
      "configuration",
    ]);
  });

  it("get the data directory and the number before zoo.cfg points at them", () => {
    const { changes } = assessed(THREE, { ...world, "zk-1": installed }, "zk-1");
    const [configuration] = changes;
    const what = configuration?.commands.map((command) =>
      command.kind === "write" ? command.path : command.kind === "script" ? command.args : command.kind,
    );
    expect(what).toEqual([[DATA], `${DATA}/myid`, ZOO_CFG, UNIT_FILE]);
    expect(configuration?.activate).toMatchObject([{ args: ["restart"] }]);
  });

  it("that replace a member take the id the ensemble knows its address by", () => {
    const ids = { "zk-1": 7, "zk-2": 2, "zk-3": 3 };
    const others: World = {
      "zk-1": installed,
      "zk-2": member(desiredFor(THREE, "zk-2"), "zk-2", ids, "follower"),
      "zk-3": member(desiredFor(THREE, "zk-3"), "zk-3", ids, "leader"),
    };
    const { rows, ids: changes } = assessed(THREE, others, "zk-1");
    expect(rows.get("myid")?.want).toBe("7");
    expect(changes).toEqual(["configuration"]);
  });
});

describe("one change heals", () => {
  it.each<[string, HostModel, string, string | undefined]>([
    [
      "a zoo.cfg edited by hand",
      { ...follower, zooCfg: `${follower.zooCfg}foo=1\n` },
      "configuration",
      undefined,
    ],
    ["a server that is down", halted, "start", undefined],
    ["a server that is down and disabled", { ...halted, enabled: "disabled" }, "start", undefined],
    ["a unit that does not start at boot", { ...follower, enabled: "disabled" }, "enable", undefined],
    [
      "a server that was not restarted after zoo.cfg changed",
      started({ zooCfg: "tickTime=1000\n" }),
      "restart",
      "restart",
    ],
    ["a server of an older unit", started({ unitFile: "[Service]\n" }), "restart", "restart"],
    ["a server without a record of ours", running({ startedWith: undefined }), "restart", "restart"],
    ["a record of an earlier start", running({ invocation: "old" }), "restart", "restart"],
    ["another heap than the unit's", running({ argv: ["/usr/bin/java", "-Xmx512M"] }), "restart", "restart"],
    [
      "a package that was upgraded under the server",
      running({ jars: ["/usr/share/java/zookeeper.jar (deleted)", "/usr/share/java/slf4j-simple.jar"] }),
      "restart",
      "restart",
    ],
  ])("%s", (_, model, id, disrupts) => {
    const { ids, changes } = assessed(THREE, with1(model), "zk-1");
    expect(ids).toEqual([id]);
    expect(changes[0]?.disrupts?.kind).toBe(disrupts);
  });

  it("a file's mode without a restart", () => {
    const { changes, open } = assessed(THREE, with1({ ...follower, zooCfgMode: "0600" }), "zk-1");
    expect(open).toEqual(["zoo.cfg"]);
    expect(changes).toMatchObject([{ id: "configuration", activate: [{ args: ["keep"] }] }]);
    expect(changes[0]).not.toHaveProperty("disrupts");
  });

  it("a new heap with a restart that the plan shows", () => {
    const { changes } = assessed(THREE, living, "zk-1", { heap: "2G" });
    expect(changes).toMatchObject([
      {
        id: "configuration",
        disrupts: { kind: "restart", what: "zookeeper.service" },
        activate: [{ args: ["restart"] }],
      },
    ]);
    expect(changes[0]?.commands).toMatchObject([{ kind: "write", path: UNIT_FILE }]);
  });

  it("and says a dead server's last words", () => {
    const { rows } = assessed(
      THREE,
      with1({ ...halted, lastWords: "Invalid config, exiting abnormally" }),
      "zk-1",
    );
    expect(rows.get("zookeeper.service")?.because).toContain("Invalid config, exiting abnormally");
  });

  function running(change: Partial<NonNullable<HostModel["runs"]>>): HostModel {
    return { ...follower, runs: { ...follower.runs, ...change } };
  }

  function started(change: { zooCfg?: string; unitFile?: string }): HostModel {
    return running({ startedWith: { ...follower.runs!.startedWith!, ...change } });
  }
});

describe("doors that nobody asked for", () => {
  const opened = (change: Partial<NonNullable<HostModel["runs"]>>): HostModel => ({
    ...follower,
    runs: { ...follower.runs, ...change },
  });
  const sockets = follower.runs!.sockets!;

  it.each<[string, HostModel, readonly string[]]>([
    ["AdminServer", opened({ sockets: [...sockets, "*:8080"] }), ["listens on", "AdminServer, JMX"]],
    ["a random port of JMX", opened({ sockets: [...sockets, "*:40123"] }), ["listens on"]],
    ["the client port on every address", opened({ sockets: ["*:2181", sockets[1]!] }), ["listens on"]],
  ])("%s is seen", (_, model, open) => {
    expect(assessed(THREE, with1(model), "zk-1").open).toEqual(open);
  });
});

describe("nothing is changed", () => {
  it.each<[string, World, object, string, string]>([
    [
      "when a living ensemble has other members",
      with1(
        member(
          desiredFor(["zk-1", "zk-2", "zk-3", "zk-4"], "zk-1"),
          "zk-1",
          { ...IDS, "zk-4": 4 },
          "follower",
        ),
      ),
      {},
      "members",
      "the ensemble lives and zk-1 has other members",
    ],
    [
      "when 3.4 would meet a later version",
      { ...living, "zk-2": { ...installed, package: "3.4.13-6+deb11u1" } },
      {},
      "package",
      "ZooKeeper 3.4 on zk-2 (3.4.13-6+deb11u1)",
    ],
    [
      "when the data would be left behind",
      living,
      { data_dir: "/srv/zk" },
      "dataDir",
      `say "data_dir: ${DATA}"`,
    ],
    [
      "when its directory's name is a command",
      with1({ ...halted, zooCfg: "dataDir=/srv/$(evil)\n", data: { "/srv/$(evil)": "holds" } }),
      {},
      "dataDir",
      `cp -a '/srv/$(evil)/version-2' ${DATA}/ && chown -R zookeeper:zookeeper ${DATA} && runuser -u zookeeper -- cp -L '/srv/$(evil)/myid' ${DATA}/, `,
    ],
    [
      "when a member's data is gone",
      with1({ ...halted, data: { [DATA]: "lost" } }),
      {},
      "dataDir",
      "this host is a member already",
    ],
    [
      "when a member's whole directory is gone",
      with1({ ...halted, data: { [DATA]: "none" }, myid: undefined as never }),
      {},
      "dataDir",
      "is the disk mounted?",
    ],
    [
      "when zoo.cfg is somebody's",
      with1({ ...installed, zooCfg: "dataDir=/srv/zk\n", isPackaged: false, data: { [DATA]: "none" } }),
      {},
      "zoo.cfg",
      'say "adopt: true"',
    ],
    [
      "when the unit is somebody's",
      with1({ ...installed, unitFile: "[Service]\n" }),
      {},
      "zookeeper.service",
      'say "adopt: true"',
    ],
    [
      "when another server has the port",
      with1({ ...installed, strangers: [["*:2181"]] }),
      {},
      "listens on",
      "another ZooKeeper (process 90)",
    ],
    [
      "when it does not run and another program has the port",
      with1({ ...installed, listeners: [{ address: "0.0.0.0", port: 2181, process: "perl" }] }),
      {},
      "listens on",
      "perl listens on 0.0.0.0:2181",
    ],
  ])("%s", (_, world, parameters, setting, because) => {
    const { rows, changes } = assessed(THREE, world, "zk-1", parameters);
    expect(changes).toEqual([]);
    expect(rows.get(setting)?.verdict).toBe("blocked");
    expect(rows.get(setting)?.because).toContain(because);
  });

  it("on any host while one of them lives with other members", () => {
    const alone: HostModel = {
      ...installed,
      isPackaged: false,
      zooCfg: "dataDir=/srv/zk\n",
      data: { "/srv/zk": "holds" },
    };
    const { rows, changes } = assessed(THREE, { "zk-1": alone, "zk-2": bare, "zk-3": bare }, "zk-2");
    expect(changes).toEqual([]);
    expect(rows.get("members")?.because).toContain("zk-1 has other members (alone;");
  });

  it("when the inventory gives a member with data another id", () => {
    const members = ["zk-1=9", "zk-2=2", "zk-3=3"];
    const { rows, changes } = assessed(members, with1(halted), "zk-1");
    expect(rows.get("myid")?.because).toContain("it is member 1");
    expect(changes).toEqual([]);
  });

  it("when two hosts have one id", () => {
    const twins: World = { ...living, "zk-2": { ...(living["zk-2"] as HostModel), myid: "1\n" } };
    expect(assessed(THREE, twins, "zk-3").rows.get("myid")?.because).toContain("are both member 1");
  });
});

describe("a transaction log of its own directory", () => {
  const LOGS = "/srv/txlog";
  const apart = { data_log_dir: LOGS };
  const desired = desiredFor(THREE, "zk-1", apart);
  const split = member(desired, "zk-1", IDS, "follower");
  const { runs: _, ...stopped } = split;
  const blockedBy = (model: HostModel, parameters: object) => {
    const { rows, ids } = assessed(THREE, with1(model), "zk-1", parameters);
    expect(ids).toEqual([]);
    expect(rows.get("dataDir")?.verdict).toBe("blocked");
    return String(rows.get("dataDir")?.because);
  };

  it("is proven where it is as wanted", () => {
    const { rows } = assessed(THREE, { "zk-1": split }, "zk-1", apart);
    expect(rows.get("dataLogDir")).toMatchObject({ want: LOGS, verdict: "proven" });
    expect(rows.get("dataDir")?.verdict).toBe("proven");
  });

  it("is made for a new member", () => {
    const { changes } = assessed(
      THREE,
      { "zk-1": { ...installed, data: { [DATA]: "none", [LOGS]: "none" } }, "zk-2": bare, "zk-3": bare },
      "zk-1",
      apart,
    );
    expect(changes[0]?.commands[0]).toMatchObject({ kind: "script", args: [DATA, LOGS] });
  });

  it.each<[string, HostModel, object, string]>([
    ["that a server writes is not left behind", { ...split, wrote: {} }, {}, `say "data_log_dir: ${LOGS}"`],
    [
      "that a stopped server wrote is not left behind",
      stopped,
      {},
      `mv ${LOGS}/version-2/log.* ${DATA}/version-2/ && chown -R zookeeper:zookeeper ${DATA}, then run`,
    ],
    [
      "is moved out of the snapshots before it is read elsewhere",
      { ...follower, data: { [DATA]: "holds", [LOGS]: "none" }, logs: [DATA] },
      apart,
      `say nothing of data_log_dir, or move it, one member at a time: systemctl stop zookeeper && mkdir -p ${LOGS}/version-2 && mv ${DATA}/version-2/log.* ${LOGS}/version-2/ && chown`,
    ],
    [
      "among snapshots keeps a server from its start",
      { ...stopped, logs: [DATA, LOGS] },
      apart,
      `mv ${DATA}/version-2/log.* ${LOGS}/version-2/`,
    ],
    [
      "whose disk is away is not begun anew",
      { ...stopped, data: { [DATA]: "holds", [LOGS]: "none" }, logs: [] },
      apart,
      "is the disk mounted?",
    ],
    [
      "without its snapshots is somebody's",
      { ...installed, data: { [DATA]: "none", [LOGS]: "holds" }, logs: [LOGS] },
      apart,
      `${LOGS} holds transaction logs and ${DATA} no snapshot`,
    ],
    [
      "goes with the data where both are elsewhere",
      {
        ...split,
        zooCfg: "dataDir=/srv/old\ndataLogDir=/srv/oldlog\n",
        data: { [DATA]: "none", "/srv/old": "holds", "/srv/oldlog": "holds" },
        logs: ["/srv/oldlog"],
        runs: {},
      },
      {},
      `cp -a /srv/old/version-2 ${DATA}/ && mkdir -p ${DATA}/version-2 && mv /srv/oldlog/version-2/log.* ${DATA}/version-2/`,
    ],
  ])("%s", (_, model, parameters, because) => {
    expect(blockedBy(model, parameters)).toContain(because);
  });

  it("is taken once it was moved", () => {
    const moved = { ...halted, data: { [DATA]: "holds", [LOGS]: "holds" }, logs: [LOGS] } as const;
    expect(assessed(THREE, with1(moved), "zk-1", apart).ids).toEqual(["configuration"]);
  });
});

describe("what looks foreign and is not", () => {
  it("is a server that the package started and nobody wrote to", () => {
    const untouched: HostModel = {
      ...installed,
      data: { [DATA]: "none", "/tmp/zookeeper": "blank" },
      runs: { answers: { srvr: "Mode: standalone" }, sockets: ["*:2181", "*:8080", "*:41000"] },
    };
    const { ids, changes } = assessed(THREE, { "zk-1": untouched, "zk-2": bare, "zk-3": bare }, "zk-1");
    expect(ids).toEqual(["configuration"]);
    expect(changes[0]?.disrupts).toEqual({ kind: "restart", what: "zookeeper.service" });
  });

  it("is not foreign any more with adopt: true", () => {
    const { zooCfg } = follower;
    const theirs: HostModel = { ...follower, zooCfg: `# by hand\n${zooCfg}`, wrote: {} };
    expect(assessed(THREE, with1(theirs), "zk-1").ids).toEqual([]);
    expect(assessed(THREE, with1(theirs), "zk-1", { adopt: true }).ids).toEqual(["configuration"]);
  });

  it("is a member stopped and copied to its new directory", () => {
    const moved: HostModel = { ...halted, data: { "/srv/zk": "holds", [DATA]: "holds" } };
    expect(assessed(THREE, with1(moved), "zk-1", { data_dir: "/srv/zk" }).ids).toEqual(["configuration"]);
  });

  it("is Debian's prose in myid", () => {
    const prose: HostModel = { ...installed, myid: "replace this text with the cluster-unique id\n" };
    expect(
      assessed(THREE, { "zk-1": prose, "zk-2": bare, "zk-3": bare }, "zk-1").rows.get("myid")?.want,
    ).toBe("1");
  });
});

describe("an ensemble of one", () => {
  const ONE = ["zk-1"];
  const alone = member(desiredFor(ONE, "zk-1"), "zk-1", { "zk-1": 1 }, "standalone");

  it("is proven standalone, without a server line", () => {
    const { open, rows } = assessed(ONE, { "zk-1": alone }, "zk-1");
    expect(open).toEqual([]);
    expect(rows.get("members")?.want).toBe("alone");
    expect(rows.get("role")?.inForce).toMatchObject({ value: "standalone" });
    expect(alone.zooCfg).not.toContain("server.");
  });

  it("restarts with a warning: there is nobody to take over", () => {
    const { changes } = assessed(ONE, { "zk-1": alone }, "zk-1", { heap: "2G" });
    expect(changes[0]?.warning).toContain("no client is served while it restarts");
  });

  it("does not grow while it holds data", () => {
    const { rows } = assessed(THREE, { "zk-1": alone, "zk-2": bare, "zk-3": bare }, "zk-2");
    expect(rows.get("members")?.verdict).toBe("blocked");
  });
});
