import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { access } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { HostUnreachable } from "../../errors.ts";
import type { SshSettings } from "../../inventory/ssh-settings.ts";
import type { Deadlines } from "../deadlines.ts";
import { whyHungUp } from "../dropped-early.ts";
import { type EffectiveSettings, effectiveSettings } from "../effective-settings.ts";
import { Limit } from "../limit.ts";
import { sshCommand } from "../ssh-command.ts";
import type { SshConfigReader } from "../ssh-config.ts";
import { unlessAborted } from "../unless-aborted.ts";
import { MasterConnection } from "./connection.ts";
import { type Failure, failureIn } from "./failure.ts";

/** As the built-in client: sshd drops connections at random once 10 are unauthenticated (MaxStartups 10:30:100). */
const MOST_HANDSHAKES = 10;
const MOST_TRIES = 4;
const LOOK_MS = 20;
const KEPT_LOG_CHARACTERS = 64 * 1024;
/** A socket's path has at most 107 bytes, and ssh adds some of its own while it makes one. */
const LONGEST_DIRECTORY = 60;

const MASTER = fileURLToPath(new URL("./master.sh", import.meta.url));

export interface OpensshOptions {
  readonly config: SshConfigReader;
  /** Instead of the user's and the system's ssh_config. */
  readonly sshConfigFile: string | undefined;
  readonly deadlines: Deadlines;
  /** Lets ssh ask a person at the terminal: for a PIN, a passphrase, a second factor, a new host's key. */
  readonly atTerminal: (<T>(work: () => Promise<T>) => Promise<T>) | undefined;
}

/** Makes connections with the system's own ssh. */
export class OpensshDialer {
  readonly #options: OpensshOptions;
  readonly #handshakes = new Limit(MOST_HANDSHAKES);

  constructor(options: OpensshOptions) {
    this.#options = options;
  }

  /** A new connection to the host. Throws HostUnreachable, or the signal's reason as soon as it is aborted. */
  async dial(host: string, settings: SshSettings, signal: AbortSignal): Promise<MasterConnection> {
    for (const key of ["password", "passphrase"] as const) {
      if (settings[key] === undefined) continue;
      throw new HostUnreachable(
        host,
        "settings",
        `settings: ssh.${key} is for meshctl's own client. With "client: openssh" use an agent or a terminal, where ssh asks itself.`,
      );
    }
    const effective = await effectiveSettings(host, settings, this.#options.config);
    for (let tries = 1; ; tries += 1) {
      const failure = await this.#attempt(effective, settings, false, signal);
      if (failure instanceof MasterConnection) return failure;
      if (failure.isDropped && tries < MOST_TRIES) {
        // Jittered, or a burst that was dropped together comes back together.
        await unlessAborted(sleep((0.5 + Math.random()) * 300 * 2 ** (tries - 1)), signal);
        continue;
      }
      const { atTerminal } = this.#options;
      if (atTerminal === undefined || !["authentication", "host key"].includes(failure.stage))
        throw unreachable(effective, failure);
      const asked = await atTerminal(() => this.#attempt(effective, settings, true, signal));
      if (asked instanceof MasterConnection) return asked;
      throw unreachable(effective, asked);
    }
  }

  async #attempt(
    effective: EffectiveSettings,
    settings: SshSettings,
    mayAsk: boolean,
    signal: AbortSignal,
  ): Promise<MasterConnection | Failure> {
    const leave = await this.#handshakes.take();
    try {
      signal.throwIfAborted();
      return await this.#connect(effective, settings, mayAsk, signal);
    } finally {
      leave();
    }
  }

  async #connect(
    effective: EffectiveSettings,
    settings: SshSettings,
    mayAsk: boolean,
    signal: AbortSignal,
  ): Promise<MasterConnection | Failure> {
    const { keyExchangeMs, authenticationMs, keepaliveMs } = this.#options.deadlines;
    const directory = mkdtempSync(join(runtimeDirectory(), "meshctl-"));
    const socket = join(directory, "s");
    const { sshConfigFile } = this.#options;
    const args = [
      ...(sshConfigFile === undefined ? [] : ["-F", sshConfigFile]),
      ...masterArguments(effective, settings, { socket, mayAsk, keepaliveMs }),
    ];
    const master = spawn("sh", [MASTER, directory, ...args], { stdio: ["pipe", "ignore", "pipe"] });
    track(master, directory);
    let log = "";
    master.stderr.setEncoding("utf8").on("data", (text: string) => {
      log = `${log}${text}`.slice(-KEPT_LOG_CHARACTERS);
    });
    const closed = new Promise<void>((resolve) => {
      master.once("close", () => resolve());
      master.once("error", () => resolve());
    });
    let hasEnded = false;
    void closed.then(() => {
      hasEnded = true;
    });
    const deadlineMs = mayAsk
      ? Number.POSITIVE_INFINITY
      : performance.now() + effective.connectTimeoutMs.value + keyExchangeMs + authenticationMs;
    try {
      while (!hasEnded) {
        signal.throwIfAborted();
        // It is made once the host has let us in.
        if (await isThere(socket)) {
          // The words of before are about how it came to be.
          log = "";
          return new MasterConnection(effective, master, socket, () => lossIn(log));
        }
        if (performance.now() > deadlineMs) {
          const failure = failureIn(log);
          master.stdin.destroy();
          return {
            ...failure,
            said: `ssh did not get in within ${Math.round((effective.connectTimeoutMs.value + keyExchangeMs + authenticationMs) / 1000)} s`,
          };
        }
        await sleep(LOOK_MS);
      }
    } catch (error) {
      master.stdin.destroy();
      throw error;
    }
    return failureIn(log);
  }
}

