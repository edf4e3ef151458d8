import { parse } from "yaml";
import type { Change } from "../../../src/contract/change.ts";
import type { HostFacts } from "../../../src/contract/host.ts";
import type { UnitFact } from "../../../src/daemon/unit.ts";
import { writtenStart } from "../../../src/daemon/unit-start.ts";
import { type FileFact, sha256Of } from "../../../src/evidence/file.ts";
import { judge } from "../../../src/evidence/verdict.ts";
import { revealContent } from "../../../src/secret.ts";
import { assess } from "../../../src/steps/files/assess.ts";
import {
  digestOfFiles,
  type FilesDesired,
  filesDesired,
  wantedDigests,
} from "../../../src/steps/files/desired.ts";
import type { FilesFacts } from "../../../src/steps/files/facts.ts";
import { filesParameters } from "../../../src/steps/files/parameters.ts";
import { bookwormHost } from "../bookworm-host.ts";
import { holdRowsOfChanges } from "../rows-of-changes.ts";

export const INVOCATION = "0123456789abcdef0123456789abcdef";

/** What the step is to be by its YAML. */
export function desiredOf(yaml: string): FilesDesired {
  return filesDesired(filesParameters.parse(parse(yaml)));
}

export const APP = desiredOf(`
packages: [app]
files:
  /etc/app.conf: { content: "port = 1\\n", owner: app, mode: "0640" }
units:
  app.service: { enabled: true, running: true }
check: app --self-test
`);

export function file(path: string, change: Partial<FileFact> = {}): FileFact {
  const text = change.content ?? "";
  return {
    ...{
      path,
      kind: "regular",
      mode: "0640",
      owner: "app:app",
      packaged: "no",
      realPath: path,
      changed: 100,
    },
    ...{ content: text, sha256: sha256Of(text) },
    ...change,
  };
}

export const noFile = (path: string) =>
  file(path, { kind: "absent", mode: "", owner: "", sha256: "", content: undefined });

export function unit(change: Partial<UnitFact> = {}): UnitFact {
  return {
    ...{ name: "app.service", load: "loaded", active: "active", sub: "running", enabled: "enabled" },
    ...{ mainPid: 7, restarts: 0, result: "success", statusText: "", fragmentPath: "", dropInPaths: [] },
    ...{ needDaemonReload: false, invocation: INVOCATION, ageSeconds: 900, startedAt: 200 },
    ...{ start: writtenStart(""), startLines: [] },
    ...change,
  };
}

export const noUnit = unit({
  ...{ load: "not-found", active: "inactive", sub: "dead", enabled: "", mainPid: 0 },
  ...{ invocation: undefined, ageSeconds: undefined, startedAt: undefined },
});
export const stopped = unit({ active: "inactive", sub: "dead", mainPid: 0, startedAt: undefined });

const value = (text: string) => ({ is: "value", value: text }) as const;
export const absent = { is: "absent" } as const;

export const checkDigest = (desired: FilesDesired, digests = wantedDigests(desired)) =>
  digestOfFiles([...digests.keys()], (path) => digests.get(path), desired.check!.run);

/** Facts of a host on which all is as wanted, but for what is changed. */
export function factsOf(desired: FilesDesired, change: Partial<FilesFacts> = {}): FilesFacts {
  const files = desired.files.map(({ path, content, mode, owner }) =>
    file(path, { content: revealContent(content), mode, owner }),
  );
  const passed =
    desired.check === undefined ? absent : value(`${checkDigest(desired)} 2026-11-27T09:00:00Z\nall well\n`);
  return {
    files: new Map(files.map((each) => [each.path, each])),
    ways: new Map(),
    units: new Map(desired.units.map(({ name }) => [name, unit({ name })])),
    ...{ before: absent, loaded: absent, passed, failed: absent, desired },
    ...change,
  };
}

export const recorded = value;

/** The host that has the package. */
export const host = (change: Partial<HostFacts> = {}) =>
  bookwormHost({ packages: new Map([["app", "1.0"]]), ...change });

/** Rows that are not proven as "SETTING: VERDICT", and the changes in short. */
export function assessed(desired: FilesDesired, facts: FilesFacts, facing = host()) {
  const { readings, changes } = assess(desired, facts, facing);
  holdRowsOfChanges(readings, changes);
  const evidence = readings.map(judge);
  return {
    evidence,
    open: evidence.flatMap(({ setting, verdict }) =>
      verdict === "proven" ? [] : [`${setting}: ${verdict}`],
    ),
    changes,
    acts: changes.map(({ id, ...change }) => [id, ...acts(change)]),
  };
}

function acts({ commands, activate }: Pick<Change, "commands" | "activate">): readonly string[] {
  return [...commands, ...activate].map((command) => {
    if (command.kind === "run") return command.argv.slice(1).join(" ");
    if (command.kind === "script") return command.file.pathname.split("/").at(-1)!;
    if (command.kind === "install") return `install ${command.packages.join(" ")}`;
    return `${command.kind} ${"path" in command ? command.path : ""}`;
  });
}
