import { type ChildProcess, spawn } from "node:child_process";
import { connect, isIP } from "node:net";
import { Duplex } from "node:stream";
import { type ConnectStage, HostUnreachable } from "../errors.ts";
import { deadline } from "../own-time.ts";
import { DroppedEarly } from "./dropped-early.ts";
import type { EffectiveSettings } from "./effective-settings.ts";

const FAMILIES = { any: 0, inet: 4, inet6: 6 } as const;

/** What the codes of connect(2) mean to the person who reads them, after "HOST port PORT". */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "refused the connection: is sshd running there, on this port?",
  EHOSTUNREACH: "cannot be reached: no router on the way knows the host. Is it up, and is its address right?",
  ENETUNREACH:
    "cannot be reached: this machine has no route there. Is a VPN or a jump host (ProxyJump) missing?",
  ETIMEDOUT: "did not answer. Is it up, and is a firewall in the way?",
  EACCES: "cannot be reached: this machine does not allow it. Is a local firewall in the way?",
  EPERM: "cannot be reached: this machine does not allow it. Is a local firewall in the way?",
  EADDRNOTAVAIL: "cannot be reached from the address that BindAddress names: this machine does not have it.",
};

/**
 * A TCP connection to the host. Throws HostUnreachable at stage "name resolution" or "connect", at the latest after
 * the connect timeout, DroppedEarly when the connection was reset at once, and the signal's reason.
 */
export function openTcp(settings: EffectiveSettings, signal: AbortSignal): Promise<Duplex> {
  const { host, hostName, port, connectTimeoutMs, addressFamily, bindAddress } = settings;
  const where = `${hostName.value} port ${port.value}`;
  return new Promise((resolve, reject) => {
    const address = hostName.value.replace(/^\[(.*)\]$/, "$1");
    let stage: ConnectStage = isIP(address) === 0 ? "name resolution" : "connect";
    const socket = connect({
      host: address,
      port: port.value,
      noDelay: true,
      family: FAMILIES[addressFamily.value],
      ...(bindAddress.value === undefined ? {} : { localAddress: bindAddress.value }),
      // Node's 250 ms for each address of a name gives up on hosts that are merely far away.
      autoSelectFamilyAttemptTimeout: Math.max(2_000, Math.floor(connectTimeoutMs.value / 4)),
    });
    const settle = () => {
      timer.clear();
      signal.removeEventListener("abort", giveUp);
    };
    const refuse = (error: unknown) => {
      settle();
      socket.destroy();
      reject(error);
    };
    const giveUp = () => refuse(signal.reason);
    const fail = (message: string, cause?: unknown) =>
      refuse(new HostUnreachable(host, stage, `${stage}: ${message}`, { cause }));
    const timer = deadline(connectTimeoutMs.value, () =>
      fail(
        `${where} did not answer within ${connectTimeoutMs.value / 1000} s. Is it up, and is a firewall in the way?`,
      ),
    );
    signal.addEventListener("abort", giveUp);
    socket.once("lookup", (error) => {
      if (error === null) stage = "connect";
    });
    socket.once("connect", () => {
      settle();
      socket.removeAllListeners("error");
      // From here on the SSH client listens; an error in between must not end the process.
      socket.on("error", () => {});
      resolve(socket);
    });
    socket.once("error", (error) => {
      const code = "code" in error ? String(error.code) : "";
      if (code === "ENOTFOUND" || code === "EAI_AGAIN" || code === "ENODATA") {
        stage = "name resolution";
        fail(
          `no address is known for ${hostName.value} (${code}). Put an address or another name at ssh.host.`,
          error,
        );
        return;
      }
      stage = "connect";
      const reason = REASONS[code];
      if (code === "ECONNRESET") refuse(new DroppedEarly(`${where} reset the connection`, { cause: error }));
      else if (reason !== undefined) fail(`${where} ${reason} (${code})`, error);
      else fail(`${where}: ${error.message}`, error);
    });
  });
}

/** What is kept of a ProxyCommand's words. */
const SAID_CHARACTERS = 300;
/** How long a ProxyCommand may take to end once it is told to. */
const COMMAND_END_MS = 2_000;

/**
 * The standard input and output of a ProxyCommand. It ends when the stream is destroyed, at the latest two seconds
 * later, and is told to when this process ends; where it fails by itself the stream ends with HostUnreachable at stage "connect".
 */
export function openProxyCommand({ host }: EffectiveSettings, command: string): Duplex {
  // As ssh does: through the user's shell, replaced by the command so that the signal reaches it.
  const child = spawn(process.env.SHELL || "/bin/sh", ["-c", `exec ${command}`], {
    stdio: ["pipe", "pipe", "pipe"],
    // A group and a session of its own: the first ^C finishes what is under way, and must not take the way there from
    // under it.
    detached: true,
  });
  running.add(child);
  child.once("exit", () => running.delete(child));
  let said = "";
  child.stderr.on("data", (chunk) => {
    said = `${said}${chunk}`.slice(-SAID_CHARACTERS);
  });
  const stream = new Duplex({
    read() {
      child.stdout.resume();
    },
    write(chunk, _encoding, callback) {
      child.stdin.write(chunk, () => callback());
    },
    final(callback) {
      child.stdin.end(() => callback());
    },
    destroy(error, callback) {
      // What it left behind may hold their other ends.
      for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe.destroy();
      endCommand(child);
      callback(error);
    },
  });
  child.stdout.on("data", (chunk) => {
    if (!stream.push(chunk)) child.stdout.pause();
  });
  child.stdout.on("end", () => stream.push(null));
  child.stdin.on("error", () => {});
  child.on("error", (error) => stream.destroy(error));
  child.on("close", (code) => {
    if (code === 0 || code === null || stream.destroyed) {
      stream.destroy();
      return;
    }
    // Text from elsewhere must not steer the terminal.
    const words = said.replace(/[\x00-\x1f\x7f-\x9f]+/g, " ").trim();
    const message = `connect: ProxyCommand ${command} ended with code ${code}${words === "" ? "" : `: ${words}`}`;
    stream.destroy(new HostUnreachable(host, "connect", message));
  });
  return stream;
}

/** ProxyCommands that run. In a session of their own they outlive this process, and hold its connections up. */
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) tell(child, "SIGTERM");
});

function tell({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The group has ended.
  }
}

function endCommand(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  tell(child, "SIGTERM");
  const timer = setTimeout(() => tell(child, "SIGKILL"), COMMAND_END_MS);
  child.once("exit", () => clearTimeout(timer));
  // One that not even SIGKILL ends is not waited for.
  child.unref();
}
