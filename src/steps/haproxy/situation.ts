import type { HostFacts } from "../../contract/host.ts";
import { assessFile, type FileAssessment, type FileFact, ownershipOf } from "../../evidence/file.ts";
import { forbiddenServers } from "../../haproxy/backend-policy.ts";
import {
  type ConfigDifference,
  compareHaproxyConfig,
  directiveOf,
  type HaproxyConfig,
  parseHaproxyConfig,
} from "../../haproxy/config.ts";
import { LOADED_RECORD, servedConfig, settingsIn } from "../../haproxy/loaded.ts";
import { openFilesNeeded } from "../../haproxy/open-files.ts";
import { descriptionOf, type HaproxySettings } from "../../haproxy/settings.ts";
import { type Answer, mapAnswer } from "../../reader/answer.ts";
import type { HaproxyDesired } from "./desired.ts";
import { type HaproxyFacts, isActive, reloadFailed } from "./facts.ts";
import { haproxyFiles } from "./files.ts";

/** A configuration that was read, and in what it does not mean what is wanted. */
export interface ReadConfig {
  readonly path: string;
  readonly config: HaproxyConfig;
  readonly differences: readonly ConfigDifference[];
}

/** What follows from the facts of one host, worked out once for all rows and changes. */
export interface Situation {
  readonly desired: HaproxyDesired;
  readonly facts: HaproxyFacts;
  readonly host: HostFacts;
  /** Version of the installed package. */
  readonly installed: string | undefined;
  readonly active: boolean;
  /** haproxy.cfg as it is; undefined when it is not there or cannot be read. */
  readonly config: HaproxyConfig | undefined;
  /** In what it does not mean what is wanted. */
  readonly differences: readonly ConfigDifference[];
  /** The watcher's file has servers that no backend policy lets in: HAProxy may not start with it. */
  readonly isPoisoned: boolean;
  readonly configFile: FileAssessment;
  readonly dropIn: FileAssessment;
  readonly loadRecorder: FileAssessment;
  /** What the worker serves with; absent when that is not on record. */
  readonly loaded: Answer<ReadConfig>;
  /** The identity that haproxy.cfg is to have, the one it has, and the one the worker gives back. */
  readonly digest: { readonly want: string; readonly onDisk: string; readonly inForce: string };
  /** The file means what is wanted and says so. */
  readonly configAgrees: boolean;
  /** Somebody's file in the place of the watcher's, not adopted: the sentence about it. */
  readonly foreign: string | undefined;
  /** A foreign file that the inventory allows to be replaced, and that its writer does not know of yet. */
  readonly toAdopt: boolean;
  readonly openFilesNeeded: number;
  readonly reloadFailed: boolean;
  /** Stopped, with a file that it refuses: it starts once the watcher has written its own. */
  readonly awaitsWatcher: boolean;
  /** The first of the step's files that was not read: nothing is changed then. */
  readonly unreadFile: FileFact | undefined;
}

export function situationOf(desired: HaproxyDesired, facts: HaproxyFacts, host: HostFacts): Situation {
  const { settings, parameters, policy, watched } = desired;
  const description = descriptionOf(settings);
  const text = facts.config.content;
  const config = text === undefined ? undefined : parseHaproxyConfig(text);
  const forbidden = config === undefined || !watched ? [] : forbiddenServers(config, policy);
  const differences = config === undefined ? [] : [...compareHaproxyConfig(config, settings), ...forbidden];
  const onDisk = config && directiveOf(config, "global", "", "description")?.value;
  const digest = {
    want: settingsIn(description),
    onDisk: settingsIn(onDisk),
    inForce: settingsIn(facts.info.get("description")),
  };
  // A watcher's file, on a host that has none any more, is ours to replace.
  const oursBySight = digest.onDisk !== "";
  const wanted = haproxyFiles(desired);
  const configFile = assessFile(facts.config, wanted.config, host.manifest, parameters.adopt || oursBySight);
  const dropIn = assessFile(facts.dropIn, wanted.dropIn, host.manifest, parameters.adopt);
  const loadRecorder = assessFile(facts.loadRecorder, wanted.loadRecorder, host.manifest, parameters.adopt);
  const isForeign = ownershipOf(facts.config, host.manifest) === "foreign" && !oursBySight;
  const configAgrees = config !== undefined && differences.length === 0 && digest.onDisk === digest.want;
  const unreadFile = [facts.config, facts.dropIn, facts.loadRecorder].find(
    ({ because }) => because !== undefined,
  );
  return {
    desired,
    facts,
    host,
    installed: host.packages.get("haproxy"),
    active: isActive(facts),
    config,
    differences,
    isPoisoned: forbidden.length > 0,
    configFile,
    dropIn,
    loadRecorder,
    loaded: loadedBy(facts, settings, { dropIn, loadRecorder }),
    digest,
    configAgrees,
    foreign: facts.config.because === undefined ? configFile.blocked : undefined,
    toAdopt: watched && isForeign && parameters.adopt,
    openFilesNeeded: openFilesNeeded(parameters.maxconn, host.cpus),
    reloadFailed: reloadFailed(facts),
    // `haproxy -c` passes also what no HAProxy starts with.
    awaitsWatcher:
      watched &&
      facts.configCheck !== undefined &&
      ((facts.configCheck.is === "value" && facts.configCheck.value !== 0) || forbidden.length > 0),
    unreadFile,
  };
}

/** The record is of the last reload, also of one that failed: only with the worker's own description it is the worker's. */
function loadedBy(
  facts: HaproxyFacts,
  settings: HaproxySettings,
  { dropIn, loadRecorder }: Pick<Situation, "dropIn" | "loadRecorder">,
): Answer<ReadConfig> {
  const unread = [facts.dropIn, facts.loadRecorder].find(({ because }) => because !== undefined);
  if (unread !== undefined)
    return { is: "unreadable", because: `${unread.path} was not read: ${unread.because}` };
  // While something else stood in their place, reloads left no record.
  if (!dropIn.agrees || !loadRecorder.agrees || reloadFailed(facts)) return { is: "absent" };
  return mapAnswer(servedConfig(facts.loaded, facts.info.get("description")), (config) => ({
    path: LOADED_RECORD,
    config,
    differences: compareHaproxyConfig(config, settings),
  }));
}

/** In what the worker was loaded with something else than is wanted, as far as that is on record. */
export function loadedDifferences({ loaded }: Situation): readonly ConfigDifference[] {
  return loaded.is === "value" ? loaded.value.differences : [];
}

/** Whether the worker has nothing but what it was told over its socket that differs from what is wanted. */
export function isAsLoaded(situation: Situation): boolean {
  const { digest } = situation;
  return digest.inForce === digest.want && loadedDifferences(situation).length === 0;
}

/** Front ends that the worker was loaded with and has shut down for good, or lost: a reload brings them back. */
export function stoppedFrontEnds(situation: Situation): readonly string[] {
  const { desired, facts, active } = situation;
  if (!active || facts.table.is !== "value" || facts.info.size === 0 || !isAsLoaded(situation)) return [];
  const states = new Map(facts.table.value.frontEnds.map(({ name, status }) => [name, status]));
  return desired.settings.services.flatMap(({ name }) =>
    (states.get(name) ?? "STOP") === "STOP" ? [name] : [],
  );
}