function masterArguments(
  effective: EffectiveSettings,
  { host, port, user, identityFiles, knownHostsFiles }: SshSettings,
  { socket, mayAsk, keepaliveMs }: { socket: string; mayAsk: boolean; keepaliveMs: number },
): string[] {
  const options: Record<string, string | number | undefined> = {
    BatchMode: mayAsk ? "no" : "yes",
    ClearAllForwardings: "yes",
    ConnectTimeout: Math.max(1, Math.ceil(effective.connectTimeoutMs.value / 1000)),
    ControlPersist: "no",
    ForwardAgent: "no",
    ForwardX11: "no",
    PermitLocalCommand: "no",
    RemoteCommand: "none",
    RequestTTY: "no",
    StrictHostKeyChecking: strictness(effective.hostKeys.value, mayAsk),
    // The inventory names what is offered, as with the built-in client.
    IdentitiesOnly: identityFiles === undefined ? undefined : "yes",
    ServerAliveInterval: Math.max(1, Math.round((effective.keepaliveMs.value ?? keepaliveMs) / 1000)),
    ServerAliveCountMax: effective.keepaliveCountMax.value,
    UserKnownHostsFile: knownHostsFiles?.map((file) => `"${file}"`).join(" "),
  };
  return [
    "-v",
    "-M",
    "-N",
    "-T",
    "-S",
    socket,
    ...Object.entries(options).flatMap(([name, value]) =>
      value === undefined ? [] : ["-o", `${name}=${value}`],
    ),
    ...(identityFiles ?? []).flatMap((file) => ["-i", file]),
    ...(port === undefined ? [] : ["-p", String(port)]),
    ...(user === undefined ? [] : ["-l", user]),
    "--",
    host,
  ];
}

function strictness(hostKeys: EffectiveSettings["hostKeys"]["value"], mayAsk: boolean): string {
  if (hostKeys === "accept-new") return "accept-new";
  return hostKeys === "ask" && mayAsk ? "ask" : "yes";
}

function unreachable(effective: EffectiveSettings, { stage, said, isDropped }: Failure): HostUnreachable {
  const advice = `. Try: ${sshCommand(effective, "-v")}`;
  const what =
    stage === "authentication"
      ? `${effective.user.value} is not let in: ${said}`
      : isDropped
        ? `the host hung up ${MOST_TRIES} times before it was done: ${said}. ${whyHungUp(said)}`
        : `ssh: ${said}`;
  return new HostUnreachable(effective.host, stage, `${stage}: ${what}${advice}`, {
    mayPass: isDropped || ["connect", "name resolution"].includes(stage),
  });
}

function lossIn(log: string): string {
  const { said } = failureIn(log);
  return said === "it said nothing" ? "ssh ended" : said;
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Where sockets are: this user's own directory, or the one that all share, in a directory that only they may enter. */
function runtimeDirectory(): string {
  const own = process.env.XDG_RUNTIME_DIR;
  const places = [own, tmpdir(), "/tmp"].filter((place) => place !== undefined && place !== "");
  return places.find((place) => place!.length <= LONGEST_DIRECTORY) ?? "/tmp";
}

/** Masters that run, with their directories: none outlives this process. */
const running = new Map<ChildProcess, string>();

function track(master: ChildProcess, directory: string): void {
  running.set(master, directory);
  master.once("close", () => {
    running.delete(master);
    rmSync(directory, { recursive: true, force: true });
  });
}

process.once("exit", () => {
  // Closed with this process, their input ends them.
  for (const directory of running.values()) rmSync(directory, { recursive: true, force: true });
});
