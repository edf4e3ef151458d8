import { assessFile, type FileAssessment, type FileFact } from "../../evidence/file.ts";
import type { HostName } from "../../inventory/view.ts";
import { type HaproxyConfig, parseHaproxyConfig } from "../../mesh/haproxy-config.ts";
import type { Fleet, HostFacts, Reading } from "../../step.ts";
import { type Build, buildFor } from "./build.ts";
import type { WatcherDesired } from "./desired.ts";
import type { WatcherFacts } from "./facts.ts";
import { watcherFiles } from "./files.ts";
import {
  HAPROXY_CONFIG,
  INSTALLER_PATH_UNIT,
  INSTALLER_UNIT,
  KEEP_LAST,
  SYNAPSE_CONFIG,
  unitPath,
  WATCHER_UNIT,
} from "./paths.ts";

/** A host as the rows of the step see it. */
export interface Situation {
  readonly desired: WatcherDesired;
  readonly facts: WatcherFacts;
  readonly host: HostFacts;
  readonly build: Build;
  readonly files: readonly AssessedFile[];
  readonly haproxyFile: FileFact;
  readonly haproxyConfig: HaproxyConfig;
}

export interface AssessedFile {
  readonly path: string;
  readonly sha256: string;
  readonly fact: FileFact;
  readonly assessment: FileAssessment;
}

/** A row, and whether a new Synapse could mend it when nothing else is wrong. */
export type Row = Reading & { readonly restartHelps?: boolean };

export function situationOf(
  self: { name: HostName; desired: WatcherDesired; facts: WatcherFacts; host: HostFacts },
  fleet: Fleet<WatcherDesired, WatcherFacts>,
): Situation {
  const { name, desired, facts, host } = self;
  const build = buildFor(name, desired, facts, host, fleet);
  const files = watcherFiles(desired, build.key).map((wanted): AssessedFile => {
    const fact = factOf(facts, wanted.path);
    return {
      path: wanted.path,
      sha256: wanted.sha256,
      fact,
      assessment: assessFile(fact, wanted, host.manifest, false),
    };
  });
  const haproxyFile = factOf(facts, HAPROXY_CONFIG);
  const haproxyConfig = parseHaproxyConfig(haproxyFile.content ?? "");
  return { desired, facts, host, build, files, haproxyFile, haproxyConfig };
}

function factOf(facts: WatcherFacts, path: string): FileFact {
  return (
    facts.files.get(path) ?? {
      path,
      kind: "absent",
      mode: "",
      owner: "",
      sha256: "",
      packaged: "no",
      realPath: "",
      content: undefined,
    }
  );
}

/** Files that a running Synapse is made of: another content needs a restart. */
export const STARTED_WITH = [SYNAPSE_CONFIG, KEEP_LAST, unitPath(WATCHER_UNIT)];

/** Why Synapse or the units beside it must be started anew although every file is as wanted; undefined when not. */
export function restartReason({ facts, files, build }: Situation): string | undefined {
  const unit = facts.units.get(WATCHER_UNIT);
  const pathUnit = facts.units.get(INSTALLER_PATH_UNIT);
  if (unit === undefined || pathUnit === undefined) return "its units are not known to systemd";
  for (const { name, needDaemonReload } of [unit, pathUnit, facts.units.get(INSTALLER_UNIT) ?? unit]) {
    if (needDaemonReload) return `systemd has an older ${name}`;
  }
  for (const { name, enabled } of [unit, pathUnit]) {
    if (enabled !== "enabled") return `${name} does not start at boot`;
  }
  if (pathUnit.active !== "active") return `${INSTALLER_PATH_UNIT} is ${pathUnit.active}`;
  // "activating" is systemd trying again by itself: a restart would do no more.
  if (!["active", "activating"].includes(unit.active)) return `${WATCHER_UNIT} is ${unit.active}`;
  const { process } = facts;
  if (process === undefined) return undefined;
  if (!process.commandLine.includes(`${build.directory}/`)) return "it runs other gems than those in place";
  const older = files.find(
    ({ path, sha256 }) => STARTED_WITH.includes(path) && process.startedWith?.get(path) !== sha256,
  );
  return older && `it was started with another ${older.path}`;
}
