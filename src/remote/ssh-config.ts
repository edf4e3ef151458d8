import { execFile } from "node:child_process";
import { ConfigurationError } from "../errors.ts";
import { Limit } from "./limit.ts";
import { sshConfigFromFiles } from "./ssh-config-files.ts";
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
  return {
    valuesFor(target) {
      const key = JSON.stringify(target);
      let values = perTarget.get(key);
      if (values === undefined) {
        values = read(target, file);
        perTarget.set(key, values);
      }
      return values;
    },
    defaults() {
      defaults ??= read({ name: "localhost", user: undefined, port: undefined }, "none");
      return defaults;
    },
  };
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
