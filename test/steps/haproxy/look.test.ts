import { describe, expect, it } from "vitest";
import type { HostFacts } from "../../../src/contract/host.ts";
import { sha256Of } from "../../../src/evidence/file.ts";
import { judge } from "../../../src/evidence/verdict.ts";
import { descriptionOf } from "../../../src/haproxy/settings.ts";
import type { Answer } from "../../../src/reader/answer.ts";
import type { Ask, Fields } from "../../../src/reader/protocol.ts";
import { Reader } from "../../../src/reader/reader.ts";
import type { Recording } from "../../../src/reader/recording.ts";
import { revealContent } from "../../../src/secret.ts";
import { assess } from "../../../src/steps/haproxy/assess.ts";
import type { HaproxyDesired } from "../../../src/steps/haproxy/desired.ts";
import { haproxyFiles } from "../../../src/steps/haproxy/files.ts";
import { haproxy } from "../../../src/steps/haproxy/index.ts";
import { lookAtHaproxy } from "../../../src/steps/haproxy/look.ts";
import { CONFIG, DROP_IN, LOAD_RECORDER, UNIT } from "../../../src/steps/haproxy/paths.ts";
import { service } from "../../haproxy/mesh.ts";
import { expectCutAnswersToProveNothing } from "../../reader/cut-each.ts";
import {
  besideUnits,
  DPKG_UPDATES,
  infoRows,
  key,
  late,
  regular,
  UNIT_PROPERTIES,
} from "../../reader/recorded.ts";
import { absent, value } from "../../reader/told-host.ts";
import { askOpen } from "../../reader/told-open.ts";
import { holdRowsOfChanges } from "../rows-of-changes.ts";
import { configText, desired, hostFacts, INVOCATION } from "./host.ts";

const LOADED = "/run/meshctl/haproxy-loaded";
const ADMIN = "/run/haproxy/admin.sock";
const DEFAULTS = "/etc/default/haproxy";
const VARIABLES = "^\\s*(?:CONFIG|PIDFILE|EXTRAOPTS|OPTIONS)=";

const SERVING = key("serving", "7", "127.0.0.1", "8080", "GET", "/health");

const wanted = (how: string, path: string, text: string) =>
  key("file", path, how, sha256Of(text), `${Buffer.byteLength(text)}`);
const unitKey = key("unit", UNIT, ...UNIT_PROPERTIES);
const long = (path: string) => key("file", path, "long", "", "");

const states: Readonly<Record<string, string>> = {
  Id: UNIT,
  LoadState: "loaded",
  ActiveState: "active",
  SubState: "running",
  UnitFileState: "enabled",
  MainPID: "360",
  NRestarts: "0",
  Result: "success",
  StatusText: "",
  FragmentPath: "/lib/systemd/system/haproxy.service",
  DropInPaths: DROP_IN,
  NeedDaemonReload: "no",
  InvocationID: INVOCATION,
  ExecStart:
    "{ path=x ; argv[]=/usr/sbin/haproxy -Ws -f $CONFIG -p $PIDFILE $EXTRAOPTS ; ignore_errors=no ; pid=0 }",
  Environment: `CONFIG=${CONFIG} PIDFILE=/run/haproxy.pid "EXTRAOPTS=-S /run/haproxy-master.sock"`,
  EnvironmentFiles: `${DEFAULTS} (ignore_errors=yes)`,
  User: "",
  RootDirectory: "",
  Slice: "system.slice",
  ExecStartPre: `{ path=x ; argv[]=${LOAD_RECORDER} ${LOADED} ${CONFIG} ; ignore_errors=yes ; pid=0 }`,
  ExecReload: `{ path=x ; argv[]=${LOAD_RECORDER} ${LOADED} ${CONFIG} ; ignore_errors=yes ; pid=0 }`,
};
const unit = (more: Readonly<Record<string, string>> = {}) =>
  value(...Object.entries({ ...states, ...more }).flat());

const process = (pid: number, ...parts: string[]) => value(pid, 4711, 3600, "S", "root:root", ...parts);
const command = ["/usr/sbin/haproxy", "-Ws", "-f", CONFIG, ""].join("\0");
const limits =
  "Limit   Soft Limit  Hard Limit  Units\nMax open files            18044                20000                files\n";
