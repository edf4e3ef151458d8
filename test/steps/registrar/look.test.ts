import { describe, expect, it, vi } from "vitest";
import { judge } from "../../../src/evidence/verdict.ts";
import { NotRead, NotUnderstood } from "../../../src/reader/answer.ts";
import type { Ask, Question } from "../../../src/reader/protocol.ts";
import { Reader } from "../../../src/reader/reader.ts";
import type { Recording } from "../../../src/reader/recording.ts";
import { revealContent } from "../../../src/secret.ts";
import { assess } from "../../../src/steps/registrar/assess.ts";
import { registrarFiles } from "../../../src/steps/registrar/files.ts";
import { registrar } from "../../../src/steps/registrar/index.ts";
import { lookAtRegistrar } from "../../../src/steps/registrar/look.ts";
import { CREDENTIALS } from "../../../src/steps/registrar/paths.ts";
import { expectCutAnswersToProveNothing } from "../../reader/cut-each.ts";
import { besideUnits, content, file, key, late, regular, UNIT_PROPERTIES } from "../../reader/recorded.ts";
import { absent, value } from "../../reader/told-host.ts";
import { askOpen, openHost } from "../../reader/told-open.ts";
import { tellTime } from "../../told-time.ts";
import { bookwormHost } from "../bookworm-host.ts";
import { holdRowsOfChanges } from "../rows-of-changes.ts";
import { auth, desired, KEY, SESSION, userApi } from "./world.ts";

vi.mock("node:timers/promises", () => import("../../told-sleep.ts"));
tellTime();

const want = desired({ services: [{ ...userApi, check: { ...userApi.check, timeoutMs: 500 } }] });
const UNIT = "meshctl-registrar.service";
const UNIT_FILE = `/etc/systemd/system/${UNIT}`;
const INVOCATION = "0123456789abcdef0123456789abcdef";
const TREE = `/opt/meshctl/registrar/${KEY}`;
const RECORD = "/run/meshctl/registrar-started";

const own = registrarFiles(want, KEY);
const unitText = revealContent(own.find(({ path }) => path === UNIT_FILE)!.content);
const started = own.map(({ path, sha256 }) => `${sha256}  ${path}\n`).join("");
const states: Readonly<Record<string, string>> = {
  ...{ Id: UNIT, LoadState: "loaded", ActiveState: "active", SubState: "running", UnitFileState: "enabled" },
  ...{ MainPID: "4711", NRestarts: "0", Result: "success", StatusText: "", DropInPaths: "" },
  ...{ FragmentPath: UNIT_FILE, NeedDaemonReload: "no", InvocationID: INVOCATION },
  ExecStartPre: `{ path=x ; argv[]=${/^ExecStartPre=\+(.*)$/m.exec(unitText)?.[1]} ; ignore_errors=no ; pid=0 }`,
  ExecStart: `{ path=x ; argv[]=${/^ExecStart=(.*)$/m.exec(unitText)?.[1]} ; ignore_errors=no ; pid=0 }`,
  Environment: [...unitText.matchAll(/^Environment=(.*)$/gm)].map(([, words]) => words).join(" "),
  User: "meshctl-registrar",
  Slice: "system.slice",
};

const SYSTEMD = key("unit", UNIT, ...UNIT_PROPERTIES);
const HEALTH = key("health", "10.0.0.11", "9000", "0.5", "/health");
const NODES = content("/run/meshctl-registrar/nodes.json", "long");
const REGISTRY = key("registry", "1", "10.0.0.2", "2181", "/services/user-api");
const ACCOUNT = key("file", CREDENTIALS, "digest", "", "");
const NODE = "app-01_0000000003";
const DATA = '{"host":"10.0.0.11","port":9000,"name":"app-01"}';
const children = (...nodes: readonly (readonly [name: string, data: string, owner: string])[]) =>
  value("10.0.0.2:2181", nodes.length, ...nodes.flat());
const nodes = (text: string) => file("/run/meshctl-registrar/nodes.json", text);

