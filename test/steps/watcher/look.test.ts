import { describe, expect, it, vi } from "vitest";
import type { InventoryView } from "../../../src/contract/inventory-view.ts";
import type { ByDns } from "../../../src/contract/mesh.ts";
import { sha256Of } from "../../../src/evidence/file.ts";
import { judge } from "../../../src/evidence/verdict.ts";
import { descriptionOf } from "../../../src/haproxy/settings.ts";
import { NotRead } from "../../../src/reader/answer.ts";
import type { Ask } from "../../../src/reader/protocol.ts";
import { Reader } from "../../../src/reader/reader.ts";
import type { Recording } from "../../../src/reader/recording.ts";
import { revealContent } from "../../../src/secret.ts";
import { assess } from "../../../src/steps/watcher/assess.ts";
import { watcherFiles } from "../../../src/steps/watcher/files.ts";
import { watcher } from "../../../src/steps/watcher/index.ts";
import { lookAtWatcher } from "../../../src/steps/watcher/look.ts";
import { expectCutAnswersToProveNothing } from "../../reader/cut-each.ts";
import {
  besideUnits,
  content,
  DPKG_UPDATES,
  file,
  infoRows,
  key,
  late,
  regular,
  UNIT_PROPERTIES,
} from "../../reader/recorded.ts";
import { absent, value } from "../../reader/told-host.ts";
import { askOpen } from "../../reader/told-open.ts";
import { tellTime } from "../../told-time.ts";
import { bookwormHost } from "../bookworm-host.ts";
import { holdRowsOfChanges } from "../rows-of-changes.ts";
import { desired, HAPROXY_CONFIG, haproxyConfig, KEY, service } from "./world.ts";

vi.mock("node:timers/promises", () => import("../../told-sleep.ts"));
tellTime();

const want = desired();
const WATCHER = "meshctl-watcher.service";
const INSTALLER = "meshctl-haproxy-install.service";
const PATH_UNIT = "meshctl-haproxy-install.path";
const INVOCATION = "0123456789abcdef0123456789abcdef";
const STATE = "/var/lib/meshctl-watcher";
const SERVERS = ["10.0.0.21:9001", "bee_10.0.0.22:9001"];
const ADMIN = "/run/haproxy/admin.sock";

const config = haproxyConfig(want, SERVERS);
const description = `${descriptionOf(want.settings)}-0123456789abcdef`;
const record = `# invocation ${INVOCATION}\n${config}`;
const own = watcherFiles(want, KEY);
const unitText = revealContent(own.find(({ path }) => path.endsWith(`/${WATCHER}`))!.content);

const start = (text: string): Record<string, string> => ({
  ExecStartPre: `{ path=x ; argv[]=${/^ExecStartPre=\+(.*)$/m.exec(text)?.[1]} ; ignore_errors=no ; pid=0 }`,
  ExecStart: `{ path=x ; argv[]=${/^ExecStart=(.*)$/m.exec(text)?.[1]} ; ignore_errors=no ; pid=0 }`,
  Environment: [...text.matchAll(/^Environment=(.*)$/gm)].map(([, words]) => words).join(" "),
  User: /^User=(.*)$/m.exec(text)?.[1] ?? "",
});

function unit(name: string, more: Readonly<Record<string, string>> = {}): Recording {
  const states: Record<string, string> = {
    ...{
      Id: name,
      LoadState: "loaded",
      ActiveState: "active",
      SubState: "running",
      UnitFileState: "enabled",
    },
    ...{ MainPID: "0", NRestarts: "0", Result: "success", StatusText: "", DropInPaths: "" },
    ...{
      FragmentPath: `/etc/systemd/system/${name}`,
      NeedDaemonReload: "no",
      InvocationID: INVOCATION,
      Slice: "system.slice",
    },
    ...more,
  };
  const text = own.find(({ path }) => path.endsWith(`/${name}`));
  return {
    [key("unit", name, ...UNIT_PROPERTIES)]: value(...Object.entries(states).flat()),
    [key("enabled", name)]: value(states.UnitFileState!),
    [key("file", `/etc/systemd/system/${name}`, "stat")]:
      text === undefined ? absent : value(...regular(text.path, "")),
    [key("list", `/etc/systemd/system/${name}.d`, "^[^.].*\\.conf$")]: absent,
  };
}

