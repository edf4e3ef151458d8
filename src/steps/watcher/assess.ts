import { judge } from "../../evidence/verdict.ts";
import type { HostName } from "../../inventory/view.ts";
import type { Assessed, Change, Command, Fleet, HostFacts, Reading } from "../../step.ts";
import type { WatcherDesired } from "./desired.ts";
import type { WatcherFacts } from "./facts.ts";
import { installationRow, isForeign, serviceRow, settingsRow } from "./haproxy-rows.ts";
import { HAPROXY_CONFIG, INSTALLER_PATH_UNIT, STATE_DIRECTORY, WATCHER_UNIT, WATCHER_USER } from "./paths.ts";
import {
  fileRow,
  gemsRow,
  pathUnitRow,
  rubyRow,
  sessionRow,
  userRow,
  watcherUnitRow,
} from "./program-rows.ts";
import { type Row, restartReason, type Situation, situationOf } from "./situation.ts";
import { isUnneeded, switchedOff } from "./switched-off.ts";

/** How long a new Synapse may take to bring its findings into force before another restart is thought of. */
const STARTING_SECONDS = 15;

const PACKAGES = "packages";
const GEMS = "gems";
const ADOPT = "adopt haproxy.cfg";
const CONFIGURATION = "configuration";
const RESTART = "restart";

export function assess(
  self: { name: HostName; desired: WatcherDesired; facts: WatcherFacts; host: HostFacts },
  fleet: Fleet<WatcherDesired, WatcherFacts>,
): Assessed {
  if (isUnneeded(self.desired)) return switchedOff(self.facts);
  const situation = situationOf(self, fleet);
  const ruby = rubyRow(situation);
  const gems = gemsRow(situation);
  const user = userRow(situation);
  const files = situation.files.map((file) => fileRow(situation, file));
  const program = [watcherUnitRow(situation), pathUnitRow(situation), sessionRow(situation)];
  const traffic = [
    installationRow(situation),
    settingsRow(situation),
    ...situation.desired.services.map((service) => serviceRow(situation, service)),
  ];
  const rows = [ruby, gems, user, ...files, ...program, ...traffic];

  const open = new Set<string>();
  if (!isOnDisk(ruby)) open.add(PACKAGES);
  if (!isOnDisk(gems)) open.add(GEMS);
  if (isForeign(situation) && situation.desired.adopt) open.add(ADOPT);
  if (!isOnDisk(user) || situation.files.some(({ assessment }) => !assessment.agrees))
    open.add(CONFIGURATION);
  const reason = open.size > 0 ? undefined : (restartReason(situation) ?? lastingReason(situation, rows));
  if (reason !== undefined) open.add(RESTART);
  // With other gems in place Synapse has to be started with them.
  if (open.size > 0 && !open.has(CONFIGURATION)) open.add(RESTART);
  const starts = open.has(CONFIGURATION) ? CONFIGURATION : RESTART;

  const closedBy = (row: Row): string | undefined => {
    if (row === ruby && open.has(PACKAGES)) return PACKAGES;
    if (row === gems && open.has(GEMS)) return GEMS;
    if (open.has(RESTART) && row.restartHelps === false) return undefined;
    return open.size > 0 ? starts : undefined;
  };
  const blocked = rows.some((row) => row.blocked !== undefined);
  const readings = rows.map(({ restartHelps: _, ...row }, index): Reading => {
    const change = blocked ? undefined : closedBy(rows[index]!);
    if (change !== undefined) return { ...row, closedBy: { change } };
    return { ...row, because: row.because ?? starting(situation) };
  });
  return { readings, changes: blocked ? [] : changes(situation, open, reason) };
}

function isOnDisk(row: Row): boolean {
  return judge({ ...row, inForce: { is: "inapplicable" } }).verdict === "proven";
}

/** A Synapse that runs as wanted, and for long enough, and yet what it should bring about is not so. */
function lastingReason({ facts }: Situation, rows: readonly Row[]): string | undefined {
  if (facts.process === undefined || facts.process.ageSeconds < STARTING_SECONDS) return undefined;
  const wrong = rows.filter((row) => judge(row).verdict !== "proven");
  // What is beyond its power may be behind all the rest.
  if (wrong.some(({ restartHelps }) => restartHelps === false)) return undefined;
  const row = wrong.find(({ restartHelps }) => restartHelps);
  return row && `${row.setting}: ${judge(row).because}`;
}

function starting({ facts }: Situation): string | undefined {
  const age = facts.process?.ageSeconds;
  return age !== undefined && age < STARTING_SECONDS ? `Synapse was started ${age} s ago` : undefined;
}

function changes(situation: Situation, open: ReadonlySet<string>, reason: string | undefined): Change[] {
  const { build, files, facts } = situation;
  const disrupts =
    facts.process === undefined ? undefined : ({ kind: "restart", what: WATCHER_UNIT } as const);
  const all: Change[] = [
    {
      id: PACKAGES,
      why: "Synapse needs ruby",
      commands: [{ kind: "install", packages: ["ruby"] }],
      activate: [],
    },
    {
      id: GEMS,
      why: `Synapse's gems are not in place (${build.key}, built once on ${build.buildHost})`,
      commands: build.commands,
      activate: [],
    },
    {
      id: ADOPT,
      why: "the inventory lets meshctl replace it",
      commands: [{ kind: "adopt", path: HAPROXY_CONFIG }],
      activate: [],
    },
    {
      id: CONFIGURATION,
      why: "Synapse, its units and its installer are not as wanted",
      disrupts,
      commands: [
        {
          kind: "script",
          file: new URL("./create-user.sh", import.meta.url),
          args: [WATCHER_USER, STATE_DIRECTORY],
          timeoutMs: 15_000,
        },
        ...files.filter(({ assessment }) => !assessment.agrees).map(({ assessment }) => assessment.write),
      ],
      activate: [ACTIVATE],
    },
    {
      id: RESTART,
      why: reason ?? "Synapse does not run as it is on disk",
      disrupts,
      commands: [],
      activate: [ACTIVATE],
    },
  ];
  return all.filter(({ id }) => open.has(id));
}

const ACTIVATE: Command = {
  kind: "script",
  file: new URL("./activate.sh", import.meta.url),
  args: [WATCHER_UNIT, INSTALLER_PATH_UNIT],
  timeoutMs: 60_000,
};
