import { createHash } from "node:crypto";
import { shippedScript } from "./shipped-script.ts";

/** One gem of the locked set. */
export interface Gem {
  readonly name: string;
  readonly version: string;
  /** Of the .gem file as the registry serves it. */
  readonly sha256: string;
}

/**
 * Everything Synapse needs to follow ZooKeeper. `gem install synapse` alone resolves to pins that do not compile on
 * today's Debian (zk-ruby/zookeeper#85), so these are installed without their dependencies; aws-sdk, docker-api and
 * logging are loaded only by watchers that are not used here.
 */
export const GEMS: readonly Gem[] = [
  {
    name: "synapse",
    version: "0.16.2",
    sha256: "7ca82bc5e0f7ce286cb2a2ab777ab32af378062b9bca1942d4bfd0d173dd13a0",
  },
  {
    name: "zk",
    version: "1.10.0",
    sha256: "e7151a665d6f5974a8d569d1b7a28c7c0110e4679b8f834fa54429dd4cbb569f",
  },
  {
    name: "hashdiff",
    version: "0.2.3",
    sha256: "e3b61e7c19235619296300cd7e8aa4e6ac7d257446bc4e47742761a5f177a6c4",
  },
  {
    name: "dogstatsd-ruby",
    version: "3.3.0",
    sha256: "231ef1ca0df63546ca42fa269eb8f6beb3894c3c6256e86e9350e26ce5530bdf",
  },
  // The only one that compiles: last, so that a wrong checksum of any other costs no build.
  {
    name: "zookeeper",
    version: "1.5.5",
    sha256: "6fcf3b2ac40158968bead2425abf9ca225db673014aba0f4a4a3b057d73d88c1",
  },
];

/** Where the gems are compiled; the other hosts need only `ruby`. */
export const BUILD_PACKAGES = ["ruby", "ruby-dev", "gcc", "make", "libc6-dev", "patch", "ca-certificates"];

/** Ruby of the supported releases, as /usr/bin/ruby links to it: known before ruby is installed. */
const RUBY_OF_RELEASE: Readonly<Record<string, string>> = {
  bullseye: "ruby2.7",
  bookworm: "ruby3.1",
  trixie: "ruby3.3",
};

/** The host's Ruby: the installed one, else the one its release would install, else "ruby". */
export function rubyOf(codename: string, installed: string | undefined): string {
  return installed ?? RUBY_OF_RELEASE[codename] ?? "ruby";
}

/** What a build is for: a compiled gem fits this release, architecture and Ruby only. */
export interface Platform {
  readonly codename: string;
  readonly architecture: string;
  readonly ruby: string;
}

/** Names a build. The gems and the way they are built are part of it: equal keys mean equal content. */
export function gemKey({ codename, architecture, ruby }: Platform): string {
  const lock = createHash("sha256").update(lockText()).update(shippedScript("build.sh")).digest("hex");
  return `synapse-${GEMS[0]!.version}-${codename}-${architecture}-${ruby}-${lock.slice(0, 8)}`;
}

/** One line a gem: name, version, sha256. */
function lockText(): string {
  return GEMS.map(({ name, version, sha256 }) => `${name} ${version} ${sha256}\n`).join("");
}

/** Directories that Ruby must search, relative to the build. */
export function libraryDirectories(): readonly string[] {
  return GEMS.flatMap(({ name, version }) => {
    const gem = `gems/${name}-${version}`;
    return name === "zookeeper" ? [`${gem}/lib`, `${gem}/ext`] : [`${gem}/lib`];
  });
}

/** Synapse's program, relative to the build. */
export const SYNAPSE_PROGRAM = `gems/synapse-${GEMS[0]!.version}/bin/synapse`;
