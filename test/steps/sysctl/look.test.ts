import { describe, expect, it } from "vitest";
import { GIVEN } from "../../../src/daemon/as-started.ts";
import { judge } from "../../../src/evidence/verdict.ts";
import { Reader } from "../../../src/reader/reader.ts";
import { askRecording, keyOf, type Recording } from "../../../src/reader/recording.ts";
import { assess } from "../../../src/steps/sysctl/assess.ts";
import { BEFORE, DROP_IN } from "../../../src/steps/sysctl/drop-in.ts";
import { sysctl } from "../../../src/steps/sysctl/index.ts";
import { lookAtKernelSettings } from "../../../src/steps/sysctl/look.ts";
import { besideUnits, UNIT_PROPERTIES } from "../../reader/recorded.ts";
import { holdRowsOfChanges } from "../rows-of-changes.ts";
import { DROP_IN_TEXT, desiredFor, tunedKernel, wroteDropIn } from "./world.ts";

const FIN = "net.ipv4.tcp_fin_timeout";
const LINES = "^[ \\t]*[^#;\\s]";
const NAMES = "^[^.].*\\.conf$";
const proc = (key: string) => keyOf(["file", `/proc/sys/${key.replaceAll(".", "/")}`, "content", "", ""]);
const content = (path: string) => keyOf(["file", path, "content", "", ""]);
const lines = (path: string) => keyOf(["file", path, "lines", LINES]);
const LATER = keyOf([
  "kernel.writers",
  ...[...desiredFor().settings.keys(), "net.ipv4.ip_local_reserved_ports"].map((key) =>
    key.replaceAll(".", "/"),
  ),
]);
const list = (directory: string) => keyOf(["list", directory, NAMES]);

const regular = (text: string, path: string) => [
  "regular",
  "0644",
  "root:root",
  `${text.length}`,
  "",
  path,
  "1",
];
const value = (...fields: string[]) => ({ is: "value", value: fields }) as const;
const LOADER = "systemd-sysctl.service";
const absent = { is: "absent" } as const;

