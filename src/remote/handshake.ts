import type { Duplex } from "node:stream";
import type { AuthenticationType, AuthHandlerMiddleware, NextAuthHandler } from "ssh2";
import { type ConnectStage, HostUnreachable } from "../errors.ts";
import { type Deadline, deadline } from "../own-time.ts";
import { ALGORITHMS, disagreement } from "./algorithms.ts";
import type { Authentication } from "./authentication.ts";
import { Connection, lossOf } from "./connection.ts";
import type { Deadlines } from "./deadlines.ts";
import { DroppedEarly } from "./dropped-early.ts";
import type { EffectiveSettings } from "./effective-settings.ts";
import { GrowingBytes } from "./growing-bytes.ts";
import type { HostKeyCheck } from "./host-key.ts";
import { sshCommand } from "./ssh-command.ts";
import { ssh2 } from "./ssh2.ts";
import { writtenTogether } from "./written-together.ts";

/** A version line and a list of algorithms are no longer, and SSH's packets neither. */
const MOST_HEARD_BYTES = 40_000;

export interface HandshakeRequest {
  readonly socket: Duplex;
  readonly settings: EffectiveSettings;
  readonly hostKey: HostKeyCheck;
  /** True where a person may be asked about the key: then that stage has no deadline. */
  readonly mayAsk: boolean;
  readonly authentication: Authentication;
  readonly deadlines: Deadlines;
  readonly via: Connection | undefined;
  readonly onClose: () => void;
  /** Aborted when nobody wants the connection any more. */
  readonly signal: AbortSignal;
}

/**
 * Takes an open stream through key exchange, host key and authentication, each with its own deadline.
 * Throws DroppedEarly, HostUnreachable with the stage, or the signal's reason; the stream is destroyed then.
 */