const info = (want: HaproxyDesired) => ({
  version: "2.6.12-1+deb12u4",
  pid: "388",
  maxconn: String(want.parameters.maxconn),
  description: descriptionOf(want.settings),
});
const ANSWER =
  "360 master 1 [failed: 0] 0d00h00m03s 2.6.12\n# workers\n388  worker  0  0d00h00m02s 2.6.12\n\n";

/** What a converged Debian 12 says. */
function converged(want: HaproxyDesired): Recording {
  const files = haproxyFiles(want);
  const dropIn = revealContent(files.dropIn.content);
  const recorder = revealContent(files.loadRecorder.content);
  const text = configText(want);
  const loaded = `# invocation ${INVOCATION}\n${text}`;
  return {
    ...besideUnits(UNIT),
    ...(want.watched
      ? {
          [long(CONFIG)]: value(...regular(CONFIG, text), text),
          [key("file", "/var/lib/dpkg/status", "lines", `^ /etc/haproxy/haproxy\\.cfg [0-9a-f]{32}`)]: value(
            ...regular("/var/lib/dpkg/status", ""),
            ...[17, ` ${CONFIG} ${"a".repeat(32)}`],
          ),
          [DPKG_UPDATES]: value(),
        }
      : { [wanted("long", CONFIG, text)]: value(...regular(CONFIG, text, "0644", sha256Of(text))) }),
    [wanted("content", DROP_IN, dropIn)]: value(...regular(DROP_IN, dropIn, "0644", sha256Of(dropIn))),
    [wanted("content", LOAD_RECORDER, recorder)]: value(
      ...regular(LOAD_RECORDER, recorder, "0755", sha256Of(recorder)),
    ),
    [long(LOADED)]: value(...regular(LOADED, loaded, "0600"), loaded),
    [unitKey]: unit(),
    [key("enabled", UNIT)]: value("enabled"),
    [key("nft.ruleset")]: value('{"nftables":[]}'),
    [key("iptables.rules")]: value(""),
    [key("user", "haproxy")]: value("haproxy", 100, 100, "/var/lib/haproxy", "/usr/sbin/nologin", "haproxy"),
    [key("unit", UNIT, "LimitNOFILE")]: value("LimitNOFILE", 524288),
    [key("file", `/etc/systemd/system/${UNIT}`, "stat")]: absent,
    [key("list", `/etc/systemd/system/${UNIT}.d`, "^[^.].*\\.conf$")]: value(
      "meshctl.conf",
      "regular",
      "root:root",
      "regular",
    ),
    [key("file", DROP_IN, "settings")]: value(...regular(DROP_IN, dropIn)),
    [key("process", "360", "program", "started")]: process(360, "1:2", "100.5"),
    [key("process", "360", "cmdline", "limits")]: process(360, command, limits),
    [key("process", "388", "cmdline", "limits")]: process(388, command, limits),
    [key("process", "comm:haproxy", "cgroup")]: value(
      ...[360, 1, 1, "S", "root:root", `0::/system.slice/${UNIT}\n`],
      ...[388, 1, 1, "S", "haproxy:haproxy", `0::/system.slice/${UNIT}\n`],
    ),
    [key("sockets.listening")]: value(
      'LISTEN 0 4096 127.0.0.1:8080 0.0.0.0:* users:(("haproxy",pid=388,fd=7))\n',
    ),
    ...Object.fromEntries(
      ["meshctl-watcher.service", "meshctl-haproxy-install.path"].flatMap((name) => [
        [
          key("unit", name, "LoadState", "ActiveState"),
          value("LoadState", "not-found", "ActiveState", "inactive"),
        ],
        [key("enabled", name), value("not-found")],
      ]),
    ),
    [key("file", "/usr/sbin/haproxy", "stat")]: value(...regular("/usr/sbin/haproxy", "ELF", "0755")),
    [key("file", DEFAULTS, "lines", VARIABLES)]: value(...regular(DEFAULTS, "")),
    [key("file", ADMIN, "stat")]: value("socket", "0660", "root:haproxy", 0, "", ADMIN, 1),
    // Asked only where the worker itself does not answer.
    [key("haproxy.info_by_master", "388")]: value(...Object.entries(info(want)).flat()),
    [key("haproxy.stat")]: value(
      ...["0", "user-api", "FRONTEND", "OPEN", "", "", want.parameters.maxconn, "", "", ""],
      ...["2", "user-api", "a", "UP", 1, "10.0.0.9:80", "", "L7OK", "200", "OK"],
      ...infoRows(info(want)),
    ),
    [SERVING]: value("answered", "200"),
    [key("haproxy.processes")]: value(ANSWER),
  };
}

