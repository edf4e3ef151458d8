import { lookAtUnits } from "../../daemon/look-at-units.ts";
import { readFileFact } from "../../evidence/read-file.ts";
import type { Answer } from "../../reader/answer.ts";
import type { Reader } from "../../reader/reader.ts";
import { revealContent } from "../../secret.ts";
import type { FirewallDesired } from "./desired.ts";
import type { FirewallFacts, KernelFacts } from "./facts.ts";
import { DROP_IN, NFTABLES, RULES, UNDO, UNDO_TIMER, UNIT, UNIT_FILE } from "./paths.ts";
import { wantedFiles } from "./situation.ts";
import type { Unread } from "./table.ts";

/** meshctl's table on disk and in the kernel, what other tables hold, and who is connected to the ports. */
export async function lookAtFirewall(
  reader: Reader,
  { reach, rules, ports }: FirewallDesired,
): Promise<FirewallFacts> {
  const texts = new Map(
    (rules === undefined ? [] : wantedFiles(rules)).map(({ path, content }) => [
      path,
      revealContent(content),
    ]),
  );
  const file = (path: string) => readFileFact(reader, path, { wanted: texts.get(path) });
  const [rulesFile, unitFile, dropIn, units, kernel, iptables, peers, undo] = await Promise.all([
    file(RULES),
    file(UNIT_FILE),
    file(DROP_IN),
    lookAtUnits(reader, [UNIT, NFTABLES]),
    kernelFacts(reader, reach !== undefined),
    reach === undefined ? "" : reader.answerTo("iptables.rules").then(valueOrUnread),
    rules === undefined
      ? []
      : peersOf(reader, [ports.clientPort, ports.quorumPort, ports.electionPort].map(String)),
    undoState(reader),
  ]);
  return {
    files: { rules: rulesFile, unit: unitFile, dropIn },
    unit: units.get(UNIT)!,
    nftables: units.get(NFTABLES)!,
    kernel,
    iptables,
    peers,
    undo,
  };
}

async function kernelFacts(reader: Reader, isMember: boolean): Promise<KernelFacts> {
  const [table, ruleset] = await Promise.all([
    reader.groupsOf(2, "nft.table"),
    isMember ? reader.answerTo("nft.ruleset") : "",
  ]);
  if (table.is === "absent") return { is: "no nft" };
  if (table.is === "unreadable") return { is: "unread", because: table.because };
  const [listing] = table.value;
  return {
    is: "read",
    table: listing && { text: listing[0]!, json: listing[1]! },
    ruleset: typeof ruleset === "string" ? ruleset : valueOrUnread(ruleset),
  };
}

async function peersOf(reader: Reader, ports: readonly string[]): Promise<FirewallFacts["peers"]> {
  const peers = valueOrUnread(await reader.groupsOf(2, "sockets.from", ...ports));
  if ("unread" in peers) return peers;
  return peers.map(([port, address]) => ({
    port: Number(port),
    // "[fe80::1%eth0]" as ss has it.
    address: address!.replace(/^\[|\]$/g, "").split("%", 1)[0]!,
  }));
}

async function undoState(reader: Reader): Promise<FirewallFacts["undo"]> {
  const [kept, timer] = await Promise.all([reader.stat(UNDO), reader.unit(UNDO_TIMER, ["ActiveState"])]);
  if (kept.is === "absent") return undefined;
  if (kept.is === "unreadable") return { unread: kept.because };
  if (timer.is === "unreadable") return { unread: timer.because };
  return timer.is === "value" && timer.value.get("ActiveState")?.[0] === "active" ? "waiting" : "forgotten";
}

function valueOrUnread<T>(answer: Answer<T>): T | Unread {
  if (answer.is === "value") return answer.value;
  return { unread: answer.is === "absent" ? "it is not there any more" : answer.because };
}
