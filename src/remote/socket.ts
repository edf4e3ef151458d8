import { spawn } from "node:child_process";
import { connect, isIP } from "node:net";
import { Duplex } from "node:stream";
import { type ConnectStage, HostUnreachable } from "../errors.ts";
import { DroppedEarly } from "./dropped-early.ts";
import type { EffectiveSettings } from "./effective-settings.ts";

/**
 * A TCP connection to the host. Throws HostUnreachable at stage "name resolution" or "connect", at the latest after
 * the connect timeout, and DroppedEarly when the connection was reset at once.
 */
export function openTcp(settings: EffectiveSettings): Promise<Duplex> {
  const { host, hostName, port, connectTimeoutMs } = settings;
  const where = `${hostName.value} port ${port.value}`;
  return new Promise((resolve, reject) => {
    const address = hostName.value.replace(/^\[(.*)\]$/, "$1");
    let stage: ConnectStage = isIP(address) === 0 ? "name resolution" : "connect";
    const socket = connect({
      host: address,
      port: port.value,
      noDelay: true,
      // Node's 250 ms for each address of a name gives up on hosts that are merely far away.
      autoSelectFamilyAttemptTimeout: Math.max(2_000, Math.floor(connectTimeoutMs.value / 4)),
    });
    const fail = (message: string, cause?: unknown) => {
      clearTimeout(timer);
      socket.destroy();
      reject(new HostUnreachable(host, stage, `${stage}: ${message}`, { cause }));
    };
    const timer = setTimeout(
      () =>
        fail(
          `${where} did not answer within ${connectTimeoutMs.value / 1000} s. Is it up, and is a firewall in the way?`,
        ),
      connectTimeoutMs.value,
    );
    socket.once("lookup", (error) => {
      if (error === null) stage = "connect";
    });
    socket.once("connect", () => {
      clearTimeout(timer);
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
      if (code === "ECONNRESET") {
        clearTimeout(timer);
        reject(new DroppedEarly(`${where} reset the connection`, { cause: error }));
      } else if (code === "ECONNREFUSED")
        fail(`${where} refused the connection: is sshd running there, on this port?`, error);
      else fail(`${where}: ${code === "" ? error.message : code}`, error);
    });
  });
}

/** The standard input and output of a ProxyCommand. It ends when the stream is destroyed. */
export function openProxyCommand(command: string): Duplex {
  // As ssh does: through the user's shell, replaced by the command so that the signal reaches it.
  const child = spawn(process.env.SHELL ?? "/bin/sh", ["-c", `exec ${command}`], {
    stdio: ["pipe", "pipe", "inherit"],
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
      child.kill();
      callback(error);
    },
  });
  child.stdout.on("data", (chunk) => {
    if (!stream.push(chunk)) child.stdout.pause();
  });
  child.stdout.on("end", () => stream.push(null));
  child.stdin.on("error", () => {});
  child.on("error", (error) => stream.destroy(error));
  child.on("exit", () => stream.destroy());
  return stream;
}
