import { isSame, mergeAddressRanges, showAddressRange, without } from "../../address-range.ts";
import type { Layer, Reading } from "../../contract/reading.ts";
import { otherStart } from "../../daemon/other-start.ts";
import { bootLayer, bootRow, nextStartRow } from "../../daemon/rows.ts";
import type { UnitFact } from "../../daemon/unit.ts";
import { packageQuestion, unitQuestion } from "../../evidence/by-hand.ts";
import { type FileFact, sha256Of } from "../../evidence/file.ts";
import { namedList } from "../../named-list.ts";
import { revealContent } from "../../secret.ts";
import { PACKAGES } from "./changes.ts";
import { foreignDrops } from "./foreign.ts";
import { DROP_IN, RULES, TABLE, UNDO, UNIT, UNIT_FILE } from "./paths.ts";
import { CLIENTS, MEMBERS, showSources } from "./rules.ts";
import { type OwnFile, type Situation, sourcesFor } from "./situation.ts";
import type { Table } from "./table.ts";

const INAPPLICABLE: Layer = { is: "inapplicable" };
const LISTING = `nft list table inet ${TABLE}`;

/** A host that is to have the table: package, files, unit, the table itself, and whom each port is open to. */
export function rowsOf(situation: Situation): readonly Reading[] {
  const { rules, facts } = situation;
  return [
    packageRow(situation),
    rulesRow(situation),
    unitFileRow(situation),
    dropInRow(situation),
    unitRow(facts.unit),
    nextStartRow(facts.unit, { memoryBytes: 0, tasks: 0, own: [UNIT_FILE] }),
    tableRow(situation),
    portRow(situation, `client port ${rules.clientPort}`, [rules.clientPort]),
    portRow(situation, `quorum ports ${rules.peerPorts.join(", ")}`, rules.peerPorts),
    ...undoRows(situation),
  ];
}

function packageRow({ host }: Situation): Reading {
  const version = host.packages.get("nftables");
  const source = packageQuestion("nftables");
  return {
    setting: PACKAGES,
    want: "installed",
    onDisk: version === undefined ? { is: "absent", source } : read(version, source),
    inForce: INAPPLICABLE,
    accepts: () => true,
  };
}

function rulesRow({ files }: Situation): Reading {
  return fileRow(files.rules, INAPPLICABLE);
}

function unitFileRow({ files, facts: { unit } }: Situation): Reading {
  const source = unitQuestion(UNIT, "LoadState", "NeedDaemonReload");
  const row = fileRow(
    files.unit,
    unit.needDaemonReload
      ? read("older files", source)
      : unit.load === "loaded"
        ? read(digestOf(files.unit), source)
        : { is: "absent", source },
  );
  return {
    ...row,
    blocked: row.blocked ?? otherStart(unit, files.unit.fact.content),
    because: unreadWords(unit),
  };
}

function dropInRow({ files, facts: { nftables } }: Situation): Reading {
  const source = unitQuestion(nftables.name, "DropInPaths", "NeedDaemonReload");
  const isRead = !nftables.needDaemonReload && nftables.dropInPaths.includes(DROP_IN);
  const inForce =
    nftables.load !== "loaded"
      ? INAPPLICABLE
      : isRead
        ? read(digestOf(files.dropIn), source)
        : read("older files", source);
  return { ...fileRow(files.dropIn, inForce), because: unreadWords(nftables) };
}

function unreadWords({ name, needDaemonReload }: UnitFact): string | undefined {
  return needDaemonReload ? `systemd has not read the files of ${name} since they changed` : undefined;
}

function fileRow({ fact, assessment, wanted }: OwnFile, inForce: Layer): Reading {
  const digest = sha256Of(revealContent(wanted.content));
  const row = { setting: fact.path, want: short(digest), inForce };
  const unread = unreadLayer(fact);
  if (unread !== undefined) return { ...row, onDisk: unread };
  const isOtherwise = fact.sha256 === digest && !assessment.agrees;
  return {
    ...row,
    onDisk:
      fact.kind === "absent"
        ? { is: "absent", source: fact.path }
        : read(
            fact.kind === "regular"
              ? `${short(fact.sha256)}${isOtherwise ? ` ${fact.mode} ${fact.owner}` : ""}`
              : fact.kind,
            fact.path,
          ),
    blocked: assessment.blocked,
    diff: assessment.diff,
  };
}

/** Undefined of a file that was read, and of one that is not there. */
function unreadLayer({ path, because }: FileFact): Layer | undefined {
  return because === undefined ? undefined : { is: "unreadable", source: path, because };
}

function digestOf({ wanted }: OwnFile): string {
  return short(sha256Of(revealContent(wanted.content)));
}

function short(sha256: string): string {
  return sha256.slice(0, 12);
}

function unitRow(unit: UnitFact): Reading {
  const source = `systemctl is-enabled ${UNIT}`;
  return {
    setting: UNIT,
    want: "enabled, active",
    onDisk: unit.load === "not-found" ? { is: "absent", source } : bootLayer(unit),
    blocked: bootRow(unit, UNIT).blocked,
    inForce: read(unit.active, unitQuestion(UNIT, "ActiveState")),
    accepts: (value, layer) => value === (layer === "onDisk" ? "enabled" : "active"),
    because: unit.active === "failed" ? `it has failed: systemctl status ${UNIT} tells why` : undefined,
  };
}