const children = (...nodes: readonly (readonly [string, string])[]) =>
  value("10.0.0.2:2181", nodes.length, ...nodes.flatMap(([name, data]) => [name, data, "00"]));
const REGISTRY = key(
  ...([
    "registry",
    "3",
    "10.0.0.2",
    "2181",
    "10.0.0.3",
    "2181",
    "10.0.0.4",
    "2181",
    "/services/user-api",
  ] as const),
);
const A = ["a_1", '{"host":"10.0.0.21","port":9001}'] as const;
const B = ["b_2", '{"host":"10.0.0.22","port":9001,"name":"bee"}'] as const;
const servers = (...names: readonly string[]) =>
  value(
    ...names.flatMap((name) => [
      ...["2", "user-api", name, "UP", 1, name.replace(/.*_/, ""), ""],
      ...["L7OK", "200", "OK"],
    ]),
    ...infoRows({ pid: "388", description }),
  );
const TREE = `/opt/meshctl/watcher/${KEY}`;
const RECORD = "/run/meshctl/watcher-started";
const started = own.map(({ path, sha256 }) => `${sha256}  ${path}\n`).join("");
const WAITING = key("list", STATE, "^(?:haproxy\\.cfg|haproxy\\.cfg\\.taken|reload-requested|reload-taken)$");
const INSTALL = content("/run/meshctl/haproxy-install");
const RELOAD = content("/run/meshctl/haproxy-reload");
const KEPT = content(`${STATE}/backends.json`, "long");
const LOADED = content("/run/meshctl/haproxy-loaded", "long");
const PROCESS = key("process", "4711", "cmdline");

/** What a converged Debian 12 says. */
const converged: Recording = {
  ...besideUnits(WATCHER, INSTALLER, PATH_UNIT),
  ...unit(WATCHER, { MainPID: "4711", ...start(unitText) }),
  ...unit(INSTALLER, { ActiveState: "inactive", UnitFileState: "static", ...start(textOf(INSTALLER)) }),
  ...unit(PATH_UNIT),
  [key("unit", "haproxy.service", ...UNIT_PROPERTIES)]: value("InvocationID", INVOCATION),
  ...asWritten(own),
  [content(HAPROXY_CONFIG, "long")]: file(HAPROXY_CONFIG, config),
  [key("file", "/var/lib/dpkg/status", "lines", "^ /etc/haproxy/haproxy\\.cfg [0-9a-f]{32}")]: value(
    ...regular("/var/lib/dpkg/status", ""),
  ),
  [DPKG_UPDATES]: value(),
  [key("file", "/usr/bin/ruby", "stat")]: value(...regular("/usr/bin/ruby3.1", "", "0755")),
  [key("list", "/opt/meshctl/watcher", "")]: value(
    ...[KEY, "directory", "root:root", "directory"],
    ...["record-start", "regular", "root:root", "regular"],
  ),
  [key("file", `${TREE}/SHA256SUMS`, "stat")]: value(...regular(`${TREE}/SHA256SUMS`, "")),
  [key("tree.damage", TREE)]: value(""),
  [key("user", "meshctl-watcher")]: value(
    "meshctl-watcher",
    990,
    990,
    STATE,
    "/usr/sbin/nologin",
    "meshctl-watcher",
  ),
  [key("list", "/usr/local/lib/site_ruby", "^\\d[\\d.]*$")]: absent,
  [key("process", "4711", "program", "started")]: value(
    ...[4711, 1, 3600, "S", "meshctl-watcher:meshctl-watcher", "1:2", "100.5"],
  ),
  [PROCESS]: value(
    4711,
    1,
    3600,
    "S",
    "meshctl-watcher:meshctl-watcher",
    `/usr/bin/ruby\0${TREE}/bin/synapse\0`,
  ),
  [content(RECORD)]: file(RECORD, `invocation ${INVOCATION}\n${started}`),
  [key("sockets.to", "2181")]: value(
    '0 0 10.0.0.1:5 10.0.0.3:2181 users:(("ruby",pid=4711,fd=9))\n0 0 10.0.0.1:6 10.0.0.4:2181 users:(("java",pid=1,fd=9))\n',
  ),
  [INSTALL]: file("/run/meshctl/haproxy-install", `ok\t${sha256Of(config)}\tinstalled\t\n`),
  [RELOAD]: file("/run/meshctl/haproxy-reload", `ok\t${description}\t\t388\n`),
  [KEPT]: absent,
  [LOADED]: file("/run/meshctl/haproxy-loaded", record),
  [WAITING]: value(),
  [key("haproxy.stat")]: servers(...SERVERS),
  [key("file", ADMIN, "stat")]: value("socket", "0660", "root:haproxy", 0, "", ADMIN, 1),
  [REGISTRY]: children(A, B),
};

