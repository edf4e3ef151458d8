import type { Duplex } from "node:stream";
import ssh2, { type AuthenticationType, type AuthHandlerMiddleware, type NextAuthHandler } from "ssh2";
import { type ConnectStage, HostUnreachable } from "../errors.ts";
import type { Authentication } from "./authentication.ts";
import { Connection } from "./connection.ts";
import type { Deadlines } from "./deadlines.ts";
import { DroppedEarly } from "./dropped-early.ts";
import type { EffectiveSettings } from "./effective-settings.ts";
import type { HostKeyCheck } from "./host-key.ts";

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
}

/**
 * Takes an open stream through key exchange, host key and authentication, each with its own deadline.
 * Throws DroppedEarly, or HostUnreachable with the stage; the stream is destroyed then.
 */
export function handshake(request: HandshakeRequest): Promise<Connection> {
  const { socket, settings, hostKey, authentication, deadlines } = request;
  const { host, user } = settings;
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    let stage: ConnectStage = "key exchange";
    let timer: NodeJS.Timeout | undefined;
    let isSettled = false;
    let lastError: (Error & { level?: string; code?: unknown }) | undefined;
    let acceptedKey: Buffer | undefined;

    const fail = (error: Error) => {
      if (isSettled) return;
      isSettled = true;
      clearTimeout(timer);
      reject(error);
      socket.destroy();
    };
    const unreachable = (message: string) =>
      fail(new HostUnreachable(host, stage, `${stage}: ${message}`, { cause: lastError }));
    const enter = (next: ConnectStage, deadlineMs: number | undefined) => {
      stage = next;
      clearTimeout(timer);
      timer = undefined;
      if (deadlineMs === undefined || isSettled) return;
      timer = setTimeout(() => unreachable(silence(stage, deadlineMs)), deadlineMs);
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
        unreachable(
          `${error.message}. meshctl speaks curve25519, ECDH and Diffie-Hellman with SHA-2, not the post-quantum ` +
            `exchanges: allow one of them with KexAlgorithms in the host's sshd_config.`,
        );
      } else if (stage === "authentication" && typeof error.code === "number") {
        // The host ended it in so many words, for example after too many keys (MaxAuthTries).
        const tooMany = authentication.offered.length > 3 ? " Name one key with ssh.identity_file." : "";
        unreachable(`the host hung up: ${error.message}. ${authentication.failure}${tooMany}`);
      }
    });
    client.on("close", () => {
      if (isSettled) return;
      const because = request.via?.endedBecause;
      if (because !== undefined) {
        stage = "jump host";
        unreachable(`lost: ${because}`);
      } else if (stage === "key exchange") {
        fail(new DroppedEarly(lastError?.message ?? "the host closed the connection", { cause: lastError }));
      } else {
        unreachable(
          `the host closed the connection. ${stage === "authentication" ? authentication.failure : ""}`.trim(),
        );
      }
    });
    client.on("handshake", () => {
      // Comes again with every later exchange of keys.
      if (stage !== "authentication") enter("authentication", deadlines.authenticationMs);
    });
    client.on("change password", () => {
      unreachable(`the password of ${user.value} has expired. Log in with ssh and change it.`);
    });
    client.once("ready", () => {
      if (isSettled) return;
      isSettled = true;
      clearTimeout(timer);
      resolve(new Connection(client, socket, request.via, request.onClose));
    });

    const authHandler = (
      accepted: AuthenticationType[] | null,
      _partial: boolean | null,
      next: NextAuthHandler,
    ) => {
      authentication.next(accepted).then(
        (method) => {
          if (isSettled) return;
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
    enter("key exchange", deadlines.keyExchangeMs);
    try {
      client.connect({
        sock: socket as never,
        username: user.value,
        readyTimeout: 0,
        keepaliveInterval: deadlines.keepaliveMs,
        keepaliveCountMax: 3,
        algorithms: { serverHostKey: hostKey.algorithms },
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

function silence(stage: ConnectStage, deadlineMs: number): string {
  const within = `within ${deadlineMs / 1000} s`;
  switch (stage) {
    case "key exchange":
      return `the host took the connection and did not finish the key exchange ${within}. Is it sshd, and is the host overloaded?`;
    case "host key":
      return `no decision about the host's key ${within}`;
    default:
      return `the host did not answer ${within}. A directory or name service it asks may be down: try ssh -v`;
  }
}
