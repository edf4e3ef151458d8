import type { HostFacts } from "../../contract/host.ts";
import type { HostName } from "../../contract/inventory-view.ts";
import type { Fleet } from "../../contract/step.ts";
import type { FileFact } from "../../evidence/file.ts";
import { type HaproxyConfig, parseHaproxyConfig } from "../../haproxy/config.ts";
import { whyUnread } from "../../haproxy/config-file.ts";
import { type Build, buildFor } from "../../smartstack/build.ts";
import { type AssessedFile, assessFiles, factOf } from "../../smartstack/program.ts";
import type { WatcherDesired } from "./desired.ts";
import type { WatcherFacts } from "./facts.ts";
import { watcherFiles } from "./files.ts";
import { HAPROXY_CONFIG } from "./paths.ts";
import { SYNAPSE } from "./program.ts";

/** A host as the rows of the step see it. */
export interface Situation {
  readonly desired: WatcherDesired;
  readonly facts: WatcherFacts;
  readonly host: HostFacts;
  readonly build: Build;
  readonly files: readonly AssessedFile[];
  readonly haproxyFile: FileFact;
  readonly haproxyConfig: HaproxyConfig;
  /** Why it is not known what haproxy.cfg says. */
  readonly unreadConfig: string | undefined;
}

export function situationOf(
  self: { name: HostName; desired: WatcherDesired; facts: WatcherFacts; host: HostFacts },
  fleet: Fleet<WatcherDesired, WatcherFacts>,
): Situation {
  const { desired, facts, host } = self;
  const build = buildFor(SYNAPSE, self, desired.gemSource, fleet);
  const files = assessFiles(watcherFiles(desired, build.key), facts, host);
  const haproxyFile = factOf(facts, HAPROXY_CONFIG);
  const haproxyConfig = parseHaproxyConfig(haproxyFile.content ?? "");
  const unreadConfig = whyUnread(haproxyFile);
  return { desired, facts, host, build, files, haproxyFile, haproxyConfig, unreadConfig };
}
