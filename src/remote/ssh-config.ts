import { execFile } from "node:child_process";
import { ConfigurationError } from "../errors.ts";
import { Limit } from "./limit.ts";
import { sectionsOf, sshConfigFromFiles } from "./ssh-config-files.ts";
import type { SshConfigTarget, SshConfigValues } from "./ssh-config-values.ts";

const SSH_G_TIMEOUT_MS = 15_000;
/** Each `ssh -G` is a process of 20 ms: a fleet of hundreds must not start them all at once. */
const processes = new Limit(8);

export interface SshConfigReader {
  /** What ssh would use. Throws ConfigurationError when ssh_config itself is wrong. */
  valuesFor(target: SshConfigTarget): Promise<SshConfigValues>;
  /** What it would use without any ssh_config. */
  defaults(): Promise<SshConfigValues>;
}

/** Reads ssh_config through `ssh -G`, so that Match and Include mean exactly what they mean to OpenSSH. */
export function sshConfigReader(file: string | undefined, warn: (message: string) => void): SshConfigReader {
  const perTarget = new Map<string, Promise<SshConfigValues>>();
  /** Names that ssh_config does not tell apart are asked for once. */
  const perSections = new Map<string, { readonly name: string; readonly values: Promise<SshConfigValues> }>();
  let sections: ReturnType<typeof sectionsOf> | undefined;
  let defaults: Promise<SshConfigValues> | undefined;
  let warned = false;
  const read = async (target: SshConfigTarget, config: string | undefined): Promise<SshConfigValues> => {
    const text = await sshG(target, config);
    if (text !== undefined) return parseSshG(text);
    if (!warned) {
      warned = true;
      warn(
        "There is no ssh client on this machine, so meshctl reads ssh_config by itself: without Match exec, canonical and final, and without OpenSSH's own checks. Install openssh-client.",
      );
    }
    return config === "none" ? new Map() : sshConfigFromFiles(target, config);
  };
  const readShared = async (target: SshConfigTarget): Promise<SshConfigValues> => {
    sections ??= sectionsOf(file);
    const own = (await sections)(target.name);
    if (own === undefined) return read(target, file);
    const key = JSON.stringify([target.user, target.port, own]);
    const shared = perSections.get(key) ?? { name: target.name, values: read(target, file) };
    perSections.set(key, shared);
    return named(await shared.values, shared.name, target.name);
  };
  return {
    valuesFor(target) {
      const key = JSON.stringify(target);
      const values = perTarget.get(key) ?? readShared(target);
      perTarget.set(key, values);
      return values;
    },
    defaults() {
      defaults ??= read({ name: "localhost", user: undefined, port: undefined }, "none");
      return defaults;
    },
  };
}

/** What ssh says of one name, said of another that ssh_config does not tell from it. */
function named(values: SshConfigValues, name: string, other: string): SshConfigValues {
  if (name === other) return values;
  const renamed = (value: string) => (value === name ? other : value);
  return new Map(
    [...values].map(([keyword, said]) => [keyword, /^host(name)?$/.test(keyword) ? said.map(renamed) : said]),
  );
}

/** What `ssh -G` prints; undefined when there is no ssh. */
async function sshG(
  { name, user, port }: SshConfigTarget,
  config: string | undefined,
): Promise<string | undefined> {
  const release = await processes.take();
  try {
    return await new Promise((resolve, reject) => {
      const option = (letter: string, value: string | number | undefined) =>
        value === undefined ? [] : [letter, String(value)];
      const args = [...option("-F", config), ...option("-l", user), ...option("-p", port), "-G", "--", name];
      execFile(
        "ssh",
        args,
        { timeout: SSH_G_TIMEOUT_MS, maxBuffer: 4 * 1024 * 1024 },
        (error, stdout, stderr) => {
          if (error === null) resolve(stdout);
          else if (error.code === "ENOENT") resolve(undefined);
          else if (error.killed) {
            reject(
              new ConfigurationError(`ssh -G ${name} did not answer within ${SSH_G_TIMEOUT_MS / 1000} s`),
            );
          } else {
            const said = stderr.trim().split("\n").slice(-2).join("; ") || error.message;
            reject(new ConfigurationError(`ssh -G ${name} failed: ${said}`));
          }
        },
      );
    });
  } finally {
    release();
  }
}

export function parseSshG(text: string): SshConfigValues {
  const values = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const blank = line.indexOf(" ");
    if (blank === -1) continue;
    const keyword = line.slice(0, blank).toLowerCase();
    values.set(keyword, [...(values.get(keyword) ?? []), line.slice(blank + 1)]);
  }
  return values;
}
