import type { Change, Command } from "../../contract/change.ts";
import type { Reading } from "../../contract/reading.ts";
import type { UnitFact } from "../../daemon/unit.ts";
import { namedList } from "../../named-list.ts";
import { digestOfFiles, type FilesDesired, type WantedUnit, wantedDigests } from "./desired.ts";
import { beforeText, type FilesFacts, loadedBy } from "./facts.ts";
import { BEFORE } from "./paths.ts";
import { type FoundFile, isLoading } from "./rows.ts";

export const PACKAGES = "packages";
export const CONFIGURATION = "configuration";

/** A unit may take a while to stop, and then to start. */
const UNIT_TIMEOUT_MS = 180_000;
/** What check.sh takes beside the time that it tries for. */
const CHECK_GRACE_MS = 15_000;

const script = (name: string, args: readonly string[], timeoutMs: number): Command => {
  return { kind: "script", file: new URL(`./${name}.sh`, import.meta.url), args, timeoutMs };
};
const systemctl = (...words: readonly string[]): Command => {
  return { kind: "run", argv: ["systemctl", ...words], timeoutMs: UNIT_TIMEOUT_MS };
};

export function packagesChange(missing: readonly string[]): Change {
  return {
    id: PACKAGES,
    why: `${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} not installed`,
    commands: [{ kind: "install", packages: missing }],
    activate: [],
  };
}

/** All that is open but packages, as one change: files first, then the units that go by them, and the check at the end. */
export function configurationChange(
  desired: FilesDesired,
  facts: FilesFacts,
  files: readonly FoundFile[],
  open: readonly Reading[],
): Change {
  const wrong = files.filter(({ assessment }) => !assessment.agrees);
  const units = desired.units.map((wanted) => ({ wanted, unit: facts.units.get(wanted.name)! }));
  // A new mode or owner is no news to what has read the file.
  const digests = wantedDigests(desired);
  const isNews = ({ wanted, fact }: FoundFile) =>
    fact.kind !== "regular" || fact.sha256 !== digests.get(wanted.path);
  const written = new Set(wrong.filter(isNews).map(({ wanted }) => wanted.path));
  const acts = units.map(({ wanted, unit }) => {
    return { wanted, unit, act: actOn(wanted, unit, facts, written) };
  });
  const isReloaded =
    units.some(({ unit }) => unit.needDaemonReload) || [...written].some((path) => SYSTEMDS.test(path));
  const disrupted = acts.filter(({ act }) => act === "restart" || act === "reload" || act === "stop");
  const names = open.map(({ setting }) => setting);
  // Only of those that take the files in now: of others nothing new is known.
  const taking = acts.flatMap(({ wanted, act }) =>
    ["start", "restart", "reload"].includes(act) && wanted.files.length > 0
      ? [{ unit: wanted, digest: digestOfFiles(wanted.files, (path) => digests.get(path)) }]
      : [],
  );
  return {
    id: CONFIGURATION,
    why: whyOf(names),
    disrupts:
      disrupted.length === 0
        ? undefined
        : {
            kind: disrupted.every(({ act }) => act === "reload") ? "reload" : "restart",
            what: disrupted.map(({ unit }) => unit.name).join(", "),
          },
    commands: [
      ...(wrong.length === 0
        ? []
        : [
            script(
              "guard",
              wrong.flatMap(({ wanted }) => [wanted.path, wanted.owner]),
              30_000,
            ),
          ]),
      ...(units.length === 0 ? [] : [beforeFile(units.map(({ unit }) => unit))]),
      ...wrong.map(({ assessment }) => assessment.write),
    ],
    activate: [
      ...(isReloaded ? [systemctl("daemon-reload")] : []),
      ...units.flatMap(({ wanted, unit }) => enabling(wanted, unit)),
      ...acts.flatMap(({ unit, act }) => acting(unit, act)),
      ...checking(desired, digests),
      // At the end: the files of before may be put back when the check fails, and the old note is true of them then.
      ...recording(taking),
    ],
  };
}

/** Notes what units have just taken in: files with this digest, or as they are on the host. */
export function recording(
  taking: readonly { readonly unit: WantedUnit; readonly digest: string | undefined }[],
): readonly Command[] {
  if (taking.length === 0) return [];
  const args = taking.flatMap(({ unit: { name, files }, digest = "-" }) => {
    return [name, digest, `${files.length}`, ...[...files].sort()];
  });
  return [script("record-loaded", args, 30_000)];
}

/** Where systemd reads units and what belongs to them. */
const SYSTEMDS = /^\/(?:etc|usr\/lib|usr\/local\/lib|lib)\/systemd\/system\//;

function whyOf(names: readonly string[]): string {
  return `not as wanted: ${namedList(names, 3)}`;
}

function beforeFile(units: readonly UnitFact[]): Command {
  return { kind: "write", path: BEFORE, content: [beforeText(units)], mode: "0600", owner: "root:root" };
}

type Act = "start" | "restart" | "reload" | "stop" | "nothing";

function actOn(wanted: WantedUnit, unit: UnitFact, facts: FilesFacts, written: ReadonlySet<string>): Act {
  const isUp = ["active", "activating", "reloading"].includes(unit.active);
  if (wanted.running === false) return isUp ? "stop" : "nothing";
  if (!isUp) return wanted.running === true ? "start" : "nothing";
  if (wanted.onChange === "nothing") return "nothing";
  const isOlder =
    wanted.files.some((path) => written.has(path)) ||
    (isLoading(wanted, unit) && loadedBy(wanted, unit, facts, "").is === "older");
  // A unit of which systemd has older files is not reloaded into the new ones.
  if (isOlder) return unit.needDaemonReload ? "restart" : wanted.onChange;
  return "nothing";
}

function enabling({ name, enabled }: WantedUnit, unit: UnitFact): readonly Command[] {
  if (enabled === undefined || (enabled && unit.enabled === "enabled")) return [];
  if (!enabled && !["enabled", "enabled-runtime"].includes(unit.enabled)) return [];
  return [systemctl(enabled ? "enable" : "disable", name)];
}

function acting({ name, active }: UnitFact, act: Act): readonly Command[] {
  if (act === "nothing") return [];
  // One that has been tried too often is not started before that is forgotten.
  return [
    ...(act === "start" && active === "failed" ? [systemctl("reset-failed", name)] : []),
    systemctl(act, name),
  ];
}

function checking({ check, files }: FilesDesired, digests: ReadonlyMap<string, string>): readonly Command[] {
  if (check === undefined) return [];
  const digest = digestOfFiles(
    files.map(({ path }) => path),
    (path) => digests.get(path),
    check.run,
  );
  const args = [digest, `${Math.ceil(check.timeoutMs / 1000)}`, check.run];
  return [script("check", args, check.timeoutMs + CHECK_GRACE_MS)];
}