async function lookAt(changed: Recording, want = desired(), of: Partial<HostFacts> = {}) {
  const reader = new Reader(askOpen({ ...converged(want), ...changed }));
  const facts = await lookAtHaproxy(reader, want);
  const { readings, changes } = assess(want, facts, hostFacts(want, of), true);
  holdRowsOfChanges(readings, changes);
  const rows = new Map(readings.map((reading) => [reading.setting, judge(reading)]));
  const open = [...rows.values()].filter(({ verdict }) => verdict !== "proven");
  return { facts, rows, open, changes };
}

describe("a look at HAProxy", () => {
  it.each([false, true])("finds a converged host as it is wanted (watched: %s)", async (watched) => {
    const { facts, open, changes } = await lookAt({}, desired({ watched }));
    expect(open).toEqual([]);
    expect(changes).toEqual([]);
    expect(facts).toMatchObject({
      master: {
        value: { pid: 360, command: ["/usr/sbin/haproxy", "-Ws", "-f", CONFIG], hardOpenFiles: 20000 },
      },
      worker: { value: { pid: 388 } },
      processes: { value: { workers: [388], reloads: 1 } },
      infoFrom: ADMIN,
      journal: [],
    });
  });

  it("asks in two rounds", async () => {
    const recorded = askOpen(converged(desired()));
    let rounds = 0;
    let waiting: (() => void)[] = [];
    const ask: Ask = (question) =>
      new Promise<Answer<Fields>>((resolve, reject) => {
        if (waiting.length === 0)
          setImmediate(() => {
            rounds += 1;
            const all = waiting;
            waiting = [];
            for (const answer of all) answer();
          });
        waiting.push(() => recorded(question).then(resolve, reject));
      });
    await lookAtHaproxy(new Reader(ask), desired());
    expect(rounds).toBe(2);
  });
});

