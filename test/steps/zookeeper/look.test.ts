import { describe, expect, it } from "vitest";
import { judge } from "../../../src/evidence/verdict.ts";
import { NotRead } from "../../../src/reader/answer.ts";
import type { Ask, Question } from "../../../src/reader/protocol.ts";
import { Reader } from "../../../src/reader/reader.ts";
import { askRecording, keyOf, type Recording, recordTo } from "../../../src/reader/recording.ts";
import type { ZookeeperDesired } from "../../../src/steps/zookeeper/desired.ts";
import type { ZookeeperFacts } from "../../../src/steps/zookeeper/facts.ts";
import { zookeeper } from "../../../src/steps/zookeeper/index.ts";
import { lookAtMember } from "../../../src/steps/zookeeper/look.ts";
import { STARTED } from "../../../src/steps/zookeeper/render.ts";
import { openHost } from "../../reader/told-open.ts";
import { holdRowsOfChanges } from "../rows-of-changes.ts";
import {
  DATA,
  desiredFor,
  factsOf,
  fleetOf,
  type HostModel,
  LATE,
  member,
  startedText,
  UNIT_FILE,
  unitProperties,
  ZOO_CFG,
} from "./world.ts";

const THREE = ["zk-1", "zk-2", "zk-3"];
const IDS = { "zk-1": 1, "zk-2": 2, "zk-3": 3 };
const LEADER = "zk-3";
const UNIT = "zookeeper.service";
const MAIN = "org.apache.zookeeper.server.quorum.QuorumPeerMain";

const modelOf = (name: string) =>
  member(desiredFor(THREE, name), name, IDS, name === LEADER ? "leader" : "follower");

interface Change {
  /** Path → text; undefined for none. */
  readonly files?: Readonly<Record<string, string | undefined>>;
  /** Directory → names. */
  readonly lists?: Readonly<Record<string, readonly string[]>>;
  /** Java's processes: pid, cgroup, the argument that names its class. */
  readonly java?: readonly (readonly [string, string, string])[];
  readonly sockets?: string;
  readonly words?: readonly string[];
  readonly journal?: string;
}

/** A host that answers as one would whose member is as this model. */
function hostOf(model: HostModel, { address }: Pick<ZookeeperDesired, "address">, change: Change = {}): Ask {
  const { runs } = model;
  const files: Readonly<Record<string, string | undefined>> = {
    [ZOO_CFG]: model.zooCfg,
    [UNIT_FILE]: model.unitFile,
    [`${DATA}/myid`]: model.myid,
    [STARTED]: startedText(model),
    "/var/lib/dpkg/status": "Conffiles:\n",
    [`${DATA}/version-2/currentEpoch`]: "1",
    ...change.files,
  };
  const lists: Readonly<Record<string, readonly string[]>> = {
    [DATA]: ["myid", "version-2"],
    [`${DATA}/version-2`]: ["currentEpoch", "snapshot.0"],
    ...change.lists,
  };
  const java = change.java ?? (runs === undefined ? [] : [["77", `/system.slice/${UNIT}`, MAIN]]);
  const sockets =
    change.sockets ??
    (runs?.sockets ?? []).map((at) => `LISTEN 0 50 ${at} *:* users:(("java",pid=77,fd=9))`).join("\n");
  const words =
    change.words ??
    Object.entries(runs?.answers ?? {}).flatMap(([word, said]) => [word, "answered", `${said}\n`]);
  const entry = (name: string) => [
    name,
    "regular",
    "zookeeper:zookeeper",
    name === "version-2" ? "directory" : "regular",
  ];
  const fieldsOf = (question: Question): readonly string[] | undefined => {
    const [name, what = "", ...how] = question;
    switch (name) {
      case "unit":
        return Object.entries(unitProperties(model)).flatMap(([property, values]) =>
          how.includes(property) ? values.flatMap((value) => [property, value]) : [],
        );
      case "boot":
        return ["multi-user.target", "", "", "", "", UNIT, "multi-user.target", "running", "", ""];
      case "boot.lines":
        return [];
      case "manager":
        return ["systemctl show-environment", "Environment", "LANG PATH"];
      case "program":
        return ["", what, "1:2"];
      case "enabled":
        return [model.enabled ?? ""];
      case "file": {
        const text = files[what];
        if (text === undefined) return undefined;
        const stat = ["regular", "0644", "root:root", `${text.length}`, "", what, "1"];
        if (how[0] === "stat") return stat;
        if (how[0] === "content") return [...stat, text];
        if (how[0] === "settings") return stat;
        const lines = text.split("\n").map((line, index) => [line, `${index + 1}`] as const);
        return [
          ...stat,
          ...lines.flatMap(([line, number]) => (line.match(patternOf(how[1]!)) ? [number, line] : [])),
        ];
      }
      case "list":
        return lists[what]?.filter((each) => each.match(patternOf(how[0]!))).flatMap(entry);
      case "process":
        if (what === "comm:java")
          return java.flatMap(([pid, cgroup, main]) => [
            pid,
            "5",
            "60",
            "S",
            "zookeeper:zookeeper",
            `0::${cgroup}\n`,
            main,
          ]);
        return [
          ...[what, "5", "60", "S", "zookeeper:zookeeper"],
          ...(how[0] === "program"
            ? ["1:2", "100.5"]
            : [
                `${runs!.argv!.join("\0")}\0`,
                runs!.jars!.join("\0"),
                "socket:[9]\x008:9",
                "JOURNAL_STREAM=8:9",
              ]),
        ];
      case "sockets.listening":
        return [sockets];
      case "zookeeper.words":
        expect([what, how[0]]).toEqual([address, "2181"]);
        return words;
      case "journal.unit":
        return [change.journal ?? ""];
      default:
        if (openHost(question) !== undefined) return openHost(question);
        throw new Error(`nobody expects the question ${name}`);
    }
  };
  return async (question) => {
    const fields = fieldsOf(question);
    return fields === undefined
      ? { is: "absent" }
      : { is: "value", value: fields.map((field) => Buffer.from(field)) };
  };
}