/** What a converged Debian 12 says. */
const converged: Recording = {
  ...besideUnits(UNIT),
  [SYSTEMD]: value(...Object.entries(states).flat()),
  [key("enabled", UNIT)]: value("enabled"),
  [key("file", UNIT_FILE, "stat")]: value(...regular(UNIT_FILE, "")),
  [key("list", `${UNIT_FILE}.d`, "^[^.].*\\.conf$")]: absent,
  ...Object.fromEntries(
    own.map(({ path, content: parts, mode, sha256 }) => {
      const text = revealContent(parts);
      return path === UNIT_FILE
        ? [content(path), file(path, text)]
        : [
            key("file", path, "content", sha256, `${Buffer.byteLength(text)}`),
            value(...regular(path, text, mode, sha256)),
          ];
    }),
  ),
  [key("file", "/usr/bin/ruby", "stat")]: value(...regular("/usr/bin/ruby3.1", "", "0755")),
  [key("list", "/opt/meshctl/registrar", "")]: value(
    ...[KEY, "directory", "root:root", "directory"],
    ...["record-start", "regular", "root:root", "regular"],
  ),
  [key("file", `${TREE}/SHA256SUMS`, "stat")]: value(...regular(`${TREE}/SHA256SUMS`, "")),
  [key("tree.damage", TREE)]: value(""),
  [key("list", "/usr/local/lib/site_ruby", "^\\d[\\d.]*$")]: absent,
  [key("user", "meshctl-registrar")]: value(
    ...["meshctl-registrar", 990, 990, "/nonexistent", "/usr/sbin/nologin", "meshctl-registrar"],
  ),
  [key("process", "4711", "program", "started")]: value(
    ...[4711, 1, 3600, "S", "meshctl-registrar:meshctl-registrar", "1:2", "100.5"],
  ),
  [key("process", "4711", "cmdline")]: value(
    ...[4711, 1, 3600, "S", "meshctl-registrar:meshctl-registrar", `/usr/bin/ruby\0${TREE}/bin/nerve\0`],
  ),
  [content(RECORD)]: file(RECORD, `invocation ${INVOCATION}\n${started}`),
  [key("sockets.to", "2181")]: value('0 0 10.0.0.11:5 10.0.0.2:2181 users:(("ruby",pid=4711,fd=9))\n'),
  [HEALTH]: value(""),
  [NODES]: nodes(`{"user-api":{"path":"/services/user-api/${NODE}","session":"${SESSION}"}}`),
  [REGISTRY]: children([NODE, DATA, SESSION]),
  [ACCOUNT]: absent,
};

const host = bookwormHost({
  manifest: new Map(own.map(({ path, sha256 }) => [path, sha256] as const)),
  packages: new Map([["ruby", "1:3.1"]]),
});

async function lookAt(changed: Recording = {}, ask: Ask = askOpen({ ...converged, ...changed })) {
  const facts = await lookAtRegistrar(new Reader(ask), want);
  const { readings, changes } = assess({ name: "app-01", desired: want, facts, host }, new Map());
  holdRowsOfChanges(readings, changes);
  const rows = new Map(readings.map((reading) => [reading.setting, judge(reading)]));
  const open = [...rows.values()].filter(({ verdict }) => verdict !== "proven");
  return { facts, service: rows.get("service user-api")!, open, changes };
}

const told = (...fields: readonly (string | number)[]) => ({
  is: "value" as const,
  value: fields.map((field) => Buffer.from(`${field}`)),
});

