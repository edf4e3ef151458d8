import { describe, expect, it } from "vitest";
import { bootPlan, rivalsOf } from "../../src/daemon/boot.ts";
import { isLiving } from "../../src/daemon/living.ts";
import { judgeStart, type StartNeeds } from "../../src/daemon/next-start.ts";
import { bootRow, nextStartRow } from "../../src/daemon/rows.ts";
import type { NextStart, UnitLine } from "../../src/daemon/start-facts.ts";
import { unitFact } from "../../src/daemon/unit.ts";
import { judge } from "../../src/evidence/verdict.ts";

const UNIT = "x.service";
const PATH = `/etc/systemd/system/${UNIT}.d/y.conf`;
const NEEDS: StartNeeds = { memoryBytes: 2 ** 29, tasks: 50 };
const UNLIMITED = {
  memoryMax: Number.POSITIVE_INFINITY,
  memoryHigh: Number.POSITIVE_INFINITY,
  processors: Number.POSITIVE_INFINITY,
  tasksMax: Number.POSITIVE_INFINITY,
  diskBytes: Number.POSITIVE_INFINITY,
  tasks: 0,
  denied: [],
  allowed: [],
};
const plan = (...names: readonly string[]) =>
  bootPlan([
    ["multi-user.target", "", "", "", ""],
    ...["multi-user.target", ...names].map((name) => [name, "multi-user.target", "running", "", ""]),
  ]);

function unit(next: Partial<NextStart> = {}, properties: Record<string, string> = {}, enabled = "enabled") {
  const known: Record<string, string> = {
    LoadState: "loaded",
    FragmentPath: `/lib/systemd/system/${UNIT}`,
    ExecStart: "{ path=/usr/bin/x ; argv[]=/usr/bin/x $OPTIONS ; ignore_errors=no ; }",
    Environment: "LANG=C",
    ...properties,
  };
  return unitFact(UNIT, {
    values: (property) => [known[property] ?? []].flat(),
    enabled,
    ageSeconds: 5000,
    hasUnread: false,
    startLines: [],
    next: {
      lines: [],
      programs: [],
      runs: undefined,
      limits: [{ name: UNIT, ...UNLIMITED }],
      startsBefore: [],
      reloads: [],
      wantedBy: [],
      conflictedBy: [],
      boot: { is: "value", value: plan(UNIT) },
      manager: { is: "value", value: [] },
      endings: { is: "value", value: [] },
      restarts: undefined,
      ...next,
    },
  });
}

const line = (text: string, more: Partial<UnitLine> = {}): UnitLine => {
  const [, key, value] = /^(\w+)=(.*)$/.exec(text)!;
  return { path: PATH, line: 2, section: "Service", key: key!, value: value!, isStarted: false, ...more };
};
const judged = (...lines: readonly UnitLine[]) => judgeStart(unit({ lines }), NEEDS);

it("a service that dies now and then stays down where deaths of a day count together", () => {
  expect(judged(line("StartLimitIntervalSec=1d")).warnings).toEqual([
    expect.stringContaining("no longer starts x.service"),
  ]);
  expect(judged(line("StartLimitIntervalSec=10min"))).toEqual({
    blocked: [],
    warnings: [],
    unread: undefined,
  });
});

it("an order that goes in a circle keeps it from booting, one that waits perhaps", () => {
  const { blocked, warnings } = judgeStart(
    unit({ circle: ["y.service"], neverRun: ["wait.service"] }),
    NEEDS,
  );
  expect(blocked).toEqual([expect.stringContaining("started before y.service and after it")]);
  expect(warnings).toEqual([expect.stringContaining("after wait.service, which has not come up")]);
});