describe("a look at a HAProxy that", () => {
  const lost = { [key("haproxy.stat")]: absent };

  it.each([
    ["has lost its socket's file", { [key("file", ADMIN, "stat")]: absent }, "No such file or directory"],
    ["nobody listens for", {}, "Connection refused"],
  ])("%s asks the master, and tells why", async (_, changed, because) => {
    const { facts, rows, changes } = await lookAt({ ...lost, ...changed });
    expect(facts).toMatchObject({
      socket: { is: "lost", because },
      infoFrom: "/run/haproxy-master.sock",
      worker: { value: { pid: 388 } },
    });
    expect(rows.get("admin socket")?.verdict).toBe("not-in-force");
    expect(rows.get("settings")?.verdict).toBe("proven");
    expect(changes).toMatchObject([{ disrupts: { kind: "restart" } }]);
  });

  it("does not answer, nor its master, is unknown, and neither reloaded nor restarted", async () => {
    const silent = {
      [key("haproxy.stat")]: late,
      [key("haproxy.processes")]: late,
    };
    const { rows, changes } = await lookAt(silent);
    const unknown = ["settings", "admin socket", "last reload", "maxconn", "retries", "user-api servers"];
    for (const setting of unknown)
      expect(rows.get(setting)).toMatchObject({
        verdict: "unknown",
        because: expect.stringContaining(late.because),
      });
    expect(changes).toEqual([]);
  });

  it("does not answer is no cause of putting files back", async () => {
    const { facts } = await lookAt({
      [key("haproxy.stat")]: late,
      [key("haproxy.info_by_master", "388")]: late,
    });
    expect(haproxy.service!.health(facts)).toMatchObject({ is: "undecided" });
  });

  const journal = (name: string, argument: string) => key(name, argument, "80");

  it("refused its file is asked what it said", async () => {
    const { facts } = await lookAt({
      [key("haproxy.processes")]: value(ANSWER.replace("failed: 0", "failed: 1")),
      [journal("journal.invocation", INVOCATION)]: value("[NOTICE] one\n[ALERT] two\n"),
    });
    expect(facts.journal).toEqual(["[NOTICE] one", "[ALERT] two"]);
  });

  it("has failed is asked for nothing but why", async () => {
    const { facts } = await lookAt({
      [unitKey]: unit({ MainPID: "0", ActiveState: "failed" }),
      [key("haproxy.check")]: value(1),
      [journal("journal.output", UNIT)]: value("[ALERT] no\n"),
    });
    expect(facts).toMatchObject({
      configCheck: { value: 1 },
      journal: ["[ALERT] no"],
      info: new Map(),
      processes: absent,
      loaded: absent,
      socket: { is: "silent" },
    });
  });

  it("somebody stopped says nothing", async () => {
    const { facts } = await lookAt({
      [unitKey]: unit({ MainPID: "0", ActiveState: "inactive" }),
      [key("haproxy.check")]: value(0),
    });
    expect(facts).toMatchObject({ configCheck: { value: 0 }, journal: [] });
  });

  it("is down is not started while it is not known whether it takes the watcher's file", async () => {
    const changed = {
      [unitKey]: unit({ MainPID: "0", ActiveState: "inactive" }),
      [key("haproxy.check")]: late,
    };
    const { rows, changes } = await lookAt(changed, desired({ watched: true }));
    expect(changes).toEqual([]);
    expect(rows.get("running")?.because).toContain(late.because);
    // Where this step writes the file it is checked once more before the start.
    expect((await lookAt(changed)).changes).toMatchObject([{ validate: {} }]);
  });

  const bare: Recording = {
    [key("file", "/usr/sbin/haproxy", "stat")]: absent,
    [unitKey]: unit({
      ...{ LoadState: "not-found", ActiveState: "inactive" },
      ...{ MainPID: "0", EnvironmentFiles: "" },
    }),
  };
  const nothing = { packages: new Map<string, string>() };

  it("is not there is one that apt offers", async () => {
    const offered = { ...bare, [key("candidate", "haproxy")]: value("  Candidate: 2.6.12-1+deb12u4") };
    const { rows, changes } = await lookAt(offered, desired(), nothing);
    expect(rows.get("version")?.because).toBe("not installed; apt offers 2.6.12-1+deb12u4");
    expect(changes.map(({ id }) => id)).toContain("packages");
  });

  it("is not there is not installed while it is not known which one that would be", async () => {
    const unread = { ...bare, [key("candidate", "haproxy")]: late };
    const { rows, changes } = await lookAt(unread, desired(), nothing);
    expect(rows.get("version")).toMatchObject({
      verdict: "unknown",
      because: expect.stringContaining(late.because),
    });
    expect(changes.map(({ id }) => id)).not.toContain("packages");
  });

  const listeners = (users: string) =>
    value(`LISTEN 0 9 127.0.0.1:8080 0.0.0.0:* users:(("haproxy",pid=388,fd=7),${users})\n`);

  it.each<[string, Recording[string], string[]]>([
    ["of another service", process(77, "0::/system.slice/shadow.service\n"), ["nginx"]],
    ["of the service, by another name", process(77, `0::/system.slice/${UNIT}\n`), []],
    ["that has ended", absent, []],
  ])("shares its port with a program %s", async (_, answer, strangers) => {
    const { facts } = await lookAt({
      [key("sockets.listening")]: listeners('("nginx",pid=77,fd=5)'),
      [key("process", "77", "cgroup")]: answer,
    });
    expect(facts.strangers).toMatchObject({ value: strangers.map((process) => ({ process, pid: 77 })) });
  });

  it("shares its port with a program that was not told is unknown", async () => {
    const { rows } = await lookAt({
      [key("sockets.listening")]: listeners('("nginx",pid=77,fd=5)'),
      [key("process", "77", "cgroup")]: late,
    });
    expect(rows.get("user-api front end")?.verdict).toBe("unknown");
  });

  it("has a server by a name is asked whether that is found, of no other", async () => {
    const want = desired({ watched: true });
    const { serverOptions } = want.settings.services[0]!;
    const text = `${configText(want)}    server x_gone.lab:80 gone.lab:80 ${serverOptions} disabled\n`;
    const { rows } = await lookAt(
      {
        [long(CONFIG)]: value(...regular(CONFIG, text), text),
        [key("resolution", "gone.lab")]: value("gone.lab", "Name or service not known"),
        [key("file", "/etc/hosts", "lines", String.raw`^[^#]*\s(?:gone\.lab)(?:\s|$)`)]: value(
          ...regular("/etc/hosts", ""),
        ),
      },
      want,
    );
    expect(rows.get("haproxy.cfg")).toMatchObject({
      verdict: "proven",
      warning: expect.stringMatching(
        /the next start of HAProxy is refused.* gone\.lab of user-api\/x_gone\.lab:80 .*: Name or service not known/,
      ),
    });
  });

  describe("sends a server that has a name", () => {
    const HOSTS = String.raw`^[^#]*\s(?:db\.lab)(?:\s|$)`;
    const namesRow = async (
      sentTo: string,
      leadsTo: string,
      line?: string,
      resolution: NonNullable<Recording[string]> = value("db.lab", `= ${leadsTo}`),
    ) => {
      const want = desired({ services: [service({ servers: [{ name: "a", host: "db.lab", port: 80 }] })] });
      const table = [
        ...["0", "user-api", "FRONTEND", "OPEN", "", "", want.parameters.maxconn, "", "", ""],
        ...["2", "user-api", "a", "UP", 1, `${sentTo}:80`, "", "L7OK", "200", "OK"],
        ...["set", "user-api", "a", "0", "", "", "0", "0", "db.lab", ""],
      ];
      const { rows, changes } = await lookAt(
        {
          [key("haproxy.stat")]: value(...table),
          [key("resolution", "db.lab")]: resolution,
          [key("file", "/etc/hosts", "lines", HOSTS)]: value(
            ...regular("/etc/hosts", ""),
            ...(line === undefined ? [] : [7, line]),
          ),
        },
        want,
      );
      expect(changes).toEqual([]);
      return rows.get("names of servers");
    };

    it("where that leads is proven", async () => {
      const row = await namesRow("10.0.0.9", "10.0.0.8 10.0.0.9");
      expect(row).toMatchObject({ verdict: "proven" });
      expect(row).not.toHaveProperty("warning");
    });

    it("that nobody looked up is not known", async () => {
      const late = { is: "unreadable", because: "no answer within 10 s" } as const;
      expect(await namesRow("10.0.0.9", "", undefined, late)).toMatchObject({ verdict: "unknown" });
    });

    it("elsewhere than /etc/hosts says is not", async () => {
      expect(await namesRow("10.0.0.9", "127.0.0.7", "127.0.0.7 db.lab")).toMatchObject({
        verdict: "blocked",
        because:
          "user-api/a is sent to 10.0.0.9, and db.lab leads to 127.0.0.7 (/etc/hosts:7): systemctl reload haproxy if that is right, and mend /etc/hosts if not",
      });
    });

    it("to the second one of /etc/hosts is not: the next start takes the first", async () => {
      expect(await namesRow("10.0.0.9", "127.0.0.8 10.0.0.9", "127.0.0.8 db.lab")).toMatchObject({
        verdict: "blocked",
        because: expect.stringContaining("db.lab leads to 127.0.0.8, 10.0.0.9 (/etc/hosts:7)"),
      });
    });

    it("to another of those that a name server tells in turns is a warning", async () => {
      expect(await namesRow("10.0.0.9", "10.0.0.8")).toMatchObject({
        verdict: "proven",
        warning: expect.stringMatching(/leads to 10\.0\.0\.8: .*unless they take turns$/),
      });
    });
  });

  it("and its table are told by one worker, whichever answered before", async () => {
    const want = desired();
    const { facts } = await lookAt({
      [key("haproxy.stat")]: value(
        ...["0", "user-api", "FRONTEND", "OPEN", "", "", want.parameters.maxconn, "", "", ""],
        ...["info", "pid", "400", "", "", "", "", "", "", ""],
        ...["info", "description", "of the next", "", "", "", "", "", "", ""],
      ),
      [key("process", "400", "cmdline", "limits")]: absent,
      [journal("journal.invocation", INVOCATION)]: value(""),
    });
    expect(Object.fromEntries(facts.info)).toEqual({ pid: "400", description: "of the next" });
  });

  it("the service did not start is told by its control group, on every port", async () => {
    const { facts } = await lookAt({
      [key("process", "comm:haproxy", "cgroup")]: value(
        ...[388, 1, 1, "S", "haproxy:haproxy", `0::/system.slice/${UNIT}\n`],
        ...[999, 1, 1, "S", "root:root", "0::/user.slice\n"],
      ),
      [key("sockets.listening")]: value(
        'LISTEN 0 9 127.0.0.1:8080 0.0.0.0:* users:(("haproxy",pid=999,fd=5),("haproxy",pid=388,fd=7))\n' +
          'LISTEN 0 9 *:9 *:* users:(("haproxy",pid=999,fd=5))\n',
      ),
    });
    expect(facts.strangers).toEqual({
      is: "value",
      value: [
        { address: "127.0.0.1", port: 8080, process: "haproxy", pid: 999 },
        { address: "*", port: 9, process: "haproxy", pid: 999 },
      ],
    });
  });
});