describe("a look at the registrar", () => {
  it("finds a converged host as it is wanted", async () => {
    const { facts, open, changes } = await lookAt();
    expect(open).toEqual([]);
    expect(changes).toEqual([]);
    expect(facts).toMatchObject({
      ruby: "ruby3.1",
      builds: new Map([[KEY, ""]]),
      process: { user: "meshctl-registrar", ageSeconds: 3600, sessions: ["10.0.0.2:2181"] },
      failing: new Map([["user-api", ""]]),
      nodes: new Map([["user-api", { path: `/services/user-api/${NODE}`, session: SESSION }]]),
    });
  });

  it("tells a node of a session from one that outlives its maker", async () => {
    const { facts } = await lookAt({
      [REGISTRY]: children(
        [NODE, '{"host":"10.0.0.11","port":9000,"name":"app-01","weight":5}', SESSION],
        ["static", "not JSON", "0000000000000000"],
      ),
    });
    expect(facts.registry).toEqual({
      member: "10.0.0.2:2181",
      children: [
        {
          service: "user-api",
          name: NODE,
          endpoint: { host: "10.0.0.11", port: 9000, weight: 5, options: "", labels: {} },
          owner: SESSION,
        },
        { service: "user-api", name: "static", endpoint: undefined, owner: undefined },
      ],
    });
  });

  it("tells why a check fails, and that its service is rightly left out", async () => {
    const refused = "10.0.0.11:9000: Connection refused";
    const { facts, service, open } = await lookAt({
      [HEALTH]: value(refused),
      [NODES]: nodes(`{"user-api":{"path":"/services/user-api/${NODE}","session":"${SESSION}","left":true}}`),
      [REGISTRY]: value("10.0.0.2:2181", "absent"),
    });
    expect(facts.failing).toEqual(new Map([["user-api", refused]]));
    expect(service.warning).toContain(refused);
    expect(open).toEqual([]);
  });

  it("asks a service that is only connected to for no path", async () => {
    const tcp = desired({ services: [{ ...userApi, check: { ...userApi.check, httpPath: undefined } }] });
    const asked: Question[] = [];
    const ask: Ask = async (question) => {
      asked.push(question);
      return absent;
    };
    await expect(lookAtRegistrar(new Reader(ask), tcp)).rejects.toThrow(NotRead);
    expect(asked).toContainEqual(["health", "10.0.0.11", "9000", "1", ""]);
  });

  it("asks no member and checks nothing where the host registers nothing", async () => {
    const asked: string[] = [];
    const ask: Ask = async ([name]) => {
      asked.push(name);
      return absent;
    };
    await expect(lookAtRegistrar(new Reader(ask), desired({ services: [] }))).rejects.toThrow(NotRead);
    expect(asked).not.toContain("registry");
    expect(asked).not.toContain("health");
  });

  it("finds an account that is left where the host registers nothing, and what it alone may open", async () => {
    const none = desired({
      services: [],
      paths: ["/services/user-api", "/services/former"],
    });
    const asked: Question[] = [];
    const ask: Ask = async (question) => {
      asked.push(question);
      if (question[0] === "registry.acls")
        return told("10.0.0.2:2181", ...question.slice(5).map(() => "digest:meshctl:x:31 world:anyone:1"));
      return question[1] === CREDENTIALS
        ? told(...regular(CREDENTIALS, "secret", "0640", "0".repeat(64)))
        : question[2] === "content"
          ? { is: "absent" }
          : askOpen(converged)(question);
    };
    const facts = await lookAtRegistrar(new Reader(ask), none);
    expect(asked.map(([name]) => name)).not.toContain("health");
    expect(facts).toMatchObject({ credentials: { kind: "regular" } });
    expect([...(facts.acls as ReadonlyMap<string, string>).keys()]).toEqual([
      "/services",
      "/services/user-api",
      "/services/former",
    ]);
    const wanted = await lookAtRegistrar(new Reader(ask), { ...none, auth });
    expect(wanted).toMatchObject({ credentials: { kind: "regular" }, acls: undefined });
  });

  it("opens directories of meshctl's own to all, and no file in /etc/meshctl", async () => {
    const ask: Ask = async (question) => {
      if (question[0] !== "may") return askOpen(converged)(question);
      const fields = question.slice(4).flatMap((path) => {
        const closed = /^\/(?:etc\/meshctl|opt\/meshctl\/registrar)/.exec(path)?.[0];
        return closed === undefined
          ? openHost(["may", "", "", "", path])!
          : ["closed", "", "", closed, "directory", "0700", "root:root"];
      });
      return told(...fields);
    };
    const { changes } = await lookAt({}, ask);
    expect(changes.map(({ id }) => id)).toEqual(["permissions"]);
    expect(changes[0]!.commands).toMatchObject([
      { argv: ["chmod", "a+rx", "--", "/etc/meshctl"] },
      { argv: ["chmod", "-R", "a+rX", "--", "/opt/meshctl/registrar"] },
    ]);
  });

  it("takes a Nerve that wrote no nodes down for one that made none, and does not understand half a file", async () => {
    expect((await lookAt({ [NODES]: absent })).facts.nodes).toEqual(new Map());
    await expect(lookAt({ [NODES]: nodes('{"user-api":') })).rejects.toThrow(NotUnderstood);
  });

  it.each([
    ["a healthy service is not registered yet", { [NODES]: nodes("{}"), [REGISTRY]: children() }],
    [
      "a service that is not healthy is registered",
      { [HEALTH]: value("10.0.0.11:9000: Connection refused") },
    ],
  ])(
    "looks again while %s, and gives that up",
    async (_, changed) => {
      const moving = (looks: number): Ask => {
        let look = 0;
        const ask = (recording: Recording): Ask =>
          Object.assign(askOpen(recording), {
            anew: () => ask(++look < looks ? { ...converged, ...changed } : converged),
          });
        return ask({ ...converged, ...changed });
      };
      expect((await lookAt({}, moving(2))).open).toEqual([]);
      expect((await lookAt({}, moving(1000))).service.verdict).toBe("not-in-force");
    },
    60_000,
  );

  it.each([
    ["does not run", "inactive", undefined],
    ["a run has stopped for a while", "active", true],
  ])("waits for no Nerve that %s", async (_, timer, isDrained) => {
    const stopped = { ...states, ActiveState: "inactive", SubState: "dead", MainPID: "0" };
    const recording: Recording = {
      ...converged,
      [SYSTEMD]: value(...Object.entries(stopped).flat()),
      [NODES]: absent,
      [REGISTRY]: children(),
      [key("unit", "meshctl-undrain.timer", "ActiveState")]: value("ActiveState", timer),
    };
    const ask = Object.assign(askOpen(recording), {
      anew: (): Ask => {
        throw new Error("it looks again");
      },
    });
    const { facts, service } = await lookAt({}, ask);
    expect(facts.isDrained).toBe(isDrained);
    expect(service).toMatchObject({ verdict: "not-in-force", because: "Nerve does not run" });
  });
});