describe("a line of somebody's drop-in", () => {
  it.each([
    "LimitNOFILE=65536",
    "LimitNOFILE=65536:524288",
    "Restart=always",
    "Restart=on-failure",
    "RestartSec=5",
    "MemoryMax=8G",
    "Nice=-5",
    "OOMScoreAdjust=-600",
    "Environment=TZ MALLOC_ARENA_MAX HTTPS_PROXY",
    "After=network-online.target remote-fs.target",
    "Wants=network-online.target",
    "TimeoutStartSec=5min",
    "TimeoutStartSec=infinity",
    "TimeoutStopSec=5",
    "CPUQuota=200%",
    "TasksMax=8192",
    "ProtectSystem=full",
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "PrivateNetwork=no",
    "NoNewPrivileges=yes",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
    "StandardOutput=journal",
    "SyslogIdentifier=x",
    "ExecStartPre=-/usr/local/bin/notify",
    "ReadWritePaths=-/srv/x",
    "StartLimitIntervalSec=0",
    "WatchdogSec=0",
    "SystemCallFilter=",
  ])("%s is nobody's business", (text) => {
    expect(judged(line(text))).toEqual({ blocked: [], warnings: [], unread: undefined });
  });

  it.each([
    "Type=notify",
    "ExecStartPre=/usr/local/bin/check",
    "ExecCondition=/usr/bin/test -e /x",
    "PrivateNetwork=yes",
    "ProtectSystem=strict",
    "ReadOnlyPaths=/var",
    "InaccessiblePaths=/etc/x",
    "RestrictAddressFamilies=AF_UNIX",
    "RestrictAddressFamilies=~AF_INET",
    "IPAddressDeny=any",
    "SystemCallFilter=~@network-io",
    "MemoryDenyWriteExecute=yes",
    "LimitNOFILE=64",
    "LimitAS=100M",
    "User=nobody",
    "WorkingDirectory=/srv/gone",
    "TimeoutStartSec=1",
    "WatchdogSec=5s",
    "StandardOutput=file:/srv/gone/x.log",
    "LoadCredential=a:/etc/gone",
    "NoExecPaths=/usr",
    // No capability at all; of most other keys no value is the one they have by themselves.
    "CapabilityBoundingSet=",
  ])("%s is believed only when what runs was started with it", (text) => {
    expect(judged(line(text)).blocked).toEqual([expect.stringContaining(`${PATH}:2 ${text}`)]);
    expect(judged(line(text, { isStarted: true })).blocked).toEqual([]);
  });

  it.each(["inactive", "failed"])(
    "of a unit that is %s is tried by the start that brings it up",
    (active) => {
      const found = judgeStart(unit({ lines: [line("LimitAS=100M")] }, { ActiveState: active }), NEEDS);
      expect(found.blocked).toEqual([]);
      expect(found.warnings).toEqual([
        `${PATH}:2 LimitAS=100M may keep ${UNIT} from starting, which its next start shows`,
      ]);
    },
  );

  it.each([
    ["RuntimeMaxSec=60", "again and again"],
    ["RefuseManualStart=yes", "systemctl cannot start"],
  ])("%s is never right", (text, words) => {
    expect(judged(line(text, { isStarted: true })).blocked).toEqual([expect.stringContaining(words)]);
  });

  it.each(["Restart=no", "ExecReload=/bin/kill -HUP $MAINPID", "FailureAction=reboot", "Whatever=1"])(
    "%s is told",
    (text) => {
      expect(judged(line(text))).toMatchObject({
        blocked: [],
        warnings: [expect.stringContaining(`${PATH}:2`)],
      });
    },
  );

  it("with a condition counts as it holds, and is unknown where nobody can tell", () => {
    const condition = (holds: UnitLine["holds"]) => judged(line("ConditionPathExists=/x", { holds: holds! }));
    expect(condition({ is: "value", value: true }).blocked).toEqual([]);
    expect(condition({ is: "value", value: false }).blocked).toEqual([
      expect.stringContaining("does not hold"),
    ]);
    expect(condition({ is: "unreadable", because: "late" })).toMatchObject({
      blocked: [],
      unread: { because: "late" },
    });
  });

  it.each([
    ["Requires=y.service", "not-found", "inactive", true],
    ["Requires=y.service", "loaded", "inactive", false],
    ["Requires=y.service", "loaded", "failed", true],
    ["BindsTo=y.service", "loaded", "inactive", true],
    ["Requisite=y.service", "loaded", "active", false],
    ["Conflicts=y.service", "loaded", "active", true],
    ["Conflicts=y.service", "not-found", "inactive", false],
  ])("%s (%s, %s)", (text, load, active, isBlocked) => {
    const { blocked } = judged(line(text, { units: [{ unit: "y.service", load, active }] }));
    expect(blocked.length > 0).toBe(isBlocked);
  });

  it("is nobody's in a file of meshctl's, and in [Install]", () => {
    const lines = [line("Type=exec"), line("WantedBy=x.target", { path: "/other", section: "Install" })];
    expect(judgeStart(unit({ lines }), { ...NEEDS, own: [PATH] }).blocked).toEqual([]);
  });
});

