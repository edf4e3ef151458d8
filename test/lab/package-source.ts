import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Suite } from "./suite.ts";

/** Where the machine itself gets Debian from. */
export interface DebianArchive {
  readonly uri: string;
  /** Absent when the machine has no security entry. */
  readonly securityUri?: string;
}

interface Entry {
  uri: string;
  suite: string;
}

const releases = new Set(
  "bullseye bookworm trixie forky duke sid oldoldstable oldstable stable testing unstable".split(" "),
);

/** `deb [options] URI SUITE component…`, one entry per line. */
function entriesOfList(text: string): Entry[] {
  return text.split("\n").flatMap((line) => {
    const match = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)/.exec(line);
    return match ? [{ uri: match[1]!, suite: match[2]! }] : [];
  });
}

/** deb822: stanzas of `Field: values`, continued on indented lines. */
function entriesOfSources(text: string): Entry[] {
  const stanzas = text.replace(/^#.*\n?/gm, "").split(/\n\s*\n/);
  return stanzas.flatMap((stanza) => {
    const words = (field: string): string[] =>
      new RegExp(`^${field}:((?:.*)(?:\\n[ \\t].*)*)`, "im").exec(stanza)?.[1]?.trim().split(/\s+/) ?? [];
    if (!words("Types").includes("deb") || words("Enabled")[0]?.toLowerCase() === "no") return [];
    return words("URIs").flatMap((uri) => words("Suites").map((suite) => ({ uri, suite })));
  });
}

/** Finds Debian's own archive among apt sources; entries of anyone else are passed over. */
export function findDebianArchive(
  files: readonly { name: string; text: string }[],
): DebianArchive | undefined {
  const entries = files
    .flatMap(({ name, text }) => (name.endsWith(".sources") ? entriesOfSources(text) : entriesOfList(text)))
    .filter(({ uri }) => /^https?:/.test(uri));
  // Others use Debian's suite names too, but only Debian's archive has the updates beside the release
  // or calls itself debian.
  const plain = entries.filter(({ suite }) => releases.has(suite));
  const archive =
    plain.find(({ uri, suite }) => entries.some((e) => e.uri === uri && e.suite === `${suite}-updates`)) ??
    plain.find(({ uri }) => /\/debian\/?$/.test(uri));
  if (archive === undefined) return undefined;
  const security = entries.find(
    ({ suite }) => suite === `${archive.suite}-security` || suite === `${archive.suite}/updates`,
  );
  const withoutSlash = (uri: string): string => uri.replace(/\/+$/, "");
  return {
    uri: withoutSlash(archive.uri),
    ...(security === undefined ? {} : { securityUri: withoutSlash(security.uri) }),
  };
}

/** Reads the machine's apt sources. Throws one sentence when Debian is not among them. */
export async function machineDebianArchive(): Promise<DebianArchive> {
  const names = ["/etc/apt/sources.list"];
  const directory = "/etc/apt/sources.list.d";
  if (existsSync(directory)) {
    const extra = (await readdir(directory)).filter((name) => /\.(list|sources)$/.test(name)).sort();
    names.push(...extra.map((name) => join(directory, name)));
  }
  const present = names.filter((name) => existsSync(name));
  const files = await Promise.all(
    present.map(async (name) => ({ name, text: await readFile(name, "utf8") })),
  );
  const archive = findDebianArchive(files);
  if (archive === undefined) {
    throw new Error(
      "The lab found no Debian archive in this machine's /etc/apt/sources.list or sources.list.d.",
    );
  }
  return archive;
}

/** The lines of a host's /etc/apt/sources.list. */
export function sourceLines(archive: DebianArchive, suite: Suite): string[] {
  const lines = [`deb ${archive.uri} ${suite} main`];
  if (suite === "sid") return lines;
  if (archive.securityUri !== undefined) lines.push(`deb ${archive.securityUri} ${suite}-security main`);
  return lines;
}
