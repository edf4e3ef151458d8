import type { Change, Command } from "../../contract/change.ts";
import type { Reading } from "../../contract/reading.ts";
import type { FileFact } from "../../evidence/file.ts";
import type { Content } from "../../secret.ts";
import { isAsWanted, type Situation } from "./situation.ts";

export const PACKAGES = "package nftables";
export const LOAD = "rules";
export const REMOVE = "remove";

/** How long the host waits for a new connection before it puts the table of before back. */
const UNDO_SECONDS = 90;

const script = (name: string, args: readonly string[] = [], stdin?: Content): Command => ({
  kind: "script",
  file: new URL(`./${name}.sh`, import.meta.url),
  args,
  ...(stdin === undefined ? {} : { stdin }),
  timeoutMs: 60_000,
});

export const packagesChange: Change = {
  id: PACKAGES,
  why: "nft is what loads the rules and lists them",
  commands: [{ kind: "install", packages: ["nftables"] }],
  activate: [],
};

/**
 * The rules are tried before anything is written: what boots is never what has not been confirmed. Where the kernel has
 * them already there is nothing to try.
 */
export function loadChange(situation: Situation, open: readonly Reading[]): Change {
  const { files, facts } = situation;
  const attempt = script("try", [String(UNDO_SECONDS)], files.rules.wanted.content);
  const isTried = !isAsWanted(situation) || facts.undo !== undefined;
  const writes = Object.values(files).flatMap(({ assessment }) =>
    assessment.agrees ? [] : [assessment.write],
  );
  const names = open.map(({ setting }) => setting);
  return {
    id: LOAD,
    why: `${names.length > 3 ? `${names.length} settings` : names.join(", ")} ${names.length === 1 ? "is" : "are"} not as wanted`,
    warning: warningOf(situation),
    ...(isTried ? { trial: { commands: [attempt], undoneAfterMs: UNDO_SECONDS * 1000 } } : {}),
    commands: [...(isTried ? [script("keep")] : []), ...writes],
    activate: [script("load")],
  };
}

function warningOf({ strangers, facts, rules }: Situation): string | undefined {
  if ("unread" in facts.peers) return `which clients it cuts off could not be read: ${facts.peers.unread}`;
  if (strangers.length === 0) return undefined;
  const shown = strangers.slice(0, 5).map(({ address, port }) => `${address} (port ${port})`);
  const more = strangers.length > 5 ? `, and ${strangers.length - 5} more` : "";
  const remedy = strangers.some(({ port }) => port === rules.clientPort)
    ? ": name those who may be under mesh.firewall, also"
    : "";
  return `it cuts off who is connected now: ${shown.join(", ")}${more}${remedy}`;
}

/** Stopped before its files go: systemd then still knows how. */
export function removeChange(ours: readonly FileFact[]): Change {
  return {
    id: REMOVE,
    why: "the inventory asks for no firewall",
    commands: [
      script("unload"),
      ...ours.map(({ path, content }): Command => ({ kind: "remove", path, was: content })),
    ],
    activate: [{ kind: "run", argv: ["systemctl", "daemon-reload"], timeoutMs: 30_000 }],
  };
}

/** Puts in force what is on disk after files were put back. */
export const putBack = script("put-back");
