import { readdir, readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import SSHConfig from "ssh-config";
import { ConfigurationError } from "../errors.ts";
import { localUser } from "../local-user.ts";
import { matchesPattern } from "./known-hosts.ts";
import type { SshConfigTarget, SshConfigValues } from "./ssh-config-values.ts";

/** As OpenSSH: deeper than this is a file that includes itself. */
const MOST_DEPTH = 16;

/**
 * ssh_config as it applies to one host, without an ssh client: Host, Match but for its `exec`, and Include.
 * Throws ConfigurationError when a file is wrong.
 */
export async function sshConfigFromFiles(
  target: SshConfigTarget,
  config: string | undefined,
): Promise<SshConfigValues> {
  const texts: string[] = [];
  for (const file of filesOf(config)) texts.push(await withIncludes(file, target, 0));
  // A file's last Host section ends with the file.
  return computeSshConfig(texts.join(`\n${EVERY_HOST}\n`), target);
}

const EVERY_HOST = "Host *";

/**
 * What of ssh_config tells one host from another, by its name: hosts with the same answer get the same values, but for their
 * own name. Undefined where it can only be asked of ssh itself: Match, canonical names, and values made of the host's name.
 */
export async function sectionsOf(config: string | undefined): Promise<(name: string) => string | undefined> {
  const texts = await Promise.all(filesOf(config).map((file) => withAllIncludes(file, 0)));
  const sections = [{ patterns: ["*"], isOwn: false }];
  for (const line of texts.join(`\n${EVERY_HOST}\n`).split(/\r?\n/)) {
    const { keyword, rest } = wordsOf(line);
    if (keyword === "host") sections.push({ patterns: namesIn(rest), isOwn: false });
    else if (keyword === "match") sections.push({ patterns: ["*"], isOwn: true });
    // Where a control socket lies is nothing to meshctl.
    else if (keyword.startsWith("canonical") || (rest.includes("%") && keyword !== "controlpath"))
      sections.at(-1)!.isOwn = true;
  }
  return (name) => {
    const applies = sections.map(({ patterns }) => isMatchedBy(patterns, name));
    const isOwn = sections.some((section, at) => section.isOwn && applies[at]);
    // ssh compares letter by letter, and makes small letters of the name that it connects to.
    return isOwn || name !== name.toLowerCase() ? undefined : applies.map(Number).join("");
  };
}

/**
 * Names that Host lines give in the user's and the system's ssh_config, in their order: no patterns, and nothing that is
 * logged into as `git`, as forges are.
 */
export async function namedHosts(config: string | undefined): Promise<readonly string[]> {
  const texts = await Promise.all(filesOf(config).map((file) => withAllIncludes(file, 0)));
  const names = new Set<string>();
  let section: readonly string[] = [];
  for (const line of texts.join("\n").split(/\r?\n/)) {
    const { keyword, rest } = wordsOf(line);
    if (keyword === "host") section = namesIn(rest).filter((name) => !/[*?!#]/.test(name));
    else if (keyword === "match") section = [];
    else if (keyword === "user" && rest.trim() === "git") for (const name of section) names.delete(name);
    if (keyword === "host") for (const name of section) names.add(name);
  }
  return [...names];
}

/** As ssh_config(5) has a Host line: one of the patterns fits, and none that is negated. */
function isMatchedBy(patterns: readonly string[], name: string): boolean {
  const fits = (pattern: string) => matchesPattern(name, pattern.toLowerCase());
  const [negated, plain] = [true, false].map((is) => patterns.filter((one) => one.startsWith("!") === is));
  return plain!.some(fits) && !negated!.some((pattern) => fits(pattern.slice(1)));
}

/** Text of a file with everything that it may include, whatever section it stands in. */
async function withAllIncludes(file: string, depth: number): Promise<string> {
  if (depth > MOST_DEPTH) throw new ConfigurationError(`${file}: too many Include levels`);
  const text = await readFile(file, "utf8").catch(() => "");
  const parts = text.split(/\r?\n/).map(async (line) => {
    const { keyword, rest } = wordsOf(line);
    if (keyword !== "include") return [line];
    const paths = await pathsOf(rest, dirname(file));
    // What follows belongs to the section before: it counts for every host then, which only asks ssh more often.
    return [...(await Promise.all(paths.map((path) => withAllIncludes(path, depth + 1)))), EVERY_HOST];
  });
  return (await Promise.all(parts)).flat().join("\n");
}

function filesOf(config: string | undefined): readonly string[] {
  return config === undefined ? [join(localUser().home, ".ssh/config"), "/etc/ssh/ssh_config"] : [config];
}

/** Keyword of a line, in small letters, and what follows it. */
function wordsOf(line: string): { readonly keyword: string; readonly rest: string } {
  const [, keyword = "", rest = ""] = /^\s*([A-Za-z]+)(?:\s*=\s*|\s+)(.*)$/.exec(line) ?? [];
  return { keyword: keyword.toLowerCase(), rest };
}

/** Words, each maybe quoted. */
function namesIn(words: string): string[] {
  return [...words.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
}

/** The text of a file with what it includes put in its place; "" when it cannot be read, as OpenSSH has it. */
async function withIncludes(file: string, target: SshConfigTarget, depth: number): Promise<string> {
  if (depth > MOST_DEPTH) throw new ConfigurationError(`${file}: too many Include levels`);
  const text = await readFile(file, "utf8").catch(() => "");
  const lines: string[] = [];
  let section = EVERY_HOST;
  for (const line of text.split(/\r?\n/)) {
    const { keyword, rest } = wordsOf(line);
    if (keyword === "host" || keyword === "match") section = line;
    if (keyword !== "include") {
      // The one setting whose tokens count at once: Match host asks for the outcome.
      const isName = keyword === "hostname";
      lines.push(isName ? line.replace(/%([%h])/g, (_, sign) => (sign === "h" ? target.name : sign)) : line);
      continue;
    }
    // What a section that is not about the host includes does not count, whatever its own Host lines say.
    if (!isAbout(section, target)) continue;
    for (const path of await pathsOf(rest, dirname(file)))
      lines.push(await withIncludes(path, target, depth + 1), section);
  }
  return lines.join("\n");
}

function isAbout(section: string, target: SshConfigTarget): boolean {
  return computeSshConfig(`${section}\n  Tag meshctl-is-here`, target).get("tag") !== undefined;
}

/** The files that an Include names, in order: several words, each maybe quoted, with "~" and wildcards. */
async function pathsOf(words: string, folder: string): Promise<string[]> {
  // A relative path starts at ~/.ssh, in the system's files at /etc/ssh.
  const base = folder.startsWith("/etc/ssh") ? "/etc/ssh" : join(localUser().home, ".ssh");
  const lists = await Promise.all(
    namesIn(words).map((pattern) => glob(resolve(base, pattern.replace(/^~(?=\/|$)/, localUser().home)))),
  );
  return lists.flat();
}

async function glob(pattern: string): Promise<string[]> {
  let paths = ["/"];
  for (const part of pattern.split("/").filter((one) => one !== "")) {
    if (!/[*?]/.test(part)) {
      paths = paths.map((path) => join(path, part));
      continue;
    }
    const found = await Promise.all(
      paths.map(async (path) => {
        const names = await readdir(path).catch(() => []);
        const seen = names.filter((name) => matchesPattern(name, part) && !name.startsWith("."));
        return seen.sort().map((name) => join(path, name));
      }),
    );
    paths = found.flat();
  }
  return paths;
}

/** What ssh_config text without Include says of a host. */
export function computeSshConfig(text: string, target: SshConfigTarget): SshConfigValues {
  let computed: Record<string, string | string[]>;
  try {
    const { name, user } = target;
    computed = SSHConfig.parse(text).compute(
      { Host: name, ...(user === undefined ? {} : { User: user }) },
      { ignoreCase: true, matchExec: false },
    );
  } catch (error) {
    throw new ConfigurationError(`ssh_config cannot be understood: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return new Map(Object.entries(computed).map(([keyword, value]) => [keyword.toLowerCase(), [value].flat()]));
}