export function handshake(request: HandshakeRequest): Promise<Connection> {
  const { socket, settings, hostKey, authentication, deadlines, signal } = request;
  const { host, user } = settings;
  return new Promise((resolve, reject) => {
    const { Client } = ssh2();
    const client = new Client();
    let stage: ConnectStage = "key exchange";
    let timer: Deadline | undefined;
    let leaveJumpHost: (() => void) | undefined;
    let isSettled = false;
    let lastError: (Error & { level?: string; code?: unknown }) | undefined;
    let acceptedKey: Buffer | undefined;
    // What PAM says of a user whose password was right: "System is booting up".
    let banner = "";
    // sshd says why it hangs up before it says that it is sshd: "Exceeded MaxStartups", "Not allowed at this time".
    let greeting = "";
    let hasSpoken = false;
    // What the host sends in clear: its version, and what it speaks.
    const heard = new GrowingBytes();
    const listen = (chunk: Buffer) => {
      hasSpoken = true;
      greeting = greeting === "" ? greetingIn(chunk) : greeting;
      heard.add(chunk.subarray(0, MOST_HEARD_BYTES - heard.length));
      if (heard.length === MOST_HEARD_BYTES) socket.off("data", listen);
    };

    const settle = () => {
      isSettled = true;
      timer?.clear();
      signal.removeEventListener("abort", giveUp);
      leaveJumpHost?.();
    };
    const fail = (error: Error) => {
      if (isSettled) return;
      settle();
      reject(error);
      socket.destroy();
    };
    const giveUp = () => fail(signal.reason);
    const lostJumpHost = () => {
      stage = "jump host";
      unreachable(lossOf(request.via) ?? "it was lost", true);
    };
    const unreachable = (message: string, mayPass = false) =>
      fail(new HostUnreachable(host, stage, `${stage}: ${message}`, { cause: lastError, mayPass }));
    const enter = (next: ConnectStage, deadlineMs: number | undefined) => {
      stage = next;
      timer?.clear();
      timer = undefined;
      if (deadlineMs === undefined || isSettled) return;
      timer = deadline(deadlineMs, () => {
        // A person may take as long as the host waits for them.
        if (authentication.isAsking) {
          enter(stage, deadlineMs);
          return;
        }
        const silent = silence(stage, deadlineMs, settings, authentication);
        const command = request.via === undefined && !hasSpoken ? settings.proxyCommand.value : undefined;
        if (command === undefined) unreachable(silent, !authentication.isPasswordSent);
        else {
          stage = "connect";
          unreachable(
            `ProxyCommand ${command} brought no answer within ${deadlineMs / 1000} s. ` +
              `Does it wait for something? It has no terminal to ask at. Try: ${sshCommand(settings, "-v")}`,
            true,
          );
        }
      });
    };

    client.on("error", (error: Error & { level?: string; code?: unknown }) => {
      lastError = error;
      if (isSettled) return;
      // Not fatal: an agent that does not answer, a key that cannot sign. The next credential is tried.
      if (error.level === "agent") {
        authentication.notes.push(`the agent: ${error.message}`);
      } else if (error.level === "client-authentication") {
        authentication.notes.push(error.message);
      } else if (error.level === "handshake") {
        unreachable(disagreement(error.message, heard.all()));
      } else if (stage === "authentication" && typeof error.code === "number") {
        // The host ended it in so many words, for example after too many keys (MaxAuthTries).
        const tooMany = authentication.offered.length > 3 ? " Name one key with ssh.identity_file." : "";
        unreachable(`the host hung up: ${error.message}. ${authentication.failure}${tooMany}`);
      }
    });
    const closed = () => {
      if (isSettled) return;
      if (lossOf(request.via) !== undefined) lostJumpHost();
      else if (lastError instanceof HostUnreachable) {
        fail(lastError);
      } else if (
        stage === "key exchange" ||
        (stage === "host key" && !request.mayAsk) ||
        authentication.isAsking
      ) {
        // Also where the host did not wait for a person at the keyboard: what they type serves the next try.
        const said = greeting === "" ? "" : `; it said: ${greeting}`;
        const because = lastError?.message ?? "the host closed the connection";
        fail(new DroppedEarly(`${because}${said}`, { cause: lastError }));
      } else {
        // Without a word about the credentials: so does sshd where only root may log in yet (pam_nologin). A password
        // is sent again only where PAM had something to say: it does so once the password was right.
        const said = banner === "" ? "" : ` and said: ${banner}`;
        unreachable(
          `the host closed the connection${said}. ${stage === "authentication" ? authentication.failure : ""}`.trim(),
          !authentication.isPasswordSent || banner !== "",
        );
      }
    };
    client.on("close", closed);
    // See Connection: a jump host's channel need not close.
    if (request.via !== undefined) client.on("end", () => setImmediate(closed));
    client.on("handshake", () => {
      socket.off("data", listen);
      // Comes again with every later exchange of keys.
      if (stage !== "authentication") enter("authentication", deadlines.authenticationMs);
    });
    client.on("banner", (text: string) => {
      // Those before are about the host, not about the user.
      if (authentication.isPasswordSent) banner = printable(text).slice(0, 300);
    });
    client.on("change password", () => {
      unreachable(`the password of ${user.value} has expired. Log in with ssh and change it.`);
    });
    client.once("ready", () => {
      if (isSettled) return;
      settle();
      resolve(new Connection(settings, client, socket, request.via, request.onClose));
    });

    const authHandler = (
      accepted: AuthenticationType[] | null,
      partial: boolean | null,
      next: NextAuthHandler,
    ) => {
      const { waits } = authentication;
      authentication.next(accepted, partial === true).then(
        (method) => {
          if (isSettled) return;
          if (authentication.waits > waits) enter("authentication", deadlines.authenticationMs);
          if (method === undefined) unreachable(authentication.failure);
          else next(method);
        },
        (error: unknown) => unreachable(error instanceof Error ? error.message : String(error)),
      );
    };

    if (socket.destroyed || socket.readableEnded) {
      // Its close event has gone by, and ssh2 would wait for another.
      fail(new DroppedEarly("the host closed the connection at once"));
      return;
    }
    if (signal.aborted) {
      giveUp();
      return;
    }
    signal.addEventListener("abort", giveUp);
    // A channel of a lost jump host need not close.
    leaveJumpHost = request.via?.onGone(lostJumpHost);
    enter("key exchange", deadlines.keyExchangeMs);
    socket.on("data", listen);
    try {
      client.connect({
        sock: writtenTogether(socket) as never,
        username: user.value,
        readyTimeout: 0,
        keepaliveInterval: settings.keepaliveMs.value ?? deadlines.keepaliveMs,
        // A jump host that falls silent must be missed before what lies behind it: it is the one to be named.
        keepaliveCountMax: settings.keepaliveCountMax.value + 2 * hopsBefore(request.via),
        algorithms: { ...ALGORITHMS, serverHostKey: hostKey.algorithms },
        authHandler: authHandler as AuthHandlerMiddleware,
        hostVerifier: (key: Buffer, verify: (permitted: boolean) => void) => {
          // Asked again at every exchange of keys: the host must stay the same.
          if (acceptedKey !== undefined) {
            verify(acceptedKey.equals(key));
            return;
          }
          enter("host key", request.mayAsk ? undefined : deadlines.hostKeyMs);
          hostKey.accept(key).then(() => {
            if (isSettled) return;
            acceptedKey = key;
            enter("key exchange", deadlines.keyExchangeMs);
            verify(true);
          }, fail);
        },
      });
    } catch (error) {
      unreachable(error instanceof Error ? error.message : String(error));
    }
  });
}

/** The first line that is not SSH's own, fit for a message. */
function greetingIn(chunk: Buffer): string {
  const line = chunk.toString("latin1", 0, 200).split("\n")[0] ?? "";
  return line.startsWith("SSH-") ? "" : printable(line);
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, " ").trim();
}

function hopsBefore(via: Connection | undefined): number {
  return via === undefined ? 0 : via.hops + 1;
}

function silence(
  stage: ConnectStage,
  deadlineMs: number,
  settings: EffectiveSettings,
  { signing }: Authentication,
): string {
  const within = `within ${deadlineMs / 1000} s`;
  switch (stage) {
    case "key exchange":
      return `the host took the connection and did not finish the key exchange ${within}. Is it sshd, and is the host overloaded?`;
    case "host key":
      return `no decision about the host's key ${within}`;
    default:
      if (signing !== undefined)
        return `the SSH agent did not sign with ${signing} ${within}. Does it wait for a confirmation or a touch?`;
      return `the host did not answer ${within}. A directory or name service it asks may be down. Try: ${sshCommand(settings, "-v")}`;
  }
}
