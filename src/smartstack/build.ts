import { join } from "node:path";
import type { Artefact, Command } from "../contract/change.ts";
import type { HostFacts } from "../contract/host.ts";
import type { HostName, Network } from "../contract/inventory-view.ts";
import type { Fleet } from "../contract/step.ts";
import { scriptText } from "../script-text.ts";
import { archiveRefusal } from "./archive.ts";
import { BUILD_PACKAGES, BUILD_SCRIPT, DOWNLOADER, gemKey, type RubyFacts, rubyOf } from "./gem-set.ts";
import { GEMS } from "./locked-gems.ts";
import { type Program, unitPath } from "./program.ts";

/** Where the gems come from, as the inventory says. */
export interface GemSource {
  /** The host that is asked for. */
  readonly buildHost: HostName | undefined;
  /** Folder of .gem files on the control machine; without one they are downloaded. */
  readonly gemDirectory: string | undefined;
  readonly network: Network;
}

/** The gems as a host needs them. */
export interface Build {
  readonly key: string;
  readonly buildHost: HostName;
  /** Puts them in place, complete or not at all. */
  readonly commands: readonly Command[];
}

export function buildDirectory({ directory }: Program, key: string): string {
  return `${directory}/${key}`;
}

/** Which build a host needs. Hosts of the same release, architecture and Ruby share one, made on the first of them. */
export function buildFor(
  program: Program,
  self: { readonly name: HostName; readonly facts: RubyFacts; readonly host: HostFacts },
  { buildHost: asked, gemDirectory, network }: GemSource,
  fleet: Fleet<unknown, RubyFacts>,
): Build {
  const key = gemKey(self.host, self.facts);
  const buildHost = buildHostOf(self.name, key, asked, fleet);
  const artefact: Artefact = {
    key: `${key}.tar.gz`,
    buildHost,
    buildPackages: BUILD_PACKAGES,
    refusal: (content) => archiveRefusal(content),
    build: {
      file: BUILD_SCRIPT,
      args: [
        scriptText(DOWNLOADER),
        rubyOf(self.host, self.facts),
        ...GEMS.map((gem) => `${gem.name}:${gem.version}:${gem.sha256}`),
      ],
      stdin: [network.proxy ?? "", "\n", network.caCertificates ?? ""],
      files: gemDirectory === undefined ? [] : GEMS.map((gem) => join(gemDirectory, gemFile(gem))),
      timeoutMs: 600_000,
    },
  };
  const directory = buildDirectory(program, key);
  const archive = `${directory}.tar.gz`;
  return {
    key,
    buildHost,
    commands: [
      { kind: "place", path: archive, artefact },
      {
        kind: "script",
        file: new URL("./extract.sh", import.meta.url),
        args: [archive, directory, unitPath(program.unit)],
        timeoutMs: 60_000,
      },
    ],
  };
}

export function gemFile({ name, version }: { readonly name: string; readonly version: string }): string {
  return `${name}-${version}.gem`;
}

/** The host that was asked for, unless it is seen to be of another release; then the first that fits. */
function buildHostOf(
  name: HostName,
  key: string,
  asked: HostName | undefined,
  fleet: Fleet<unknown, RubyFacts>,
): HostName {
  const fits = (candidate: HostName) => {
    const member = fleet.get(candidate);
    return member?.is === "seen" && gemKey(member.host, member.facts) === key;
  };
  if (asked !== undefined && (fleet.get(asked)?.is !== "seen" || fits(asked))) return asked;
  return [...fleet.keys()].find(fits) ?? name;
}