const patternOf = (perl: string) => new RegExp(perl.replaceAll("\\z", "$"));

async function lookAt(name: string, model: HostModel, change: Change = {}) {
  const desired = desiredFor(THREE, name);
  const questions: Question[] = [];
  const answer = hostOf(model, desired, change);
  const facts = await lookAtMember(
    new Reader((question) => {
      questions.push(question);
      return answer(question);
    }),
    desired,
  );
  return { facts, questions };
}

describe("a look at a member", () => {
  it.each(THREE)("makes facts of what %s says", async (name) => {
    const model = { ...modelOf(name), restarts: [0, 60] as const };
    const { facts } = await lookAt(name, model);
    const wanted = factsOf({ ...model, logs: [] });
    const file = (path: "zooCfg" | "unitFile" | "myid") => ({ ...wanted[path], changed: 1 });
    expect({ ...facts, surroundings: undefined }).toEqual({
      ...wanted,
      zooCfg: file("zooCfg"),
      unitFile: file("unitFile"),
      myid: file("myid"),
      unit: { ...wanted.unit, startedAt: 100.5, next: facts.unit.next },
      asked: { ...wanted.asked, at: `${desiredFor(THREE, name).address}:2181` },
    });
  });

  it("names servers that the unit did not start, and asks none of them for more", async () => {
    const sockets = 'LISTEN 0 50 *:2181 *:* users:(("java",pid=90,fd=9))';
    const java = [
      ["90", "/user.slice", MAIN],
      ["91", "/user.slice", ""],
    ] as const;
    const { runs: _, ...stopped } = modelOf("zk-1");
    const { facts, questions } = await lookAt("zk-1", stopped, { java, sockets });
    expect(facts).toMatchObject({
      process: undefined,
      strangers: [{ pid: 90, sockets: [{ address: "*", port: 2181 }] }],
    });
    const commandLines = questions.flatMap(([name, , ...parts]) => (name === "process" ? parts : []));
    expect(commandLines).not.toContain("cmdline");
  });

  it("gives the last words of the unit's journal when no server of it runs, and asks for none when one does", async () => {
    const journal =
      "Invalid config, exiting abnormally\n\tat x\nzookeeper.service: Failed\nStopped ZooKeeper.\n";
    const { runs: _, ...stopped } = modelOf("zk-1");
    expect((await lookAt("zk-1", stopped, { journal })).facts.lastWords).toBe(
      "Invalid config, exiting abnormally",
    );
    const running = await lookAt("zk-1", modelOf("zk-1"), { journal });
    expect(running.questions.map(([name]) => name)).not.toContain("journal.unit");
    const bare = await lookAt("zk-1", {}, { journal });
    expect(bare.questions.map(([name]) => name)).not.toContain("journal.unit");
  });

  it("looks at the directories that zoo.cfg and the server name as well", async () => {
    const model = modelOf("zk-1");
    const conf = "clientPort=2181\ndataDir=/srv/old/version-2\ndataLogDir=/srv/logs/version-2";
    const { facts } = await lookAt("zk-1", model, {
      files: { [ZOO_CFG]: `${model.zooCfg}dataDir=/srv/new\ndataLogDir=logs\n` },
      lists: { "/srv/old/version-2": ["log.1"], "/logs/version-2": ["snapshot.0"] },
      words: ["conf", "answered", conf],
    });
    expect(facts.data.map(({ directory, is }) => [directory, is])).toEqual([
      [DATA, "holds"],
      ["/srv/new", "none"],
      ["logs", "blank"],
      ["/srv/old", "holds"],
      ["/srv/logs", "none"],
    ]);
  });
});

