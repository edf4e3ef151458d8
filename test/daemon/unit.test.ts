import { describe, expect, it } from "vitest";
import { otherStart } from "../../src/daemon/other-start.ts";
import { isUnsteady, type UnitWords, unitFact } from "../../src/daemon/unit.ts";

const UNIT = "x.service";
const TEXT = `[Service]
User=nobody
Environment=LANG=C.UTF-8
Environment=A=b
ExecStart=/usr/bin/x -c /etc/x.conf
`;
const DROP_IN = "/etc/systemd/system/x.service.d/y.conf";
const asWritten = {
  LoadState: "loaded",
  User: "nobody",
  Environment: "LANG=C.UTF-8 A=b",
  ExecStart:
    "{ path=/usr/bin/x ; argv[]=/usr/bin/x -c /etc/x.conf ; ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }",
  FragmentPath: "/etc/systemd/system/x.service",
};

function unit(properties: Record<string, string> = {}, more: Partial<UnitWords> = {}) {
  const known: Record<string, string> = { ...asWritten, ...properties };
  return unitFact(UNIT, {
    values: (property) => [known[property] ?? []].flat(),
    enabled: "enabled",
    ageSeconds: undefined,
    hasUnread: false,
    startLines: [],
    ...more,
  });
}

const execStart = (command: string) => asWritten.ExecStart.replace("/usr/bin/x -c /etc/x.conf", command);

describe("a unit of ours", () => {
  it.each([
    ["as its file says", {}],
    ["with more open files, another restart or a comment", { DropInPaths: DROP_IN }],
    ["with its environment in another order", { Environment: "A=b LANG=C.UTF-8" }],
    ["with a time zone of the administrator's", { Environment: "LANG=C.UTF-8 A=b TZ=Europe/Berlin" }],
  ])("starts %s", (_, properties) => {
    expect(otherStart(unit(properties), TEXT)).toBeUndefined();
  });

  it.each([
    ["another program", { ExecStart: execStart("/root/x") }, "ExecStart"],
    ["another user", { User: "root" }, "User"],
    ["a variable more", { Environment: "LANG=C.UTF-8 A=b RUBYOPT=-r/x" }, "Environment"],
    ["a variable of its own otherwise", { Environment: "LANG=de_DE.UTF-8 A=b" }, "Environment"],
    ["a file of variables", { EnvironmentFiles: "/etc/default/x (ignore_errors=yes)" }, "EnvironmentFile"],
    ["another root", { RootDirectory: "/srv" }, "RootDirectory"],
  ])("that a drop-in gives %s is named with the drop-in's line", (_, properties, key) => {
    const line = { path: DROP_IN, line: 2, key };
    expect(otherStart(unit(properties, { startLines: [line] }), TEXT)).toBe(
      `${DROP_IN}:2 sets ${key}= of x.service otherwise: take it out there`,
    );
  });

  it("is not told to be otherwise where nothing but its own file says it, in whatever words", () => {
    const text = `${TEXT}EnvironmentFile=-/etc/default/x\n`;
    expect(
      otherStart(unit({ EnvironmentFiles: "/etc/default/x (ignore_errors=yes)" }), text),
    ).toBeUndefined();
  });

  it("that a namesake hides is named with the namesake", () => {
    const path = "/etc/systemd/system.control/x.service";
    expect(otherStart(unit({ FragmentPath: path, User: "root" }), TEXT)).toContain(`${path} sets User=`);
  });

  it("is not judged by what systemd read before its files changed", () => {
    expect(otherStart(unit({ NeedDaemonReload: "yes", User: "root" }), TEXT)).toBeUndefined();
  });

  it("needs a daemon-reload also when systemd does not know of a new file", () => {
    expect(unit().needDaemonReload).toBe(false);
    expect(unit({}, { hasUnread: true }).needDaemonReload).toBe(true);
  });
});

it.each([
  ["was never started again", { NRestarts: "0" }, {}, false],
  ["was started again long ago", { NRestarts: "3" }, { ageSeconds: 10 }, false],
  ["was started again just now", { NRestarts: "3" }, { ageSeconds: 9 }, true],
  ["was started again and has no process", { NRestarts: "3" }, {}, true],
])("a service that %s", (_, properties, more, unsteady) => {
  expect(isUnsteady(unit(properties, more))).toBe(unsteady);
});

it("goes by the restarts since somebody started a service, not by those before", () => {
  const restarts = { is: "value", value: [3000, 3060, 3120, 3180] } as const;
  const next = { restarts } as unknown as NonNullable<UnitWords["next"]>;
  const isUnsteadyAfter = (count: string) =>
    isUnsteady(unit({ NRestarts: count }, { ageSeconds: 3000, next }));
  expect(isUnsteadyAfter("4")).toBe(true);
  expect(isUnsteadyAfter("2")).toBe(false);
});
