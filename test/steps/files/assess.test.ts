import { describe, expect, it } from "vitest";
import { sha256Of } from "../../../src/evidence/file.ts";
import type { Answer } from "../../../src/reader/answer.ts";
import { digestOfFiles, wantedDigests } from "../../../src/steps/files/desired.ts";
import { service } from "../../../src/steps/files/service.ts";
import {
  APP,
  absent,
  assessed,
  checkDigest,
  desiredOf,
  factsOf,
  file,
  host,
  INVOCATION,
  noFile,
  noUnit,
  recorded,
  stopped,
  unit,
} from "./world.ts";

const CONF = "/etc/app.conf";
const UNIT = "app.service";
const BEFORE = "write /var/lib/meshctl/files-before";
const conf = (change: Parameters<typeof file>[1]) =>
  new Map([[CONF, file(CONF, { content: "port = 1\n", ...change })]]);
const other = conf({ content: "port = 2\n" });
const ours = host({ manifest: new Map([[CONF, sha256Of("port = 2\n")]]) });
const units = (change: Parameters<typeof unit>[0]) => new Map([[UNIT, unit(change)]]);
const appDigest = digestOfFiles([CONF], (path) => wantedDigests(APP).get(path));
const loaded = (digest: string, invocation = INVOCATION) => recorded(`${UNIT} ${invocation} ${digest} 250\n`);
const unread: Answer<never> = { is: "unreadable", because: "Input/output error" };

describe("a host that has everything", () => {
  it("is proven and wants no change", () => {
    expect(assessed(APP, factsOf(APP))).toMatchObject({ open: [], changes: [] });
  });

  it("shows what the check said as inferred, for nothing but a change runs it", () => {
    const { evidence } = assessed(APP, factsOf(APP));
    expect(evidence.at(-1)).toMatchObject({ setting: "check", inForce: { is: "inferred", value: "passed" } });
  });
});

describe("what is not as wanted", () => {
  const nothing = {
    files: new Map([[CONF, noFile(CONF)]]),
    units: new Map([[UNIT, noUnit]]),
    passed: absent,
  };
  it.each([
    [
      "all of it, on a bare host: packages first",
      [nothing, host({ packages: new Map() })],
      [
        "package app: missing",
        `${CONF}: missing`,
        `${UNIT} at boot: missing`,
        `${UNIT} now: missing`,
        "check: missing",
      ],
      [
        ["packages", "install app"],
        [
          ...["configuration", "guard.sh", BEFORE, `write ${CONF}`, `enable ${UNIT}`, `start ${UNIT}`],
          ...["check.sh", "record-loaded.sh"],
        ],
      ],
    ],
    [
      "a file's content",
      [{ files: other }, ours],
      [`${CONF}: different`, "check: missing"],
      [
        [
          "configuration",
          "guard.sh",
          BEFORE,
          `write ${CONF}`,
          `restart ${UNIT}`,
          "check.sh",
          "record-loaded.sh",
        ],
      ],
    ],
    [
      "a file's mode, of which no running service has to know",
      [{ files: conf({ mode: "0666" }) }],
      [`${CONF}: different`],
      [["configuration", "guard.sh", BEFORE, `write ${CONF}`, "check.sh"]],
    ],
    [
      "a unit that is stopped and disabled",
      [{ units: new Map([[UNIT, { ...stopped, enabled: "disabled" }]]) }],
      [`${UNIT} at boot: different`, `${UNIT} now: different`],
      [["configuration", BEFORE, `enable ${UNIT}`, `start ${UNIT}`, "check.sh", "record-loaded.sh"]],
    ],
    [
      "a unit that has failed, of which systemd forgets that first",
      [{ units: units({ active: "failed", sub: "failed", mainPid: 0 }) }],
      [`${UNIT} now: different`],
      [["configuration", BEFORE, `reset-failed ${UNIT}`, `start ${UNIT}`, "check.sh", "record-loaded.sh"]],
    ],
    [
      "a unit that was started before the file was changed",
      [{ units: units({ startedAt: 99 }) }],
      [`${UNIT} runs with: different`],
      [["configuration", BEFORE, `restart ${UNIT}`, "check.sh", "record-loaded.sh"]],
    ],
    [
      "a unit whose file systemd has not read",
      [{ units: units({ needDaemonReload: true }) }],
      [`${UNIT} runs with: different`],
      [["configuration", BEFORE, "daemon-reload", `restart ${UNIT}`, "check.sh", "record-loaded.sh"]],
    ],
    [
      "a check that failed with these very files",
      [{ failed: recorded(`${checkDigest(APP)} 2026-11-27T09:00:00Z\nrefused\n`) }],
      ["check: different"],
      [["configuration", BEFORE, "check.sh"]],
    ],
  ] as const)("%s", (_, [change, facing], open, acts) => {
    expect(assessed(APP, factsOf(APP, change), facing)).toMatchObject({ open, acts });
  });

  it("says what is restarted, or only reloaded", () => {
    const reloading = { ...APP, units: APP.units.map((each) => ({ ...each, onChange: "reload" as const })) };
    const kinds = [APP, reloading].map((desired) => {
      const { changes } = assessed(desired, factsOf(desired, { files: other }), ours);
      return changes[0]!.disrupts;
    });
    expect(kinds).toEqual([
      { kind: "restart", what: UNIT },
      { kind: "reload", what: UNIT },
    ]);
  });

  it("keeps what a secret holds, and its digest, from all that is shown", () => {
    const key = `${import.meta.dirname}/fixtures/key`;
    const secret = desiredOf(`files: { /etc/key: { src: ${key}, secret: true } }`);
    const edited = new Map([["/etc/key", file("/etc/key", { sha256: sha256Of("x"), content: undefined })]]);
    const { evidence, changes } = assessed(
      secret,
      factsOf(secret, { files: edited }),
      host({ manifest: new Map([["/etc/key", sha256Of("x")]]) }),
    );
    expect(evidence[0]).toMatchObject({
      want: "as given 0644 root:root",
      onDisk: { value: "another 0640 app:app" },
    });
    expect(JSON.stringify({ evidence, changes })).not.toContain("not for your eyes");
  });
});

