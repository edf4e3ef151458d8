import type { BootLine } from "./boot-lines.ts";
import type { InTheWay } from "./reach.ts";

/** What HAProxy is told over its socket, and keeps until it is told otherwise. */
export const SOCKET_VERBS =
  "(?:disable|shutdown) (?:frontend|server|sessions)|disable (?:health|agent)|set (?:maxconn|rate-limit|weight|server)|del server";

/** By a service's unit: what a line says to its own socket, client or log. */
export const TOLD: Readonly<
  Record<string, (text: string, together: readonly BootLine[], line: BootLine) => InTheWay | undefined>
> = {
  "haproxy.service": bySocket,
  "mariadb.service": byClient,
  "mysql.service": byClient,
  "zookeeper.service": byRegistry,
};

function bySocket(text: string, together: readonly BootLine[], { path }: BootLine): InTheWay | undefined {
  // Of a text that a script sends a line holds no more than the verb.
  const isText = /^\s*["']?(?:disable|shutdown|set|del)\b/.test(text);
  const isSent = isText && together.some((line) => line.path === path && /\.sock\b/.test(line.text));
  if (!/\bsocat\b|\bnc\b|\.sock\b/.test(text) && !isSent) return undefined;
  const [, before = "", said = ""] = new RegExp(`^(.*?)\\b(${SOCKET_VERBS})\\b`).exec(text) ?? [];
  if (said === "") return undefined;
  // A deployment takes its server out and puts it back.
  const isUndone = said.startsWith("disable ")
    ? together.some((line) => line.text.includes(said.replace("disable", "enable")))
    : /\bstate (?:ready|drain|maint)\b/.test(text) &&
      together.some((line) => /\bset server\b.*\bstate ready\b/.test(line.text));
  if (isUndone) return undefined;
  const command = before.replace(/(?:echo|printf)\s+(?:-\w+\s+)*["']?\s*$/, "");
  return { does: `says "${said}" to the socket of`, before: command, isSaid: false, lasts: true };
}

function byClient(text: string, together: readonly BootLine[]): InTheWay | undefined {
  const [, before] =
    /^(.*?)\b(?:(?:mysql|mariadb-)admin\b.*\bshutdown|(?:mysql|mariadb)\b.*(?:-\w*e|--execute)[=\s]*["']?\s*shutdown)\b/i.exec(
      text,
    ) ?? [];
  if (before !== undefined) {
    const isStarted = together.some((line) => /\b(?:start|restart)\b/.test(line.text));
    return isStarted
      ? undefined
      : { does: "shuts down", before, isSaid: /\s(?:-h|--host)/.test(text), lasts: true };
  }
  const [, variable = ""] =
    /\bSET\s+(?:GLOBAL\s+|@@global\.)((?:super_)?read_only|offline_mode)\s*:?=\s*(?:1|ON|TRUE)\b/i.exec(
      text,
    ) ?? [];
  if (variable !== "") {
    const back = new RegExp(`\\b${variable}\\s*:?=\\s*(?:0|OFF|FALSE)\\b`, "i");
    // Who manages replicas does so.
    return together.some((line) => back.test(line.text))
      ? undefined
      : { does: `sets ${variable} of`, before: "", isSaid: true, lasts: true };
  }
  if (!/\bFLUSH\s+(?:LOCAL\s+|NO_WRITE_TO_BINLOG\s+)?TABLES\s+WITH\s+READ\s+LOCK\b/i.test(text))
    return undefined;
  if (together.some((line) => /\bUNLOCK\s+TABLES\b/i.test(line.text))) return undefined;
  // It is gone with its session, which may last.
  return { does: "takes the read lock of all tables of", before: "", isSaid: true, lasts: true };
}

/** ZooKeeper's log of transactions is data: what is renamed or compressed is lost to the next start. */
function rotated(text: string, by: string): InTheWay | undefined {
  const [, path] = /^\s*["']?(\/var\/lib\/zookeeper\/[^\s"'{]*)/.exec(text) ?? [];
  if (by !== "logrotate" || path === undefined || /\.(?:log|out)$/.test(path)) return undefined;
  return { does: `rotates away ${path}, data of`, before: "", isSaid: false, isRule: true, lasts: true };
}

function byRegistry(text: string, _: readonly BootLine[], { by }: BootLine): InTheWay | undefined {
  const [, before, verb = "", rest = ""] =
    /^(.*?)\bzkCli\S*\s.*\b(deleteall|rmr|delete|setAcl|reconfig)\b(.*)/.exec(text) ?? [];
  if (before === undefined) return rotated(text, by);
  // One node, or what lies deeper, may be another program's: its locks, its queue.
  const isSaid = verb === "delete" || (verb !== "reconfig" && /\s["']?\/[^\s/]+\/[^\s/]/.test(rest));
  return { does: `says "${verb}" to the registry of`, before, isSaid, lasts: true };
}