describe("a ZooKeeper that answers a word late", () => {
  const answers = modelOf(LEADER).runs!.answers!;

  async function assessed(name: string, late: readonly string[]) {
    const words = Object.entries(answers).flatMap(([word, said]) =>
      late.includes(word) ? [word, "failed", LATE] : [word, "answered", said],
    );
    const { facts } = await lookAt(LEADER, modelOf(LEADER), { words });
    return assess(name, { [LEADER]: facts });
  }

  it.each([
    ["mntr", ["4lw.commands.whitelist", "quorum"]],
    ["conf", ["4lw.commands.whitelist"]],
    ["srvr", ["4lw.commands.whitelist"]],
    ["ruok", ["4lw.commands.whitelist"]],
  ])("%s leaves unknown what only that tells, with the reason", async (word, settings) => {
    const { open, changes } = await assessed(LEADER, [word]);
    expect(open.map(({ setting, verdict }) => [setting, verdict])).toEqual(
      settings.map((setting) => [setting, "unknown"]),
    );
    for (const { because } of open) expect(because).toContain(`${word}: ${LATE}`);
    expect(changes).toEqual([]);
  });

  it("is not taken for one that does not serve, nor for one that does", async () => {
    const own = await assessed(LEADER, ["srvr", "mntr", "conf", "isro", "ruok"]);
    expect(own.open.map(({ setting, verdict }) => [setting, verdict])).toEqual(
      ["4lw.commands.whitelist", "role", "quorum"].map((setting) => [setting, "unknown"]),
    );
    expect(own.changes).toEqual([]);
    const follower = await assessed("zk-1", ["srvr", "mntr"]);
    expect(follower.open).toMatchObject([
      { setting: "quorum", verdict: "unknown", because: expect.stringContaining("zk-3") },
    ]);
  });

  it("keeps everybody as they are when it runs with members that it does not tell", async () => {
    const edited = { ...modelOf("zk-1"), zooCfg: `${modelOf("zk-1").zooCfg}# by hand\n` };
    const words = ["srvr", "answered", answers.srvr!, "conf", "failed", LATE];
    const { facts } = await lookAt("zk-1", edited, { words });
    for (const name of THREE) {
      const { rows, changes } = assess(name, { "zk-1": facts });
      expect(rows.get("members")).toMatchObject({
        verdict: "unknown",
        because: expect.stringContaining(LATE),
      });
      expect(changes).toEqual([]);
    }
    // With its answer it is one change.
    const told = await lookAt("zk-1", edited);
    expect(assess("zk-1", { "zk-1": told.facts }).changes).toMatchObject([{ id: "configuration" }]);
  });
});