function asWritten(files: typeof own): Recording {
  return Object.fromEntries(
    files.map(({ path, content: parts, mode, sha256 }) => {
      const text = revealContent(parts);
      return path.endsWith(`/${WATCHER}`)
        ? [content(path), file(path, text)]
        : [
            key("file", path, "content", sha256, `${Buffer.byteLength(text)}`),
            value(...regular(path, text, mode, sha256)),
          ];
    }),
  );
}

function textOf(name: string): string {
  return revealContent(own.find(({ path }) => path.endsWith(`/${name}`))!.content);
}

const host = bookwormHost({
  manifest: new Map([
    ...own.map(({ path, sha256 }) => [path, sha256] as const),
    [HAPROXY_CONFIG, sha256Of(config)],
  ]),
  packages: new Map([["ruby", "1:3.1"]]),
});

async function lookAt(changed: Recording = {}, ask: Ask = askOpen({ ...converged, ...changed })) {
  const facts = await lookAtWatcher(new Reader(ask), want);
  const { readings, changes } = assess({ name: "kvm-01", desired: want, facts, host }, new Map());
  holdRowsOfChanges(readings, changes);
  const rows = new Map(readings.map((reading) => [reading.setting, judge(reading)]));
  const open = [...rows.values()].filter(({ verdict }) => verdict !== "proven");
  return { facts, rows, open, changes };
}

