import type { HostFacts } from "../../contract/host.ts";
import type { Reading } from "../../contract/reading.ts";
import type { Assessed } from "../../contract/step.ts";
import { isEnabled } from "../../daemon/rows.ts";
import { accessRow, placeRow } from "../../daemon/surroundings-rows.ts";
import { assessFile } from "../../evidence/file.ts";
import { judge } from "../../evidence/verdict.ts";
import { revealContent } from "../../secret.ts";
import { whyUnread } from "./boot.ts";
import { changesFor, nextChange, type Plan } from "./changes.ts";
import { dropInFile } from "./drop-in.ts";
import type { MysqlFacts } from "./facts.ts";
import { resizingTo, stateOf } from "./in-force.ts";
import type { MysqlDesired } from "./parameters.ts";
import { leadingHere } from "./proxied.ts";
import {
  bootReading,
  changedSince,
  differs,
  fileReading,
  nextStartReading,
  OPTION_FILES,
  optionFilesReading,
  otherServer,
  packageReading,
  passedOver,
  runsOldVersion,
  serviceReading,
  settingReading,
  withoutRoom,
} from "./rows.ts";
import { chosenServer, installedServer } from "./server.ts";
import { wantedSettings } from "./settings.ts";

export function assess(desired: MysqlDesired, facts: MysqlFacts, host: HostFacts): Assessed {
  const inPackages = installedServer(host.packages);
  const found = inPackages?.server ?? facts.installed?.server;
  const server = chosenServer(desired.server, found);
  if (found !== undefined && found !== server) return { readings: [otherServer(server, found)], changes: [] };

  const installed = inPackages === undefined ? undefined : facts.installed;
  const dropIn = facts.dropIns.get(server.dropIn)!;
  const settings = wantedSettings(desired, server, installed, host.memoryBytes, dropIn.content);
  const wanted = dropInFile(server, settings);
  const content = revealContent(wanted.content);
  const file = assessFile(dropIn, wanted, host.manifest, desired.adopt);
  const fileRow = {
    ...fileReading(dropIn, content),
    ...(dropIn.because === undefined
      ? {
          blocked: file.blocked ?? (installed && whyUnread(installed, server.dropIn)),
          because: (installed && passedOver(installed, server.dropIn)) ?? changedSince(file, server.dropIn),
          diff: file.diff,
        }
      : {}),
  };
  const settingRows = settings.map((setting) =>
    settingReading(setting, installed, { path: server.dropIn, content, agrees: file.agrees }),
  );
  const rows: readonly Reading[] = [
    packageReading(server, inPackages, installed),
    ...(installed === undefined ? [] : [optionFilesReading(installed)]),
    fileRow,
    ...settingRows.map((row) => withoutRoom(row, desired, host)),
    bootReading(server, installed),
    ...(installed === undefined ? [] : [nextStartReading(installed, desired, host)]),
    serviceReading(server, installed, [
      ...(desired.proxied ?? []),
      ...leadingHere(desired.named ?? [], facts.leadTo, host.addresses),
    ]),
    ...surroundings(installed),
  ];
  const plan: Plan = {
    server,
    state: installed === undefined ? "absent" : stateOf(installed),
    write: file.agrees ? undefined : file.write,
    writeWhy: `${server.dropIn} is ${file.ownership === "absent" ? "missing" : "not as wanted"}`,
    differing: installed === undefined ? [] : settings.filter((setting) => differs(setting, installed)),
    isResizing:
      installed !== undefined && settings.some((setting) => resizingTo(setting, installed) !== undefined),
    isEnabled: installed !== undefined && isEnabled(installed.unit),
    isUnread: installed?.unit.needDaemonReload === true,
    isOld: installed !== undefined && runsOldVersion(installed),
    settings,
    installed,
  };
  const refused = rows.find((row) => holdsBack(row, plan));
  if (refused !== undefined) {
    const held = `left alone: ${judge(refused).because}`;
    const readings = rows.map((row) => (row === refused ? row : { ...row, because: row.because ?? held }));
    return { readings, changes: [] };
  }
  return {
    readings: rows.map((row) => ({ ...row, closedBy: closedBy(row, plan) })),
    changes: changesFor(plan),
  };
}

function surroundings(installed: MysqlFacts["installed"]): readonly Reading[] {
  const around = installed?.surroundings;
  return around === undefined
    ? []
    : [accessRow(around, installed?.unit.startedAt), placeRow(around, "data directory", installed?.unit)];
}

/** Rows that no change of ours closes. While there is one, nothing is changed: no restart in vain. */
function holdsBack(row: Reading, { write, state }: Plan): boolean {
  if (row.blocked !== undefined || row.cause === "shadowed") return true;
  // What was not read may be what decides.
  if (row.onDisk.is === "unreadable") return true;
  const { verdict } = judge(row);
  if (row.setting === OPTION_FILES)
    return verdict === "unknown" || (verdict !== "proven" && write === undefined);
  return verdict === "unknown" && state === "running";
}

function closedBy(row: Reading, plan: Plan): Reading["closedBy"] {
  const { server, state, write } = plan;
  if (row.setting === server.package && state === "absent") return { change: "packages" };
  if (row.setting === `${server.unit} at boot` && plan.isUnread) return { change: "daemon-reload" };
  const isFile = row.setting === server.dropIn || row.setting === OPTION_FILES;
  const change = isFile ? write && "settings" : nextChange(plan);
  return change === undefined ? undefined : { change };
}