describe("what was not read whole", () => {
  it.each(THREE)(
    "on %s proposes no change to anybody, and calls no row anything but unknown",
    async (name) => {
      const desired = desiredFor(THREE, name);
      const recording: Recording = {};
      await lookAtMember(new Reader(recordTo(recording, hostOf(modelOf(name), desired))), desired);
      expect(Object.keys(recording).length).toBeGreaterThan(15);
      for (const [question, because, cut] of cutEach(recording)) {
        const facts = await readOr(lookAtMember(new Reader(askRecording(cut)), desired));
        for (const host of THREE) {
          const { rows, changes } = assess(host, { [name]: facts });
          expect(changes, question).toEqual([]);
          // One assertion for all rows: thousands of looks are judged here.
          const others = [...rows.values()].filter(
            ({ verdict }) => verdict !== "proven" && verdict !== "unknown",
          );
          expect(others, `${question} of ${host}`).toEqual([]);
          if (host !== name || facts instanceof NotRead) continue;
          const unknown = [...rows.values()].filter(({ verdict }) => verdict === "unknown");
          // dpkg's list only says whose a file is that is not as wanted.
          if (!/^(?:file|list) \/var\/lib\/dpkg\//.test(question))
            expect(unknown.map((row) => row.because).join(), question).toContain(because);
        }
      }
    },
  );

  it("is a stopped member's as well: nothing is started for it", async () => {
    const desired = desiredFor(THREE, "zk-1");
    const { runs: _, ...stopped } = modelOf("zk-1");
    const recording: Recording = {};
    const look = await lookAtMember(new Reader(recordTo(recording, hostOf(stopped, desired))), desired);
    expect(assess("zk-1", { "zk-1": look }).changes).toMatchObject([{ id: "start" }]);
    const harmless = [
      "file /var/lib/dpkg/status",
      "list /var/lib/dpkg/updates",
      "journal.unit",
      `file ${STARTED}`,
      // Of what has no process nothing was taken.
      `unit ${UNIT} MainPID ControlGroup`,
    ];
    for (const [question, because, cut] of cutEach(recording)) {
      const facts = await readOr(lookAtMember(new Reader(askRecording(cut)), desired));
      if (facts instanceof NotRead) expect(facts.message, question).toContain(because);
      else if (!harmless.some((each) => question.startsWith(each)))
        expect(assess("zk-1", { "zk-1": facts }).changes, question).toEqual([]);
    }
  });

  it.each([
    ["a number", "1\n", ["snapshot.0"], "holds"],
    ["no number", "x\n", ["snapshot.0"], "holds"],
    ["more than a number", "0\nx\n", ["snapshot.0"], "holds"],
    ["a 0", "0", ["snapshot.0"], "blank"],
    ["nothing", "", ["snapshot.0"], "blank"],
    ["a 0, in a directory with a log", "0\n", ["snapshot.0", "log.1"], "holds"],
    ["a 0, in a directory with a later snapshot", "0\n", ["snapshot.100000001"], "holds"],
    ["nothing, in a directory without a snapshot", "", [], "lost"],
  ])("an epoch that is %s", async (_, epoch, names, is) => {
    const { facts } = await lookAt("zk-1", modelOf("zk-1"), {
      files: { [`${DATA}/version-2/currentEpoch`]: epoch },
      lists: { [`${DATA}/version-2`]: ["currentEpoch", ...names] },
    });
    expect(facts.data).toEqual([{ directory: DATA, is, hasLogs: names.includes("log.1") }]);
  });

  it("is a myid that leads where its user may not: the data stays the member's", async () => {
    const desired = desiredFor(THREE, "zk-1");
    const recording: Recording = {};
    const { runs: _, ...stopped } = modelOf("zk-1");
    await lookAtMember(new Reader(recordTo(recording, hostOf(stopped, desired))), desired);
    const because = "zookeeper may not read it";
    recording[keyOf(["file", `${DATA}/myid`, "content", "", ""])] = { is: "unreadable", because };
    const facts = await lookAtMember(new Reader(askRecording(recording)), desired);
    const { rows, changes } = assess("zk-1", { "zk-1": facts });
    expect(rows.get("myid")).toMatchObject({ verdict: "unknown", because: expect.stringContaining(because) });
    expect(changes).toEqual([]);
    // The inventory's other id for it is no way round.
    const renumbered = ["zk-1=9", "zk-2=2", "zk-3=3"];
    expect(assess("zk-1", { "zk-1": facts }, renumbered).changes).toEqual([]);
  });
});

/** Why the reader does not tell something, in its own words. */
const REASONS = ["it took more than 10 s", "it changed while it was read", "Permission denied"];

/** Recordings in each of which one answer is unreadable: the question, why, and what is recorded then. */
function cutEach(recording: Recording): readonly (readonly [string, string, Recording])[] {
  return Object.keys(recording).flatMap((question) =>
    REASONS.map(
      (because) => [question, because, { ...recording, [question]: { is: "unreadable", because } }] as const,
    ),
  );
}

async function readOr(look: Promise<ZookeeperFacts>): Promise<ZookeeperFacts | NotRead> {
  try {
    return await look;
  } catch (error) {
    if (error instanceof NotRead) return error;
    throw error;
  }
}

const converged = Object.fromEntries(THREE.map((host) => [host, modelOf(host)]));
const convergedThree = fleetOf(THREE, converged);

/** Rows and changes of one host, where these hosts are as was seen, and the others converged. */
function assess(
  name: string,
  seen: Readonly<Record<string, ZookeeperFacts | NotRead>>,
  members: readonly string[] = THREE,
) {
  const fleet = new Map(members === THREE ? convergedThree : fleetOf(members, converged));
  for (const [host, facts] of Object.entries(seen)) {
    const known = fleet.get(host)!;
    if (known.is === "unseen") throw new Error(`${host} is unseen`);
    const { desired } = known;
    if (facts instanceof NotRead) fleet.set(host, { is: "unseen", desired, because: facts.message });
    else fleet.set(host, { ...known, facts });
  }
  const self = fleet.get(name)!;
  if (self.is === "unseen")
    return { rows: new Map<string, ReturnType<typeof judge>>(), open: [], changes: [] };
  const { readings, changes } = zookeeper.assess({ name, ...self, claims: new Map() }, fleet);
  holdRowsOfChanges(readings, changes);
  const rows = new Map(readings.map((reading) => [reading.setting, judge(reading)]));
  return { rows, open: [...rows.values()].filter(({ verdict }) => verdict !== "proven"), changes };
}
