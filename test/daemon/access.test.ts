import { describe, expect, it } from "vitest";
import { type Need, refusalOf, rulesOf } from "../../src/daemon/access.ts";
import type { PathAccess } from "../../src/reader/reader.ts";

const DATA = "/srv/data";
const BOUND = { ReadWritePaths: `-${DATA}` };

interface Case {
  readonly need?: Partial<Need>;
  readonly access?: Partial<PathAccess>;
  readonly why?: string;
  /** As systemctl shows it of the unit. */
  readonly unit?: Readonly<Record<string, string>>;
  readonly noexec?: string;
}

function told({ need = {}, access = {}, why = "", unit = {}, noexec }: Case): string {
  const path = access.path ?? need.path ?? DATA;
  const found = refusalOf(
    { path: DATA, to: "write", ...need },
    {
      asked: path,
      state: "there",
      may: "rwx",
      why: new Map(why === "" ? [] : [why.split("=") as [string, string]]),
      path,
      kind: "directory",
      mode: "0750",
      owner: "zoo:zoo",
      ...access,
    },
    {
      unit: "zoo.service",
      user: "zoo",
      group: "",
      rules: rulesOf(new Map(Object.entries(unit).map(([key, value]) => [key, [value]]))),
      isNoexec: () => noexec,
    },
  );
  if (found === undefined) return "";
  return "unread" in found ? `unread: ${found.unread}` : found.because;
}

const ROOTS = { may: "", owner: "root:root" };

describe("what a service needs", () => {
  it.each<[string, string | RegExp, Case]>([
    ["is open", "", {}],
    [
      "is somebody else's",
      `zoo may not write ${DATA} (root:root 0750): chmod a+w ${DATA}`,
      { access: ROOTS, why: "w=EACCES" },
    ],
    [
      "is to be its own",
      /: chown -R -h zoo:zoo \/srv\/data$/,
      { need: { own: DATA }, access: ROOTS, why: "w=EACCES" },
    ],
    [
      "is its own, and closed",
      /: chmod u\+w \/srv\/data$/,
      { access: { may: "rx", mode: "0550" }, why: "w=EACCES" },
    ],
    [
      "is behind a closed directory",
      "zoo may not enter /srv (root:root 0700): chmod a+x /srv",
      { access: { state: "closed", path: "/srv", owner: "root:root", mode: "0700" } },
    ],
    ["is not there", "", { access: { state: "absent" } }],
    [
      "is not there and must be",
      /is not there/,
      { need: { mustBeThere: true }, access: { state: "absent" } },
    ],
    [
      "is on a read-only file system",
      /mounted read-only: look at dmesg/,
      { access: { may: "rx" }, why: "w=EROFS" },
    ],
    [
      "is another's, in a directory of its own where a new one takes its place",
      "",
      { need: { to: "replace" }, access: { ...ROOTS, kind: "regular" }, why: "w=EACCES" },
    ],
    [
      "is immutable, so that no new one takes its place",
      /chattr -R -i/,
      { need: { to: "replace" }, access: { may: "r", kind: "regular" }, why: "w=EPERM" },
    ],
    ["is immutable", /chattr -R -i \/srv\/data/, { access: { may: "rx" }, why: "w=EPERM" }],
    [
      "is closed by an access list",
      /getfacl -p/,
      { access: { may: "r", mode: "0757", owner: "root:root" }, why: "w=EACCES" },
    ],
    [
      "is a program on a noexec mount",
      /\/opt is mounted noexec: mount -o remount,exec \/opt/,
      {
        need: { to: "execute" },
        access: { kind: "regular", may: "r", mode: "0755" },
        why: "x=EACCES",
        noexec: "/opt",
      },
    ],
    ["is program text on a noexec mount", /mounted noexec/, { need: { to: "load" }, noexec: "/opt" }],
    ["is a file on a noexec mount", "", { need: { to: "read" }, noexec: "/opt" }],
    [
      "is kept read-only by ProtectSystem=strict",
      /ProtectSystem=strict of zoo\.service keeps/,
      { unit: { ProtectSystem: "strict" } },
    ],
    ["is let out of it", "", { unit: { ProtectSystem: "strict", ...BOUND } }],
    [
      "is below what is let out of it",
      "",
      { need: { path: `${DATA}/version-2` }, unit: { ProtectSystem: "strict", ...BOUND } },
    ],
    [
      "is a state directory",
      "",
      { need: { path: "/var/lib/zoo" }, unit: { ProtectSystem: "strict", StateDirectory: "zoo" } },
    ],
    ["is not below what ProtectSystem=full protects", "", { unit: { ProtectSystem: "full" } }],
    ["is below it", /ProtectSystem=full/, { need: { path: "/etc/zoo" }, unit: { ProtectSystem: "full" } }],
    [
      "is read-only by a rule inside of a writable one",
      /ReadOnlyPaths=/,
      { unit: { ReadWritePaths: "/srv", ReadOnlyPaths: DATA } },
    ],
    ["is only to be read", "", { need: { to: "enter" }, unit: { ReadOnlyPaths: DATA } }],
    [
      "is hidden by ProtectHome=",
      /ProtectHome=yes of zoo\.service hides/,
      { need: { path: "/home/zoo" }, unit: { ProtectHome: "yes" } },
    ],
    ["is hidden by InaccessiblePaths=", /InaccessiblePaths=/, { unit: { InaccessiblePaths: "-/srv" } }],
    [
      "may not be executed",
      /NoExecPaths=/,
      { need: { to: "execute", path: "/opt/x" }, unit: { NoExecPaths: "/", ExecPaths: "/usr" } },
    ],
    [
      "may be executed",
      "",
      { need: { to: "execute", path: "/usr/bin/x" }, unit: { NoExecPaths: "/", ExecPaths: "/usr" } },
    ],
    ["is bound from elsewhere", /^unread: .*BindPaths=/, { unit: { BindPaths: `/other:${DATA}:rbind` } }],
    [
      "is beside what is bound",
      "",
      {
        need: { path: "/var/lib/haproxy" },
        unit: { BindReadOnlyPaths: "/dev/log:/var/lib/haproxy/dev/log:rbind" },
      },
    ],
    ["is in another root", /^unread: .*RootDirectory=/, { unit: { RootDirectory: "/srv/jail" } }],
  ])("%s", (_, expected, each) => {
    if (typeof expected === "string") expect(told(each)).toBe(expected);
    else expect(told(each)).toMatch(expected);
  });
});
