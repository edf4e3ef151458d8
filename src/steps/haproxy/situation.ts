import { assessFile, type FileAssessment, ownershipOf } from "../../evidence/file.ts";
import {
  type ConfigDifference,
  compareHaproxyConfig,
  directiveOf,
  type HaproxyConfig,
  parseHaproxyConfig,
} from "../../mesh/haproxy-config.ts";
import { ADMIN_SOCKET, descriptionOf } from "../../mesh/haproxy-settings.ts";
import { openFilesNeeded } from "../../mesh/open-files.ts";
import type { HostFacts } from "../../step.ts";
import type { HaproxyDesired } from "./desired.ts";
import { type HaproxyFacts, isActive, reloadFailed } from "./facts.ts";
import { haproxyFiles } from "./files.ts";

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
  readonly differences: readonly ConfigDifference[];
  readonly configFile: FileAssessment;
  readonly dropIn: FileAssessment;
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
}

export function situationOf(desired: HaproxyDesired, facts: HaproxyFacts, host: HostFacts): Situation {
  const { settings, parameters, watched } = desired;
  const description = descriptionOf(settings);
  const text = facts.config.content;
  const config = text === undefined ? undefined : parseHaproxyConfig(text);
  const differences = config === undefined ? [] : compareHaproxyConfig(config, settings);
  const onDisk = config && directiveOf(config, "global", "", "description")?.value;
  const digest = {
    want: digestIn(description),
    onDisk: digestIn(onDisk),
    inForce: digestIn(facts.info.get("description")),
  };
  // A watcher's file, on a host that has none any more, is ours to replace.
  const oursBySight = digest.onDisk !== "";
  const wanted = haproxyFiles(desired);
  const configFile = assessFile(facts.config, wanted.config, host.manifest, parameters.adopt || oursBySight);
  const dropIn = assessFile(facts.dropIn, wanted.dropIn, host.manifest, parameters.adopt);
  const isForeign = ownershipOf(facts.config, host.manifest) === "foreign" && !oursBySight;
  const configAgrees = config !== undefined && differences.length === 0 && digest.onDisk === digest.want;
  return {
    desired,
    facts,
    host,
    installed: host.packages.get("haproxy"),
    active: isActive(facts),
    config,
    differences,
    configFile,
    dropIn,
    digest,
    configAgrees,
    foreign: configFile.blocked,
    toAdopt: watched && isForeign && parameters.adopt,
    openFilesNeeded: openFilesNeeded(parameters.maxconn, host.cpus),
    reloadFailed: reloadFailed(facts),
    awaitsWatcher: watched && facts.configCheck !== undefined && facts.configCheck !== 0,
  };
}

/** The settings' digest in a `description` of ours; "" in any other. The watcher adds one of the whole file. */
export function digestIn(description: string | undefined): string {
  return /^meshctl-([0-9a-f]{64})(?:-[0-9a-f]{16})?$/.exec(description ?? "")?.[1] ?? "";
}

export function adminSocketAnswers({ facts }: Situation): boolean {
  return facts.sockets.get(ADMIN_SOCKET) === "answered";
}