describe("what was not read whole", () => {
  it("proves nothing, and nothing is changed for it", async () => {
    const unknown = await expectCutAnswersToProveNothing({
      step: registrar,
      desired: want,
      host,
      ask: askOpen(converged),
    });
    for (const question of [HEALTH, NODES, REGISTRY])
      expect(unknown.get(question)).toEqual(["service user-api"]);
    expect(unknown.get(ACCOUNT)).toEqual(["ACL of /services/user-api", CREDENTIALS]);
    expect(unknown.get(key("tree.damage", TREE))).toEqual(["gems"]);
    expect(unknown.get(key("sockets.to", "2181"))).toEqual(["ZooKeeper session"]);
  });

  it("takes no service for one that is not registered, also where others are known", async () => {
    const { service, changes } = await lookAt({ [HEALTH]: late, [REGISTRY]: children() });
    expect(service).toMatchObject({ verdict: "unknown", because: expect.stringContaining(late.because) });
    expect(changes).toEqual([]);
  });
});

describe("a look at a registrar with an account", () => {
  const withAccount = { ...want, auth };
  const files = registrarFiles(withAccount, KEY);
  const unit = revealContent(files.find(({ path }) => path === UNIT_FILE)!.content);
  const account = files.find(({ path }) => path === CREDENTIALS)!;
  const environment = [...unit.matchAll(/^Environment=(.*)$/gm)].map(([, words]) => words).join(" ");
  const ACLS = key(
    ...["registry.acls", auth.digest.reveal(), "1", "10.0.0.2", "2181", "/services", "/services/user-api"],
    `/services/user-api/${NODE}`,
  );
  const recording: Recording = {
    ...converged,
    [SYSTEMD]: value(...Object.entries({ ...states, Environment: environment }).flat()),
    [content(UNIT_FILE)]: file(UNIT_FILE, unit),
    [content(RECORD)]: file(
      RECORD,
      `invocation ${INVOCATION}\n${files.map(({ path, sha256 }) => `${sha256}  ${path}\n`).join("")}`,
    ),
    [ACCOUNT]: value(...regular(CREDENTIALS, revealContent(account.content), "0640", account.sha256)),
    [ACLS]: value("10.0.0.2:2181", "own:31 world:anyone:5", "own:31 world:anyone:1", "own:31 world:anyone:1"),
  };
  const converts = (fields: NonNullable<Recording[string]>) => {
    if (fields.is !== "value") throw new Error("no answer");
    const owned = fields.value.map((field) => (field === "root:root" ? "root:meshctl-registrar" : field));
    return { is: "value", value: owned } as const;
  };

  it("finds it as it is wanted, and proves nothing by what was not read", async () => {
    const unknown = await expectCutAnswersToProveNothing({
      step: registrar,
      desired: withAccount,
      host: bookwormHost({
        manifest: new Map(files.map(({ path, sha256 }) => [path, sha256] as const)),
        packages: new Map([["ruby", "1:3.1"]]),
      }),
      ask: askOpen({ ...recording, [ACCOUNT]: converts(recording[ACCOUNT]!) }),
    });
    expect(unknown.get(ACLS)).toEqual(["ACL of /services/user-api", "ACL of nodes in /services/user-api"]);
    expect(unknown.get(ACCOUNT)).toContain(CREDENTIALS);
  });
});
