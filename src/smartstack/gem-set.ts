import { createHash } from "node:crypto";
import type { Requirement } from "../contract/claims.ts";
import type { Machine } from "../contract/host.ts";
import { scriptText } from "../script-text.ts";
import { GEMS, type GemSet } from "./locked-gems.ts";

export const BUILD_SCRIPT = new URL("./build.sh", import.meta.url);
export const DOWNLOADER = new URL("./download.rb", import.meta.url);

/** Where the gems are compiled; the other hosts need only `ruby`. */
export const BUILD_PACKAGES = ["ruby", "ruby-dev", "gcc", "make", "libc6-dev", "patch", "ca-certificates"];

/** Ruby of the supported releases, as /usr/bin/ruby links to it: known before ruby is installed. */
const RUBY_OF_RELEASE: Readonly<Record<string, string>> = {
  bullseye: "ruby2.7",
  bookworm: "ruby3.1",
  trixie: "ruby3.3",
};

/** What a host has of Ruby. */
export interface RubyFacts {
  /** What /usr/bin/ruby is a link to, for example "ruby3.1". */
  readonly ruby: string | undefined;
  /** The same of the package that apt would install, when there is none yet and apt knows; "none" when it has none. */
  readonly rubyCandidate: string | undefined;
}

/** The host's Ruby: the installed one, else the one it would install, else "ruby". */
export function rubyOf({ os }: Machine, { ruby, rubyCandidate }: RubyFacts): string {
  return ruby ?? rubyCandidate ?? RUBY_OF_RELEASE[os.codename] ?? "ruby";
}

/** As the probe says it of a host whose package sources have none. */
export const NO_RUBY = "none";

const TRIED = Object.values(RUBY_OF_RELEASE).map((ruby) => ruby.slice("ruby".length));

/** Why the gems cannot be expected to run with this Ruby, in one sentence; undefined when they can. */
export function rubyObstacle(title: string, ruby: string): string | undefined {
  if (ruby === NO_RUBY)
    return (
      `apt knows no package ruby on this host, and ${title} runs with one: give the host a package source that has it, ` +
      "run apt-get update there, or leave the host out of this play"
    );
  const version = /^ruby(\d+)\.(\d+)$/.exec(ruby);
  if (version === null) return undefined;
  const number = Number(version[1]) * 100 + Number(version[2]);
  if (number >= 207 && number <= 303) return undefined;
  const which = number < 207 ? "older" : "newer";
  const tried = `${TRIED.slice(0, -1).join(", ")} and ${TRIED.at(-1)}`;
  return (
    `this host's Ruby is ${version[1]}.${version[2]}, ${which} than those that ${title} and its gems were tried ` +
    `with (${tried}): leave the host out of this play, or give it a release that has one of these`
  );
}

/** What preflight asks of a host for one of the programs; nothing while its Ruby is not known. */
export function rubyRequirements(
  title: string,
  host: Machine,
  facts: RubyFacts | undefined,
): readonly Requirement[] {
  const found = facts === undefined ? "ruby" : rubyOf(host, facts);
  if (facts === undefined || found === "ruby") return [];
  const source =
    facts.ruby !== undefined
      ? "readlink -f /usr/bin/ruby"
      : facts.rubyCandidate !== undefined
        ? "apt-cache policy ruby"
        : "/etc/os-release (the release's own)";
  const because = rubyObstacle(title, found);
  return [{ setting: `Ruby for ${title}`, want: `2.7 to ${TRIED.at(-1)}`, found, source, because }];
}

/** Names a build. The gems and the way they are built are part of it: equal keys mean equal content. */
export function gemKey(host: Machine, facts: RubyFacts): string {
  const lines = GEMS.map(({ name, version, sha256 }) => `${name} ${version} ${sha256}\n`).join("");
  const lock = createHash("sha256")
    .update(lines)
    .update(scriptText(BUILD_SCRIPT))
    .update(scriptText(DOWNLOADER))
    .digest("hex");
  // A compiled gem fits this release, architecture and Ruby only.
  return `gems-${host.os.codename}-${host.architecture}-${rubyOf(host, facts)}-${lock.slice(0, 8)}`;
}

/** Directories that Ruby must search, relative to the build. */
export function libraryDirectories(gems: GemSet): readonly string[] {
  return gems.flatMap(({ name, version }) => {
    const gem = `gems/${name}-${version}`;
    return name === "zookeeper" ? [`${gem}/lib`, `${gem}/ext`] : [`${gem}/lib`];
  });
}

/** The program, relative to the build. */
export function programPath([{ name, version }]: GemSet): string {
  return `gems/${name}-${version}/bin/${name}`;
}