/** What a converged Debian 12 says. */
const converged: Recording = {
  [content(DROP_IN)]: value(...regular(DROP_IN_TEXT, DROP_IN), DROP_IN_TEXT),
  [content(BEFORE)]: absent,
  [keyOf(["unit", "systemd-sysctl.service", "LoadState"])]: value("LoadState", "loaded"),
  ...besideUnits(LOADER),
  [keyOf(["unit", LOADER, ...GIVEN])]: value(),
  [keyOf(["unit", LOADER, ...UNIT_PROPERTIES])]: value("LoadState", "loaded"),
  [keyOf(["enabled", LOADER])]: value("static"),
  [keyOf(["file", `/etc/systemd/system/${LOADER}`, "stat"])]: absent,
  ...Object.fromEntries(
    Object.entries(tunedKernel).map(([key, text]) => [
      proc(key),
      value(...regular(text, ""), `${text.replace(" ", "\t")}\n`),
    ]),
  ),
  [LATER]: value(),
  [list("/etc/sysctl.d")]: value(
    ...["99-sysctl.conf", "link", "root:root", "regular"],
    ...["99-zz-meshctl.conf", "regular", "root:root", "regular"],
  ),
  [list("/run/sysctl.d")]: absent,
  [list("/usr/local/lib/sysctl.d")]: absent,
  [list("/usr/lib/sysctl.d")]: value("50-masked.conf", "link", "root:root", "character special file"),
  [list("/lib/sysctl.d")]: value(),
  [lines("/etc/sysctl.d/99-sysctl.conf")]: value(...regular("", "/etc/sysctl.conf")),
  [lines("/etc/sysctl.conf")]: value(...regular("", "/etc/sysctl.conf")),
  [lines("/etc/sysctl.d/99-zz-meshctl.conf")]: value(
    ...regular("", DROP_IN),
    ...DROP_IN_TEXT.split("\n").flatMap((text, index) => (/^[^#]/.test(text) ? [`${index + 1}`, text] : [])),
  ),
  [lines("/usr/lib/sysctl.d/50-masked.conf")]: value(
    ...["character special file", "0666", "root:root", "0", "", "/dev/null", "1"],
  ),
};

async function lookAt(changed: Recording) {
  const desired = desiredFor();
  const reader = new Reader(askRecording({ ...converged, ...changed }));
  const facts = await lookAtKernelSettings(reader, desired);
  const { readings, changes } = assess(desired, facts, wroteDropIn);
  holdRowsOfChanges(readings, changes);
  const rows = new Map(readings.map((reading) => [reading.setting, judge(reading)]));
  const open = [...rows.values()].filter(({ verdict }) => verdict !== "proven");
  return { facts, rows, open, changes };
}

describe("a look at kernel settings", () => {
  it("makes facts of what a host says: tabs are spaces, and whatever has a name is a file", async () => {
    const { facts, open, changes } = await lookAt({});
    expect(facts.values.get("net/ipv4/ip_local_port_range")).toBe("1024 65023");
    expect(facts.dropIn).toMatchObject({ kind: "regular", content: DROP_IN_TEXT, mode: "0644" });
    expect(facts.files.map(({ path, realPath, lines }) => [path, realPath, lines.length]).sort()).toEqual([
      ["/etc/sysctl.conf", "/etc/sysctl.conf", 0],
      ["/etc/sysctl.d/99-sysctl.conf", "/etc/sysctl.conf", 0],
      [DROP_IN, DROP_IN, 6],
      ["/usr/lib/sysctl.d/50-masked.conf", "/dev/null", 0],
    ]);
    expect(open).toEqual([]);
    expect(changes).toEqual([]);
  });

  it("tells a key that the kernel does not have from one that it lets nobody read", async () => {
    const { facts } = await lookAt({
      [proc(FIN)]: absent,
      [proc("net.core.somaxconn")]: { is: "unreadable", because: "Permission denied" },
    });
    expect([...facts.missing]).toEqual(["net/ipv4/tcp_fin_timeout"]);
    expect(facts.unreadValues.size).toBe(0);
    expect(facts.values.has("net/core/somaxconn")).toBe(false);
  });

  it("fails by name where a recording lacks an answer", async () => {
    const { [content(BEFORE)]: _, ...lacking } = converged;
    const reader = new Reader(askRecording(lacking));
    await expect(sysctl.look(reader, desiredFor())).rejects.toThrow(
      `the recording has no answer to: ${content(BEFORE)}`,
    );
  });
});

describe("what was not read whole", () => {
  /** Everything else on the host is not as wanted: that would be one change. */
  const drifted: Recording = { [proc(FIN)]: value(...regular("60", ""), "60\n") };
  const late = { is: "unreadable", because: "it took more than 10 s" } as const;

  it("is no reason to leave alone what was read", async () => {
    const { changes } = await lookAt(drifted);
    expect(changes).toHaveLength(1);
  });

  it.each([
    ["the drop-in", content(DROP_IN), [DROP_IN]],
    ["a value of the kernel's", proc("net.core.somaxconn"), ["net.core.somaxconn"]],
    [
      "what systemd has of the loader",
      keyOf(["unit", "systemd-sysctl.service", "LoadState"]),
      ["systemd-sysctl.service", FIN],
    ],
    ["a file that may win", lines("/etc/sysctl.d/99-sysctl.conf"), [FIN, "net.core.somaxconn"]],
    ["the file that procps reads last", lines("/etc/sysctl.conf"), [FIN, "net.core.somaxconn"]],
    ["what else sets it at boot", LATER, [FIN, "net.core.somaxconn"]],
    ["a directory of such files", list("/run/sysctl.d"), [FIN, "net.core.somaxconn"]],
  ])("%s is unknown with its reason, and nothing is changed", async (_, question, settings) => {
    for (const because of [late.because, "it changed while it was read", "larger than 262144 bytes"]) {
      const { rows, changes } = await lookAt({ ...drifted, [question]: { is: "unreadable", because } });
      for (const setting of settings)
        expect(rows.get(setting)).toMatchObject({
          verdict: "unknown",
          because: expect.stringContaining(because),
        });
      expect(changes).toEqual([]);
    }
  });

  it("is also the record of what was before: then nothing is changed", async () => {
    expect((await lookAt({ ...drifted, [content(BEFORE)]: late })).changes).toEqual([]);
  });

  it("leaves the service undecided when it is asked whether it is healthy", async () => {
    for (const question of [lines("/etc/sysctl.conf"), proc(FIN)]) {
      const { facts } = await lookAt({ ...drifted, [question]: late });
      expect(sysctl.service!.health(facts)).toMatchObject({ is: "undecided" });
    }
  });

  it("is no look at all where it is a FIFO or a directory in the drop-in's place", async () => {
    const fifo = value(...["fifo", "0644", "root:root", "0", "", DROP_IN, "1"]);
    const { rows, changes } = await lookAt({ ...drifted, [content(DROP_IN)]: fifo });
    expect(rows.get(DROP_IN)).toMatchObject({
      verdict: "blocked",
      because: expect.stringContaining("is a fifo"),
    });
    expect(changes).toEqual([]);
  });
});
