import type { HostFacts } from "../../contract/host.ts";
import type { Reading } from "../../contract/reading.ts";
import type { Assessed } from "../../contract/step.ts";
import { judge } from "../../evidence/verdict.ts";
import { CONFIGURATION, configurationChange, PACKAGES, packagesChange } from "./changes.ts";
import type { FilesDesired } from "./desired.ts";
import type { FilesFacts } from "./facts.ts";
import { checkRow, fileRow, foundFiles, packageRow, unitRows } from "./rows.ts";

/** Rows of packages, files, units and the check; two changes close them: packages, and all the rest. */
export function assess(desired: FilesDesired, facts: FilesFacts, host: HostFacts): Assessed {
  const missing = desired.packages.filter((name) => !host.packages.has(name));
  const files = foundFiles(desired, facts, host);
  /** Whether a package or a file that is still to come may bring a unit. */
  const mayCome = (unit: string) =>
    missing.length > 0 ||
    files.some(({ wanted, assessment }) => !assessment.agrees && wanted.path.endsWith(`/${unit}`));
  const check = checkRow(facts);
  const ofPackages = desired.packages.map((name) => packageRow(name, host));
  const others = [
    ...files.map((file) => fileRow(file, facts)),
    ...desired.units.flatMap((unit) => unitRows(unit, facts, mayCome(unit.name))),
    ...(check === undefined ? [] : [check]),
  ];
  const rows = [
    ...ofPackages.map((row): Reading => ({ ...row, closedBy: { change: PACKAGES } })),
    ...others.map((row): Reading => ({ ...row, closedBy: { change: CONFIGURATION } })),
  ];
  const isHeld = rows.some(({ blocked }) => blocked !== undefined);
  // Nothing is written over that was not read, and no unit restarted for it.
  const isUnread = files.some(({ fact }) => fact.because !== undefined) || hasUnreadWay(facts);
  const open = others.filter((row) => !["proven", "unknown"].includes(judge(row).verdict));
  const isConfigured = open.length === 0 || isUnread;
  if (isHeld || (isConfigured && missing.length === 0)) {
    return { readings: isHeld || isUnread ? rows.map(withoutClosing) : rows, changes: [] };
  }
  return {
    readings: isUnread
      ? rows.map((row) =>
          ofPackages.some(({ setting }) => setting === row.setting) ? row : withoutClosing(row),
        )
      : rows,
    changes: [
      ...(missing.length > 0 ? [packagesChange(missing)] : []),
      ...(isConfigured ? [] : [configurationChange(desired, facts, files, open)]),
    ],
  };
}

function hasUnreadWay({ ways }: FilesFacts): boolean {
  return [...ways.values()].some((way) => "unread" in way);
}

function withoutClosing({ closedBy: _, ...row }: Reading): Reading {
  return row;
}