describe("a look at the watcher", () => {
  it("finds a converged host as it is wanted", async () => {
    const { facts, open, changes } = await lookAt();
    expect(open).toEqual([]);
    expect(changes).toEqual([]);
    expect(facts).toMatchObject({
      ruby: "ruby3.1",
      builds: new Map([[KEY, ""]]),
      process: {
        user: "meshctl-watcher",
        ageSeconds: 3600,
        commandLine: `/usr/bin/ruby ${TREE}/bin/synapse`,
        isFrozen: false,
        sessions: ["10.0.0.3:2181"],
      },
      lastError: undefined,
      reload: { outcome: "ok", worker: 388 },
      waiting: [],
    });
  });

  it("tells a path that does not exist from one without children", async () => {
    const registry = async (answer: Recording[string]) =>
      (await lookAt({ [REGISTRY]: answer })).facts.registry;
    expect(await registry(children(["a_1", '{"host":"ü"}']))).toEqual({
      member: "10.0.0.2:2181",
      children: new Map([["user-api", new Map([["a_1", '{"host":"ü"}']])]]),
    });
    expect(await registry(children())).toMatchObject({ children: new Map([["user-api", new Map()]]) });
    expect(await registry(value("10.0.0.2:2181", "absent"))).toMatchObject({
      children: new Map([["user-api", undefined]]),
    });
    expect(await registry(late)).toEqual({ unreachable: late.because });
  });

  it("asks nothing of the registry where no service has a path", async () => {
    const fixed = desired({ services: [service({ discovery: { by: "inventory" } })] });
    const asked: string[] = [];
    const ask: Ask = async ([name]) => {
      asked.push(name);
      return absent;
    };
    await expect(lookAtWatcher(new Reader(ask), fixed)).rejects.toThrow(NotRead);
    expect(asked).not.toContain("registry");
  });

  it("believes the record of a start only when it is of this start", async () => {
    const { facts } = await lookAt();
    expect(facts.process?.startedWith?.get("/etc/meshctl/synapse.conf.json")).toMatch(/^[0-9a-f]{64}$/);
    const old = await lookAt({ [content(RECORD)]: file(RECORD, `invocation old\n${started}`) });
    expect(old.facts.process?.startedWith).toBeUndefined();
  });

  it("believes what HAProxy was loaded with only when it is of this start", async () => {
    expect((await lookAt()).facts.haproxy).toMatchObject({ loaded: { is: "value" } });
    const old = await lookAt({ [LOADED]: file("x", record.replace(INVOCATION, "old")) });
    expect(old.facts.haproxy).toMatchObject({ loaded: absent });
  });

  it("reads which servers the installer left out and why, also as an older one wrote it", async () => {
    const leftOut = async (field: string) => {
      const line = file("x", `ok\tabc\tsaid\t${field}\n`);
      return (await lookAt({ [INSTALL]: line })).facts.install?.leftOut;
    };
    expect(await leftOut("a/b_x:1=outside a/c:2")).toEqual([
      { server: "a/b_x:1", code: "outside" },
      { server: "a/c:2", code: "unresolved" },
    ]);
    expect(await leftOut("")).toEqual([]);
  });

  it("reads what the installer said", async () => {
    const { facts } = await lookAt({
      [INSTALL]: file("x", "invalid\tabc\t[ALERT] no"),
      [RELOAD]: file("x", "failed\tmeshctl-x\tthe old worker serves on\t388"),
    });
    expect(facts.install).toEqual({ outcome: "invalid", digest: "abc", message: "[ALERT] no", leftOut: [] });
    expect(facts.reload).toMatchObject({ worker: 388 });
  });

  it("tells a process that a signal has stopped, and one that ended meanwhile", async () => {
    const stopped = value(4711, 1, 34, "T", "meshctl-watcher:x", "/usr/bin/ruby\0x\0");
    expect((await lookAt({ [PROCESS]: stopped })).facts.process?.isFrozen).toBe(true);
    expect((await lookAt({ [PROCESS]: absent })).facts.process).toBeUndefined();
  });

  it("tells what waits for the installer, and not a link to nothing", async () => {
    const { facts } = await lookAt({
      [WAITING]: value(
        ...["haproxy.cfg", "regular", "a:a", "regular"],
        ...["reload-requested", "link", "a:a", ""],
      ),
    });
    expect(facts.waiting).toEqual(["haproxy.cfg"]);
  });

  it("names the Ruby that apt would install, or that it has none", async () => {
    const ruby = async (line: string, lists: Recording[string]) => {
      const { facts } = await lookAt({
        [key("file", "/usr/bin/ruby", "stat")]: absent,
        [key("candidate.version", "ruby")]: line === "" ? value() : value(line),
        [key("list", "/var/lib/apt/lists", "_Packages")]: lists,
      });
      return facts.rubyCandidate;
    };
    const some = value("x_Packages", "regular", "root:root", "regular");
    expect(await ruby("Version: 1:3.1", some)).toBe("ruby3.1");
    expect(await ruby("", some)).toBe("none");
    expect(await ruby("", absent)).toBeUndefined();
  });

  it("reads what the installer has made once it has nothing more to do", async () => {
    const before = {
      ...converged,
      [WAITING]: value("haproxy.cfg.taken", "regular", "root:root", "regular"),
      [content(HAPROXY_CONFIG, "long")]: file(HAPROXY_CONFIG, haproxyConfig(want, SERVERS.slice(0, 1))),
    };
    expect((await lookAt(before)).open).not.toEqual([]);
    const ask: Ask = Object.assign(askOpen(before), { anew: () => askOpen(converged) });
    expect((await lookAt({}, ask)).open).toEqual([]);
  });

  it("looks again while HAProxy is behind the registry, and gives that up", async () => {
    const behind = { ...converged, [key("haproxy.stat")]: servers("10.0.0.21:9001") };
    const moving = (looks: number): Ask => {
      let look = 0;
      const ask = (recording: Recording): Ask =>
        Object.assign(askOpen(recording), {
          anew: () => ask(++look < looks ? behind : converged),
        });
      return ask(behind);
    };
    expect((await lookAt({}, moving(2))).open).toEqual([]);
    const { rows } = await lookAt({}, moving(1000));
    expect(rows.get("service user-api")?.verdict).toBe("not-in-force");
  }, 30_000);
});