describe("what runs with the files", () => {
  const newer = conf({ changed: 300 });
  it.each([
    ["as noted when meshctl started it, whatever the time of the file says", newer, loaded(appDigest), []],
    [
      "not, where the note is of other files",
      conf({}),
      loaded("0".repeat(64)),
      [`${UNIT} runs with: different`],
    ],
    [
      "not, where it was started by hand and the file was changed since",
      newer,
      loaded(appDigest, "f".repeat(32)),
      [`${UNIT} runs with: different`],
    ],
    ["by the time alone, where it was started by hand", conf({}), loaded("0".repeat(64), "f".repeat(32)), []],
    ["unknown, where the note was not read", conf({}), unread, [`${UNIT} runs with: unknown`]],
  ] as const)("%s", (_, files, note, open) => {
    const result = assessed(APP, factsOf(APP, { files, loaded: note }));
    expect(result.open).toEqual(open);
    if (note === unread) expect(result.changes).toEqual([]);
  });

  it.each([
    ["read", "the note is younger than the file", 250, loaded(appDigest), 200],
    ["inferred", "the file was touched since the note", 300, loaded(appDigest), 200],
    ["read", "the file is older than the start by hand", 100, absent, 200],
    ["inferred", "the file is of the very second of the start by hand", 200, absent, 200],
  ] as const)("is %s where %s", (is, _, changed, note, startedAt) => {
    const facts = factsOf(APP, { files: conf({ changed }), loaded: note, units: units({ startedAt }) });
    const { evidence } = assessed(APP, facts);
    const row = evidence.find(({ setting }) => setting === `${UNIT} runs with`);
    expect(row).toMatchObject({ verdict: "proven", inForce: { is } });
  });

  it("is nothing that a timer has to know, unless it is said", () => {
    const timer = desiredOf('files: { /etc/x: { content: "" } }\nunits: { x.timer: { running: true } }');
    const facts = factsOf(timer, { units: new Map([["x.timer", unit({ name: "x.timer", startedAt: 1 })]]) });
    expect(assessed(timer, facts)).toMatchObject({ open: [], changes: [] });
  });
});