/** The table's own rules. Whom they let in is in its sets, and shown port by port. */
function tableRow(situation: Situation): Reading {
  const { table } = situation;
  const want = "as written";
  return {
    setting: `table inet ${TABLE}`,
    want,
    onDisk: INAPPLICABLE,
    inForce: inForce(situation, (found) => (found.otherwise.length === 0 ? want : "otherwise")),
    because:
      absence(situation) ??
      (table !== undefined && "otherwise" in table ? table.otherwise.join("; ") : undefined),
    blocked: sshBehindIt(situation),
  };
}

/** What nft lists of the table; where it lists none, nothing is in force. */
function inForce({ table }: Situation, show: (table: Table) => string): Layer {
  if (table === undefined) return { is: "absent", source: LISTING };
  if ("unread" in table) return { is: "unreadable", source: LISTING, because: table.unread };
  return read(show(table), LISTING);
}

/** The table was loaded and is not there any more: somebody flushed it, and that is worth knowing. */
function absence({ table, facts }: Situation): string | undefined {
  if (table !== undefined || facts.unit.active !== "active") return undefined;
  return "it was loaded, and has been flushed or deleted since (nft flush ruleset, nft -f /etc/nftables.conf and systemctl stop nftables do)";
}

/** A second net under the inventory's own check: ssh_config may name another port, and so may sshd_config. */
function sshBehindIt({ host, rules }: Situation): string | undefined {
  const ports = [rules.clientPort, ...rules.peerPorts];
  const sshd = host.listeners.find(({ port, process }) => process === "sshd" && ports.includes(port));
  if (sshd === undefined) return undefined;
  return `sshd listens on port ${sshd.port}, which the firewall closes to all but the mesh: give one of the two another port`;
}

function portRow(situation: Situation, setting: string, ports: readonly number[]): Reading {
  const { rules, files, facts, table, strangers } = situation;
  const sources = sourcesFor(rules, ports[0]!);
  const want = showSources(sources);
  const names = sources === rules.clients ? CLIENTS : MEMBERS;
  const held = (found: Table) =>
    mergeAddressRanges([...(found.sets.get(names[4]) ?? []), ...(found.sets.get(names[6]) ?? [])]);
  const found =
    table !== undefined && "sets" in table && table.otherwise.length === 0 ? held(table) : undefined;
  const fact = files.rules.fact;
  const member = strangers.find((stranger) => stranger.member !== undefined && ports.includes(stranger.port));
  return {
    setting,
    want,
    onDisk:
      unreadLayer(fact) ??
      (fact.kind === "absent"
        ? { is: "absent", source: RULES }
        : read(files.rules.assessment.agrees ? want : "other rules", RULES)),
    inForce: inForce(situation, (found) =>
      found.otherwise.length > 0
        ? "other rules"
        : isSame(held(found), sources)
          ? want
          : showSources(held(found)),
    ),
    because: absence(situation) ?? (found && differenceWords(found, sources)),
    blocked:
      member &&
      `${member.member} is connected to port ${member.port} from ${member.address}, which is not its address in the inventory, and would be cut off: let it take that address${ports.includes(rules.clientPort) ? `, or name ${member.address} under mesh.firewall, also` : ""}`,
    warning: warningOf(
      ports.flatMap((port) => {
        const { drops, unread } = foreignDrops(facts, port, sources);
        return [...drops, ...unread];
      }),
    ),
  };
}

function warningOf(drops: readonly string[]): string | undefined {
  return drops.length === 0 ? undefined : `not meshctl's, and left alone: ${[...new Set(drops)].join("; ")}`;
}

function differenceWords(
  found: ReturnType<typeof mergeAddressRanges>,
  wanted: Situation["rules"]["clients"],
): string | undefined {
  const [more, less] = [without(found, wanted), without(wanted, found)];
  const words = (ranges: typeof more) => namedList(ranges.map(showAddressRange), 5);
  const parts = [
    ...(more.length > 0 ? [`lets in ${words(more)}`] : []),
    ...(less.length > 0 ? [`shuts out ${words(less)}`] : []),
  ];
  return parts.length === 0 ? undefined : `the table in force ${parts.join(" and ")}`;
}

/** A change that has yet to be confirmed is not what will be in force. */
function undoRows({ facts }: Situation): readonly Reading[] {
  const { undo } = facts;
  if (undo === undefined) return [];
  const row = { setting: "undo", want: "none", onDisk: INAPPLICABLE };
  if (typeof undo === "object")
    return [{ ...row, inForce: { is: "unreadable", source: UNDO, because: undo.unread } }];
  return [
    {
      ...row,
      inForce: read(undo, UNDO),
      because:
        undo === "waiting"
          ? "no new connection has confirmed what is in force, and the host is about to take it back"
          : "no new connection has confirmed what is in force, and what was to take it back has lost its timer",
    },
  ];
}

function read(value: string, source: string): Layer {
  return { is: "read", value, source };
}