describe("a look at a service that DNS tells", () => {
  const dns: ByDns = {
    by: "dns",
    names: [
      { host: "a.example", port: 9001 },
      { host: "b.example", port: 9001 },
      { host: "a.example", port: 9002 },
    ],
    nameserver: "10.0.0.53",
    intervalMs: 30_000,
  };
  const told = desired({ services: [service({ discovery: dns })] });
  const QUESTION = key("dns", "10.0.0.53", "a.example", "b.example");
  const recorded = (answer: Recording[string], ...names: readonly string[]) =>
    askOpen({
      ...converged,
      ...asWritten(watcherFiles(told, KEY)),
      [QUESTION]: answer,
      [key("haproxy.stat")]: servers(...names),
    });
  const answer = value("a.example\t=\t10.0.0.21", "b.example\t=\t10.0.0.22");
  const all = ["10.0.0.21:9001", "10.0.0.21:9002", "10.0.0.22:9001"];

  it("asks for each name once, and not for the registry", async () => {
    const asked: string[][] = [];
    const answered = recorded(answer, ...all);
    const { dns: found, registry } = await lookAtWatcher(
      new Reader(async (question) => {
        asked.push([...question]);
        return answered(question);
      }),
      told,
    );
    expect(asked.filter(([name]) => name === "dns" || name === "registry")).toEqual([
      ["dns", "10.0.0.53", "a.example", "b.example"],
    ]);
    expect(registry).toBeUndefined();
    expect(found.get("user-api")).toEqual({
      is: "value",
      value: new Map([
        ["a.example", ["10.0.0.21"]],
        ["b.example", ["10.0.0.22"]],
      ]),
    });
  });

  it("takes a reason for none of a name's addresses, and nothing for a name that it lacks", async () => {
    const of = async (told_: Recording[string]) =>
      (await lookAtWatcher(new Reader(recorded(told_, ...all)), told)).dns.get("user-api");
    const gone = { because: "b.example does not exist, says 10.0.0.53 (NXDOMAIN)" };
    expect(await of(value("a.example\t=\t10.0.0.21", `b.example\t${gone.because}`))).toEqual({
      is: "value",
      value: new Map<string, unknown>([
        ["a.example", ["10.0.0.21"]],
        ["b.example", gone],
      ]),
    });
    expect(await of(value("a.example\t=\t10.0.0.21"))).toEqual({
      is: "value",
      value: new Map([["a.example", ["10.0.0.21"]]]),
    });
    expect(await of(late)).toEqual(late);
  });

  it("waits for as long as Synapse may take to ask again, and no longer", async () => {
    const looks = async (until: number) => {
      let look = 0;
      const ask = (): Ask =>
        Object.assign(recorded(answer, ...(look < until ? all.slice(1) : all)), {
          anew: () => {
            look++;
            return ask();
          },
        });
      const { haproxy } = await lookAtWatcher(new Reader(ask()), told);
      return { look, servers: "servers" in haproxy ? haproxy.servers.length : 0 };
    };
    expect(await looks(50)).toEqual({ look: 50, servers: 3 });
    const given = await looks(10_000);
    expect(given.servers).toBe(2);
    expect(given.look).toBeLessThan(80);
  }, 30_000);
});

describe("what was not read whole", () => {
  it("proves nothing, and nothing is changed for it", async () => {
    const unknown = await expectCutAnswersToProveNothing({
      step: watcher,
      desired: want,
      host,
      ask: askOpen(converged),
      needless: [
        ...[key("file", ADMIN, "stat"), key("file", "/var/lib/dpkg/status", "lines"), DPKG_UPDATES],
        // Of what has no process nothing was taken.
        "unit meshctl-haproxy-install.service MainPID ControlGroup",
        "unit meshctl-haproxy-install.path MainPID ControlGroup",
      ],
    });
    expect(unknown.get(key("haproxy.stat"))).toEqual([
      "Synapse's last candidate",
      "haproxy.cfg",
      "service user-api",
    ]);
    expect(unknown.get(key("tree.damage", TREE))).toEqual(["gems"]);
  });
});

describe("the watcher's parameters", () => {
  it("keep the last servers unless told otherwise", () => {
    expect(watcher.parameters.parse({})).toEqual({ when_empty: "keep_last", replaces: [] });
    expect(watcher.parameters.safeParse({ when_empty: "panic" }).success).toBe(false);
    expect(watcher.parameters.safeParse({ gem: 1 }).success).toBe(false);
  });

  it("name a build host that there is", () => {
    const inventory = { hosts: new Map([["kvm-01", {}]]) } as unknown as InventoryView;
    const problems = (build_host: string) =>
      watcher.problems!({ when_empty: "keep_last", replaces: [], build_host }, {} as never, inventory);
    expect(problems("kvm-01")).toEqual([]);
    expect(problems("kvm-09")).toEqual([
      { path: ["build_host"], message: '"kvm-09" is not a host of the inventory' },
    ]);
  });
});