describe("what is not done", () => {
  it.each([
    [
      "a foreign file is written over",
      { files: other },
      `${CONF} is neither meshctl's nor the package's default`,
    ],
    [
      "root is led by another's link",
      { ways: new Map([[CONF, { link: "/etc/link", owner: "app" }]]) },
      "/etc/link is a link that belongs to app",
    ],
    [
      "a unit is started that nothing brings",
      { units: new Map([[UNIT, noUnit]]) },
      "there is no app.service on the host",
    ],
    [
      "a masked unit is started",
      { units: units({ load: "masked", enabled: "masked" }) },
      "app.service is masked",
    ],
    [
      "a unit without [Install] is enabled",
      { units: units({ enabled: "static" }) },
      "has no [Install] section",
    ],
  ])("%s", (_, change, because) => {
    const { evidence, changes } = assessed(APP, factsOf(APP, change));
    expect(
      evidence
        .filter(({ verdict }) => verdict === "blocked")
        .map((row) => row.because)
        .join(),
    ).toContain(because);
    expect(changes).toEqual([]);
  });

  it.each([
    ["a file that was not read", { files: conf({ kind: "unreadable", because: "Input/output error" }) }],
    ["a way that was not read", { ways: new Map([[CONF, { unread: "/etc: Input/output error" }]]) }],
    ["a check's note that was not read", { passed: unread }],
  ])("%s causes no change, and is unknown", (_, change) => {
    const { open, changes } = assessed(APP, factsOf(APP, change));
    expect(open.some((row) => row.endsWith(": unknown"))).toBe(true);
    expect(changes).toEqual([]);
  });

  it("adopts a foreign file where that is said", () => {
    const { acts } = assessed({ ...APP, adopt: true }, factsOf({ ...APP, adopt: true }, { files: other }));
    expect(acts[0]).toContain(`write ${CONF}`);
  });
});

describe("its health", () => {
  const wasActive = recorded(`${UNIT} enabled active\n`);
  it.each([
    ["runs, and its check passed", {}, "healthy"],
    [
      "has failed",
      { units: units({ active: "failed", sub: "failed" }) },
      "broken: app.service is failed (failed)",
    ],
    [
      "is stopped, and ran before",
      { units: new Map([[UNIT, stopped]]), before: wasActive },
      "broken: app.service is inactive (dead)",
    ],
    ["never ran", { units: new Map([[UNIT, stopped]]), passed: absent }, "none"],
    ["is not there", { units: new Map([[UNIT, noUnit]]), passed: absent }, "none"],
    [
      "is on its way",
      { units: units({ active: "activating", sub: "start" }) },
      "undecided: app.service is activating (start)",
    ],
    [
      "dies again and again",
      { units: units({ restarts: 3, ageSeconds: 2 }) },
      "broken: app.service is running for 2 s after 3 restarts",
    ],
    [
      "failed its check with these files",
      { failed: recorded(`${checkDigest(APP)} 2026-11-27T09:00:00Z\nrefused\n`) },
      "broken: the check failed: refused",
    ],
    [
      "failed its check with other files, and passed it with these",
      { failed: recorded(`${"0".repeat(64)} 2026-11-27T09:00:00Z\nrefused\n`) },
      "healthy",
    ],
    [
      "passed its check with these files before it did with others",
      {
        passed: recorded(
          `${"0".repeat(64)} 2026-11-27T09:00:00Z\n\n${checkDigest(APP)} 2026-11-26T09:00:00Z\nok\n`,
        ),
      },
      "healthy",
    ],
    [
      "has a check of which nothing was read",
      { failed: unread },
      /^undecided: the answer of the check was not read/,
    ],
  ])("when it %s", (_, change, health) => {
    const told = service.health(factsOf(APP, change));
    const words =
      told === undefined
        ? "none"
        : [told.is, "because" in told ? told.because : ""].filter(Boolean).join(": ");
    if (typeof health === "string") expect(words).toBe(health);
    else expect(words).toMatch(health);
  });

  it("comes back with its old files as it was, where that is on record", () => {
    const args = (paths: readonly string[]) =>
      service
        .activate(factsOf(APP, { before: recorded(`${UNIT} disabled inactive\n`) }), paths)
        .flatMap((command) => (command.kind === "script" ? command.args : []));
    const noted = [UNIT, "-", "1", CONF];
    expect(args([CONF, "/var/lib/meshctl/files-before"])).toEqual([
      ...[UNIT, "disabled", "inactive", "restart"],
      ...noted,
    ]);
    expect(args([CONF])).toEqual([UNIT, "-", "-", "restart", ...noted]);
  });
});
