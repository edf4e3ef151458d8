import { without } from "../../address-range.ts";
import type { Change } from "../../contract/change.ts";
import type { HostFacts } from "../../contract/host.ts";
import type { Reading } from "../../contract/reading.ts";
import type { Assessed } from "../../contract/step.ts";
import { type FileFact, ownershipOf } from "../../evidence/file.ts";
import { judge } from "../../evidence/verdict.ts";
import { LOAD, loadChange, PACKAGES, packagesChange, REMOVE, removeChange } from "./changes.ts";
import type { FirewallDesired } from "./desired.ts";
import type { FirewallFacts } from "./facts.ts";
import type { FirewallFleet } from "./fleet.ts";
import { type ForeignDrops, foreignDrops } from "./foreign.ts";
import { RULES, TABLE } from "./paths.ts";
import { rowsOf } from "./rows.ts";
import { type Rules, sourcesOf } from "./rules.ts";
import { situationOf, sourcesFor } from "./situation.ts";

export function assess(
  desired: FirewallDesired,
  facts: FirewallFacts,
  host: HostFacts,
  fleet: FirewallFleet,
): Assessed {
  if (desired.rules === undefined) return assessOff(desired, facts, host);
  const situation = situationOf({ rules: desired.rules, adopt: desired.adopt }, facts, host, fleet);
  const rows = rowsOf(situation);
  // Neither is a file written over that was not read.
  const isHeld = rows.some(({ blocked }) => blocked !== undefined) || unreadFiles(facts).length > 0;
  const isInstalled = host.packages.has("nftables");
  const readings = rows.map((row): Reading => {
    if (isHeld) return row;
    return { ...row, closedBy: { change: row.setting === PACKAGES && !isInstalled ? PACKAGES : LOAD } };
  });
  const open = readings.filter((row) => !["proven", "unknown"].includes(judge(row).verdict));
  if (isHeld || open.length === 0) return { readings, changes: [] };
  const load = loadChange(situation, open);
  return { readings, changes: isInstalled ? [load] : [packagesChange, load] };
}

function unreadFiles({ files }: FirewallFacts): readonly FileFact[] {
  return Object.values(files).filter(({ because }) => because !== undefined);
}

/** meshctl's table is to be nowhere. Where it never was, nothing is asked of a kernel that may not know tables. */
function assessOff({ reach }: FirewallDesired, facts: FirewallFacts, host: HostFacts): Assessed {
  const { files, kernel, unit } = facts;
  const ours = Object.values(files).filter((fact) =>
    ["ours", "edited"].includes(ownershipOf(fact, host.manifest)),
  );
  const [unread] = unreadFiles(facts).filter((fact) => ours.includes(fact));
  const mayBeLoaded = ours.length > 0 || unit.active === "active";
  const row: Reading = {
    setting: "firewall",
    want: "off",
    onDisk:
      unread?.because !== undefined
        ? { is: "unreadable", source: unread.path, because: unread.because }
        : {
            is: "read",
            value: ours.length === 0 ? "off" : ours.map(({ path }) => path).join(", "),
            // Of what is not there a person sees that its directories do not list it.
            source: ours.length === 0 ? "ls /etc/meshctl /etc/systemd/system" : RULES,
          },
    inForce:
      kernel.is === "read"
        ? {
            is: "read",
            value: kernel.table === undefined ? "off" : `table inet ${TABLE}`,
            source: "nft list tables",
          }
        : mayBeLoaded && kernel.is === "unread"
          ? { is: "unreadable", source: "nft list tables", because: kernel.because }
          : { is: "inapplicable" },
  };
  if (unread !== undefined) return { readings: [row], changes: [] };
  const isOpen = ours.length > 0 || (kernel.is === "read" && kernel.table !== undefined);
  const changes: readonly Change[] = isOpen ? [removeChange(ours)] : [];
  const { drops, unread: untold } = reach === undefined ? NOBODY : shutOutBy(reach, facts, host);
  const because =
    row.inForce.is === "unreadable"
      ? undefined
      : `the inventory does not ask for it, and it is still ${ours.length > 0 ? "on disk" : "in force"}`;
  // Its own table goes first, whatever others do.
  const blocked = isOpen || drops.length === 0 ? undefined : `${drops.join("; ")}: let them in there`;
  return {
    readings: [{ ...row, because, blocked, warning: untold[0], closedBy: { change: REMOVE } }],
    changes,
  };
}

/** Whom rules of others keep from a member's ports, in words. The host reaches its own addresses by way of the loopback. */
function shutOutBy(reach: Rules, facts: FirewallFacts, host: HostFacts): ForeignDrops {
  const own = sourcesOf(host.addresses);
  const found = [reach.clientPort, ...reach.peerPorts].map((port) =>
    foreignDrops(facts, port, without(sourcesFor(reach, port), own)),
  );
  return {
    drops: found.flatMap(({ drops }) => drops),
    unread: found.flatMap(({ unread }) => unread),
  };
}

const NOBODY: ForeignDrops = { drops: [], unread: [] };