describe("files of variables", () => {
  it.each<[string, Recording[string], boolean]>([
    ["that is a fifo", value("fifo", "0644", "root:root", 0, "", DEFAULTS, 1), false],
    ["that was not read", late, false],
    ["that is /dev/null", value("character special file", "0666", "root:root", 0, "", "/dev/null", 1), true],
    ["that is not there", absent, true],
  ])("%s", async (_, answer, isKnown) => {
    const { rows, changes } = await lookAt({ [key("file", DEFAULTS, "lines", VARIABLES)]: answer });
    expect(rows.get("starts with")?.verdict).toBe(isKnown ? "proven" : "unknown");
    expect(changes).toEqual([]);
  });

  it("are read with their numbers, and without blanks around", async () => {
    const lines = value(...regular(DEFAULTS, ""), 7, '  CONFIG="/srv/x.cfg" ');
    const { facts } = await lookAt({ [key("file", DEFAULTS, "lines", VARIABLES)]: lines });
    expect(facts.environmentLines).toEqual([{ path: DEFAULTS, line: 7, text: 'CONFIG="/srv/x.cfg"' }]);
  });
});

describe("haproxy.cfg of thousands of servers", () => {
  const want = desired({ watched: true });
  const { serverOptions } = want.settings.services[0]!;
  const servers = Array.from({ length: 3_000 }, (_, index) => {
    const at = `10.0.${index >> 8}.${index & 255}:9001`;
    return `    server ${at} ${at} id ${index + 1} cookie ${at} ${serverOptions}\n`;
  }).join("");
  const text = configText(want) + servers;
  const record = `# invocation ${INVOCATION}\n${text}`;
  const large = (content: string): Recording => ({
    [long(CONFIG)]: value(...regular(CONFIG, content), content),
    [long(LOADED)]: value(...regular(LOADED, record, "0600"), record),
  });

  it("is compared", async () => {
    expect(text.length).toBeGreaterThan(256 * 1024);
    expect((await lookAt(large(text), want)).open).toEqual([]);
    const { rows } = await lookAt(large(text.replace("retries 3", "retries 9")), want);
    expect(rows.get("retries")).toMatchObject({ verdict: "pending", onDisk: { value: "9" } });
  });

  it("and larger than anything that is sent is unknown, and nothing is changed for it", async () => {
    const { rows, changes } = await lookAt(
      { [long(CONFIG)]: value(...regular(CONFIG, text, "0644", "b".repeat(64))) },
      want,
    );
    expect(rows.get("settings")).toMatchObject({
      verdict: "unknown",
      because: "/etc/haproxy/haproxy.cfg could not be read: it is larger than 3 MiB",
    });
    expect(rows.get("haproxy.cfg")?.verdict).toBe("unknown");
    expect(rows.get("user-api front end")?.verdict).toBe("unknown");
    expect(changes).toEqual([]);
  });
});

describe("what was not read whole", () => {
  it.each([false, true])("proves nothing, and nothing is changed for it (watched: %s)", async (watched) => {
    const want = desired({ watched });
    const unknown = await expectCutAnswersToProveNothing({
      step: haproxy,
      desired: want,
      host: hostFacts(want),
      ask: askOpen(converged(want)),
      needless: [key("file", ADMIN, "stat"), key("file", "/var/lib/dpkg/status", "lines"), DPKG_UPDATES],
    });
    expect(unknown.get(key("haproxy.processes"))).toEqual(["last reload"]);
  });
});
