import type { HostName } from "../../inventory/view.ts";
import type { Artefact, Command, Fleet, HostFacts } from "../../step.ts";
import type { WatcherDesired } from "./desired.ts";
import type { WatcherFacts } from "./facts.ts";
import { BUILD_PACKAGES, GEMS, gemKey, rubyOf } from "./gems.ts";
import { PROGRAM_DIRECTORY } from "./paths.ts";

/** The gems as a host needs them. */
export interface Build {
  readonly key: string;
  readonly directory: string;
  readonly buildHost: HostName;
  /** Puts them in place, complete or not at all. */
  readonly commands: readonly Command[];
}

/** Which build a host needs. Hosts of the same release, architecture and Ruby share one, made on the first of them. */
export function buildFor(
  name: HostName,
  desired: WatcherDesired,
  facts: WatcherFacts,
  host: HostFacts,
  fleet: Fleet<WatcherDesired, WatcherFacts>,
): Build {
  const key = keyOf(host, facts);
  const directory = `${PROGRAM_DIRECTORY}/${key}`;
  const buildHost = buildHostOf(name, key, desired.buildHost, fleet);
  const { proxy, caCertificates } = desired.network;
  const artefact: Artefact = {
    key: `${key}.tar.gz`,
    buildHost,
    buildPackages: BUILD_PACKAGES,
    build: {
      file: new URL("./build.sh", import.meta.url),
      args: [
        rubyOf(host.os.codename, facts.ruby),
        ...GEMS.map((gem) => `${gem.name}:${gem.version}:${gem.sha256}`),
      ],
      stdin: [proxy ?? "", "\n", caCertificates ?? ""],
      timeoutMs: 600_000,
    },
  };
  const archive = `${directory}.tar.gz`;
  return {
    key,
    directory,
    buildHost,
    commands: [
      { kind: "place", path: archive, artefact },
      {
        kind: "script",
        file: new URL("./extract.sh", import.meta.url),
        args: [archive, directory],
        timeoutMs: 60_000,
      },
    ],
  };
}

function keyOf(host: HostFacts, facts: WatcherFacts): string {
  const { codename } = host.os;
  return gemKey({ codename, architecture: host.architecture, ruby: rubyOf(codename, facts.ruby) });
}

/** The host that was asked for, unless it is seen to be of another release; then the first that fits. */
function buildHostOf(
  name: HostName,
  key: string,
  asked: HostName | undefined,
  fleet: Fleet<WatcherDesired, WatcherFacts>,
): HostName {
  const fits = (candidate: HostName) => {
    const member = fleet.get(candidate);
    return member?.is === "seen" && keyOf(member.host, member.facts) === key;
  };
  if (asked !== undefined && (fleet.get(asked)?.is !== "seen" || fits(asked))) return asked;
  return [...fleet.keys()].find(fits) ?? name;
}
