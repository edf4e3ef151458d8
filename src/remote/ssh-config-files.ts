import { readdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import SSHConfig from "ssh-config";
import { ConfigurationError } from "../errors.ts";
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
  const files = config === undefined ? [join(homedir(), ".ssh/config"), "/etc/ssh/ssh_config"] : [config];
  const texts: string[] = [];
  for (const file of files) texts.push(await withIncludes(file, target, 0));
  // A file's last Host section ends with the file.
  return computeSshConfig(texts.join(`\n${EVERY_HOST}\n`), target);
}

const EVERY_HOST = "Host *";

/** The text of a file with what it includes put in its place; "" when it cannot be read, as OpenSSH has it. */
async function withIncludes(file: string, target: SshConfigTarget, depth: number): Promise<string> {
  if (depth > MOST_DEPTH) throw new ConfigurationError(`${file}: too many Include levels`);
  const text = await readFile(file, "utf8").catch(() => "");
  const lines: string[] = [];
  let section = EVERY_HOST;
  for (const line of text.split(/\r?\n/)) {
    const [, keyword = "", rest = ""] = /^\s*([A-Za-z]+)(?:\s*=\s*|\s+)(.*)$/.exec(line) ?? [];
    if (/^(host|match)$/i.test(keyword)) section = line;
    if (!/^include$/i.test(keyword)) {
      // The one setting whose tokens count at once: Match host asks for the outcome.
      const isName = /^hostname$/i.test(keyword);
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
  const base = folder.startsWith("/etc/ssh") ? "/etc/ssh" : join(homedir(), ".ssh");
  const patterns = [...words.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
  const lists = await Promise.all(
    patterns.map((pattern) => glob(resolve(base, pattern.replace(/^~(?=\/|$)/, homedir())))),
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
