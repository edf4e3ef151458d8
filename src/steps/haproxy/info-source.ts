import type { Layer } from "../../contract/reading.ts";
import { socketQuestion } from "../../evidence/by-hand.ts";
import { ADMIN_SOCKET } from "../../haproxy/settings.ts";
import type { HaproxyFacts } from "./facts.ts";
import { MASTER_SOCKET } from "./paths.ts";

/** How the worker was asked who it is: a failed reload of HAProxy 2.2 leaves it only the master's socket. */
export function infoSource({ infoFrom, info }: HaproxyFacts): string {
  return infoFrom === MASTER_SOCKET
    ? socketQuestion(MASTER_SOCKET, `'@!${Number(info.get("pid"))}' show info`)
    : socketQuestion(ADMIN_SOCKET, "show info");
}

/** The layer of what only a worker can tell, where none did. */
export function unansweredLayer({ socket }: HaproxyFacts): Layer {
  const because = socket.is === "answered" ? "it was not asked" : socket.because;
  return { is: "unreadable", source: ADMIN_SOCKET, because };
}