describe("the next start of a unit", () => {
  it("is told of a program that leads to what no package brings", () => {
    const found = (realPath: string) => ({ is: "value", value: { because: "", realPath, id: "" } }) as const;
    const said = (path: string, realPath: string) =>
      judgeStart(unit({ programs: [{ path, found: found(realPath) }] }), NEEDS).warnings;
    expect(said("/usr/bin/java", "/opt/jdk/bin/java")).toEqual([
      expect.stringContaining("/usr/bin/java leads to /opt/jdk/bin/java, which no package"),
    ]);
    expect(said("/usr/bin/java", "/usr/lib/jvm/java-17-openjdk-amd64/bin/java")).toEqual([]);
    expect(said("/opt/meshctl/watcher/start", "/opt/meshctl/watcher/start")).toEqual([]);
  });

  it("needs its programs", () => {
    const found = {
      is: "value",
      value: { because: "/usr/bin/x is not there", realPath: "", id: "" },
    } as const;
    const row = judge(nextStartRow(unit({ programs: [{ path: "/usr/bin/x", found }] }), NEEDS));
    expect(row).toMatchObject({
      verdict: "blocked",
      because: expect.stringContaining("/usr/bin/x is not there"),
    });
  });

  it("is unknown where a program was not read", () => {
    const found = { is: "unreadable", because: "late" } as const;
    const row = judge(nextStartRow(unit({ programs: [{ path: "/usr/bin/x", found }] }), NEEDS));
    expect(row).toMatchObject({ verdict: "unknown", because: expect.stringContaining("late") });
  });

  it("takes another program than the one that runs, where that was replaced", () => {
    const found = { is: "value", value: { because: "", realPath: "/usr/bin/x", id: "1:2" } } as const;
    const told = (program: string) =>
      judgeStart(unit({ programs: [{ path: "/usr/bin/x", found }], runs: { pid: 7, program } }), NEEDS)
        .warnings;
    expect(told("1:2")).toEqual([]);
    expect(told("1:9")).toEqual([expect.stringContaining("was replaced since the start")]);
  });

  it.each([
    [UNIT, { memoryMax: 2 ** 28 }, true],
    ["apps.slice", { memoryMax: 2 ** 28 }, true],
    ["apps.slice", { memoryMax: 2 ** 30 }, false],
    ["apps.slice", { tasksMax: 10 }, true],
    ["apps.slice", { tasksMax: 60, tasks: 70 }, true],
  ])("fits into %s with %j: blocked %s", (name, limit, isBlocked) => {
    const { blocked } = judgeStart(unit({ limits: [{ name, ...UNLIMITED, ...limit }] }), NEEDS);
    expect(blocked.length > 0).toBe(isBlocked);
  });

  it.each([
    ["apps.slice", { denied: ["::/0", "0.0.0.0/0"] }, 1, 0],
    ["apps.slice", { denied: ["::/0", "0.0.0.0/0"], allowed: ["127.0.0.0/8", "10.0.0.0/8"] }, 0, 1],
    ["apps.slice", { denied: ["10.0.0.3/32"] }, 0, 1],
    ["apps.slice", { denied: ["169.254.169.254/32"] }, 0, 0],
    // A drop-in of its own is told by its line.
    [UNIT, { denied: ["::/0", "0.0.0.0/0"] }, 0, 0],
  ])("gets its packets in %s with %j: blocked %d, warned %d", (name, limit, blocked, warned) => {
    const found = judgeStart(unit({ limits: [{ name, ...UNLIMITED, ...limit }] }), NEEDS);
    expect([found.blocked.length, found.warnings.length]).toEqual([blocked, warned]);
  });

  it.each([
    [1000, 1],
    [200 << 20, 0],
  ])("reads and writes %d bytes in a second of its slice: warned %d", (diskBytes, warned) => {
    const found = judgeStart(unit({ limits: [{ name: "apps.slice", ...UNLIMITED, diskBytes }] }), NEEDS);
    expect([found.blocked.length, found.warnings.length]).toEqual([0, warned]);
  });

  it("gets those that any slice of its lets through", () => {
    const limits = [
      { name: "system.slice", ...UNLIMITED, allowed: ["0.0.0.0/0", "::/0"] },
      { name: "-.slice", ...UNLIMITED, denied: ["0.0.0.0/0", "::/0"] },
    ];
    expect(judgeStart(unit({ limits }), NEEDS).blocked).toEqual([]);
  });

  it("needs no packets where it sets the kernel alone", () => {
    const limits = [{ name: "system.slice", ...UNLIMITED, denied: ["0.0.0.0/0"] }];
    const found = judgeStart({ ...unit({ limits }), name: "systemd-sysctl.service" }, NEEDS);
    expect([found.blocked, found.warnings]).toEqual([[], []]);
  });

  it.each([
    [UNIT, 0.01, [expect.stringContaining(`CPUQuota= of ${UNIT} leaves 1% of a processor`)]],
    [
      "apps.slice",
      0.1,
      [expect.stringContaining(`CPUQuota= of apps.slice, which ${UNIT} is in, leaves 10%`)],
    ],
    [UNIT, 0.5, []],
  ])("is throttled by %s with %d of a processor", (name, processors, told) => {
    const { blocked, warnings } = judgeStart(unit({ limits: [{ name, ...UNLIMITED, processors }] }), NEEDS);
    expect([blocked, warnings]).toEqual([[], told]);
  });

  it.each([
    ["LD_PRELOAD", true],
    ["JAVA_TOOL_OPTIONS", true],
    ["OPTIONS", true],
    ["LANG", false],
    ["HTTP_PROXY PATH LC_ALL", false],
  ])("of which systemd's environment has %s: blocked %s", (value, isBlocked) => {
    const manager = {
      is: "value",
      value: [{ place: "systemctl show-environment", key: "Environment", value }],
    } as const;
    const { blocked } = judgeStart(unit({ manager }), NEEDS);
    expect(blocked.length > 0).toBe(isBlocked);
    if (isBlocked) expect(blocked[0]).toContain(`systemctl unset-environment ${value}`);
  });

  it.each([
    ["DefaultTasksMax", "20", /DefaultTasksMax=20 holds for every service and may keep x\.service/],
    ["DefaultTasksMax", "80%", undefined],
    ["DefaultTasksMax", "4915", undefined],
    ["DefaultLimitNOFILE", "256", /may keep x\.service from starting/],
    ["DefaultLimitNOFILE", "1024:524288", undefined],
    ["DefaultLimitAS", "64M", /may keep x\.service from starting/],
    ["DefaultLimitNPROC", "65536", undefined],
    ["DefaultLimitAS", "64M:infinity", /may keep x\.service from starting/],
    ["DefaultLimitSTACK", "8M:infinity", undefined],
    ["DefaultLimitSTACK", "64K", /may keep x\.service from starting/],
    ["DefaultLimitFSIZE", "infinity:infinity", undefined],
    ["Kernel", "systemd.mask=x", /begin with systemd\.mask=x: .*update-grub/],
    ["Kernel", "systemd.mask=x.service", /begin with/],
    ["Kernel", "systemd.mask=y.service systemd.unit=multi-user.target", undefined],
    ["Kernel", "systemd.unit=rescue.target", /begin with/],
    ["Kernel", "single", /begin with single/],
    ["Kernel", "init=/bin/sh", /begin with init=\/bin\/sh/],
    ["Kernel", "init=/lib/systemd/systemd", undefined],
    ["Kernel", "init=/bin/systemd", undefined],
    ["Kernel", "systemd.volatile=yes", /begin with systemd\.volatile=yes/],
    ["Kernel", "overlayroot=tmpfs", /begin with overlayroot=tmpfs/],
    ["Kernel", "systemd.volatile=no overlayroot=disabled", undefined],
    ["Fstab", "UUID=dead on /srv", /mounts UUID=dead on \/srv .*emergency mode before x\.service .*nofail/],
  ])("of which every service, or the boot, has %s=%s", (key, value, because) => {
    const manager = { is: "value", value: [{ place: "/etc/x:7", key, value }] } as const;
    const { blocked } = judgeStart(unit({ manager }), NEEDS);
    if (because === undefined) expect(blocked).toEqual([]);
    else expect(blocked).toEqual([expect.stringMatching(because)]);
  });

  it("goes by the last word on a limit: a later file's, or its own", () => {
    const low = { place: "/etc/a:1", key: "DefaultLimitNOFILE", value: "256" };
    const high = { place: "/etc/b:1", key: "DefaultLimitNOFILE", value: "65536" };
    const judge = (value: readonly (typeof low)[], ...lines: readonly UnitLine[]) =>
      judgeStart(unit({ manager: { is: "value", value }, lines }), NEEDS).blocked;
    expect(judge([high, low])).toHaveLength(1);
    expect(judge([low, high])).toEqual([]);
    expect(judge([low], line("LimitNOFILE=65536"))).toEqual([]);
  });

  it("is not known to lack a library where its variables say where to look for them", () => {
    const because = "/usr/sbin/x cannot run: liba.so.1, a library that it needs, is not there";
    const programs = [
      { path: "/usr/sbin/x", found: { is: "value", value: { because, realPath: "/usr/sbin/x", id: "1:1" } } },
    ] as const;
    expect(judgeStart(unit({ programs }), NEEDS).blocked).toEqual([`${because}: x.service would not start`]);
    const elsewhere = unit({ programs });
    const start = { ...elsewhere.start, environment: ["LD_LIBRARY_PATH"] };
    expect(judgeStart({ ...elsewhere, start }, NEEDS)).toMatchObject({
      blocked: [],
      unread: { source: "/usr/sbin/x" },
    });
  });

  it("of a path that waits for something else is told", () => {
    const path = line("PathChanged=/srv/x", { section: "Path", isStarted: true });
    expect(judged(path).blocked).toEqual([
      `${PATH}:2 PathChanged=/srv/x is not meshctl's, and decides when ${UNIT} does its work: take it out there`,
    ]);
  });

  it("that a generator may change which systemd has not run yet is not known", () => {
    const manager = { is: "value", value: [{ place: "/etc/g", key: "Generator", value: "" }] } as const;
    expect(nextStartRow(unit({ manager }), NEEDS).onDisk).toMatchObject({
      is: "unreadable",
      source: "/etc/g",
      because: expect.stringContaining("systemctl daemon-reload"),
    });
  });

  it("with what every program loads is told of it", () => {
    const manager = { is: "value", value: [{ place: "/p:1", key: "Preload", value: "/x.so" }] } as const;
    expect(judgeStart(unit({ manager }), NEEDS)).toMatchObject({
      blocked: [],
      warnings: ["/p:1 puts /x.so into every program, x.service too"],
    });
  });

  it("that another unit conflicts with may not be started with it by the next boot", () => {
    const next = { conflictedBy: ["other.service"] };
    expect(judgeStart(unit(next), NEEDS).blocked).toEqual([]);
    const boot = { is: "value", value: plan(UNIT, "other.service") } as const;
    expect(judgeStart(unit({ ...next, boot }), NEEDS).blocked).toEqual([
      expect.stringMatching(/^other\.service says Conflicts=x\.service.*systemctl disable other\.service/),
    ]);
  });

  it("runs what meshctl has it run beside the service", () => {
    const needs: StartNeeds = { ...NEEDS, runs: [{ key: "ExecReload", program: "/opt/note" }] };
    expect(judgeStart(unit({ reloads: ["argv[]=/opt/note x"] }), needs).blocked).toEqual([]);
    expect(judgeStart(unit({ lines: [line("ExecReload=/bin/true")] }), needs).blocked).toEqual([
      `${PATH}:2 takes meshctl's ExecReload= (/opt/note) out of ${UNIT}: take it out there`,
    ]);
  });
});

