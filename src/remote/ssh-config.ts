import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import SSHConfig from "ssh-config";
import { ConfigurationError } from "../errors.ts";
import { Limit } from "./limit.ts";

/** ssh_config as it applies to one host: lower-case keyword → values in order. */
export type SshConfigValues = ReadonlyMap<string, readonly string[]>;

const SSH_G_TIMEOUT_MS = 15_000;
/** Each `ssh -G` is a process of 20 ms: a fleet of hundreds must not start them all at once. */
const processes = new Limit(8);

export interface SshConfigReader {
  /** What `ssh NAME` would use. Throws ConfigurationError when ssh_config itself is wrong. */
  valuesFor(name: string): Promise<SshConfigValues>;
  /** What it would use without any ssh_config. */
  defaults(): Promise<SshConfigValues>;
}

/** Reads ssh_config through `ssh -G`, so that Match and Include mean exactly what they mean to OpenSSH. */
export function sshConfigReader(file: string | undefined, warn: (message: string) => void): SshConfigReader {
  const perName = new Map<string, Promise<SshConfigValues>>();
  let defaults: Promise<SshConfigValues> | undefined;
  let warned = false;
  const read = async (name: string, config: string | undefined): Promise<SshConfigValues> => {
    const text = await sshG(name, config);
    if (text !== undefined) return parseSshG(text);
    if (!warned) {
      warned = true;
      warn(
        "There is no ssh client on this machine: ssh_config is read without Include and Match exec. Install openssh-client.",
      );
    }
    return config === "none" ? new Map() : parseFiles(name, config);
  };
  return {
    valuesFor(name) {
      let values = perName.get(name);
      if (values === undefined) {
        values = read(name, file);
        perName.set(name, values);
      }
      return values;
    },
    defaults() {
      defaults ??= read("localhost", "none");
      return defaults;
    },
  };
}

/** What `ssh -G` prints; undefined when there is no ssh. */
async function sshG(name: string, config: string | undefined): Promise<string | undefined> {
  const release = await processes.take();
  try {
    return await new Promise((resolve, reject) => {
      const args = [...(config === undefined ? [] : ["-F", config]), "-G", "--", name];
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

async function parseFiles(name: string, config: string | undefined): Promise<SshConfigValues> {
  const files = config === undefined ? [join(homedir(), ".ssh/config"), "/etc/ssh/ssh_config"] : [config];
  const texts = await Promise.all(files.map((path) => readFile(path, "utf8").catch(() => "")));
  return computeSshConfig(texts.join("\n"), name);
}

/** The fallback's reading of ssh_config text. */
export function computeSshConfig(text: string, name: string): SshConfigValues {
  const computed = SSHConfig.parse(text).compute(name, { ignoreCase: true, matchExec: false });
  return new Map(
    Object.entries(computed).map(([keyword, value]) => [
      keyword.toLowerCase(),
      typeof value === "string" ? [value] : value,
    ]),
  );
}