describe("at boot", () => {
  const row = (next: Partial<NextStart>, enabled?: string) =>
    judge(bootRow(unit(next, {}, enabled), "at boot"));

  it("a unit is started that the default target reaches", () => {
    expect(row({}).verdict).toBe("proven");
    expect(row({}, "disabled").verdict).toBe("different");
    expect(row({}, "masked")).toMatchObject({
      verdict: "blocked",
      because: expect.stringContaining("unmask"),
    });
  });

  it("one that only another target wants is not", () => {
    const boot = { is: "value", value: plan() } as const;
    expect(row({ boot, wantedBy: ["rescue.target"] })).toMatchObject({
      verdict: "different",
      onDisk: { value: "wanted by rescue.target only" },
    });
  });

  it("nothing is where the default target does not want multi-user.target", () => {
    const boot = { is: "value", value: bootPlan([["rescue.target", "", "", "", ""]]) } as const;
    expect(row({ boot })).toMatchObject({
      verdict: "blocked",
      because: expect.stringContaining("systemctl set-default multi-user.target"),
    });
  });

  it("is unknown where it was not read", () => {
    expect(row({ boot: { is: "unreadable", because: "late" } }).verdict).toBe("unknown");
  });

  it.each([
    ["legacy.service", "idle", "legacy", "8080", true],
    ["legacy.service", "running", "legacy", "8080", false],
    ["legacy.service", "idle", "legacy", "9999", false],
    ["nginx.service", "idle", "nginx", "", true],
    ["legacy.socket", "running", "", "8080", true],
    ["mariadb.service", "idle", "mariadbd", "", false],
  ])("%s (%s, %s, %s) is a rival: %s", (name, state, program, ports, isRival) => {
    const found = bootPlan([
      ["multi-user.target", "", "", "", ""],
      [name, "multi-user.target", state, program, ports],
    ]);
    expect(rivalsOf(found, UNIT, { ports: [8080], kind: "http" }) !== undefined).toBe(isRival);
  });
});

// Seconds ago of each start by systemd itself, the newest first.
it.each([
  ["that once died", 15, [15], true],
  ["that died twice three weeks ago", 90_000, [90_000, 95_000], true],
  ["that dies once a minute", 30, [30, 90, 150, 210], false],
  ["that dies every ten minutes", 500, [500, 1100, 1700], false],
  ["that has died often in this hour, and lives for some minutes", 600, [600, 660, 720, 780], false],
  ["that did not come up at first", 20, [20, 21, 22, 23, 24], true],
  ["that did not come up at first and is younger than what did not", 10, [10, 17, 24, 31], false],
  ["that died often, an hour ago", 3700, [3700, 3760, 3820], true],
])("a service %s lives on", (_, age, ages, isAlive) => {
  expect(isLiving(age, ages)).toBe(isAlive);
});
