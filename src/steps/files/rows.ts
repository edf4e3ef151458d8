import type { WantedFile } from "../../contract/change.ts";
import type { HostFacts } from "../../contract/host.ts";
import type { Layer, Reading } from "../../contract/reading.ts";
import { bootLayer, bootRow, runningLayer, unsteadyBecause } from "../../daemon/rows.ts";
import type { UnitFact } from "../../daemon/unit.ts";
import { packageQuestion, unitQuestion } from "../../evidence/by-hand.ts";
import { assessFile, type FileAssessment, type FileFact, sha256Of } from "../../evidence/file.ts";
import { holdsSecret, revealContent } from "../../secret.ts";
import { quotable } from "../../terminal-text.ts";
import type { FilesDesired, WantedUnit } from "./desired.ts";
import { checkedOf, type FilesFacts, loadedBy } from "./facts.ts";
import { PASSED } from "./paths.ts";

const INAPPLICABLE: Layer = { is: "inapplicable" };
const RUNS = "running";
const STOPPED = "stopped";
const ON_DISK = "the files on disk";
const PASSES = "passed";

/** A file with what was found of it. */
export interface FoundFile {
  readonly wanted: WantedFile;
  readonly fact: FileFact;
  readonly assessment: FileAssessment;
}

export function foundFiles(
  { files, adopt }: FilesDesired,
  facts: FilesFacts,
  host: HostFacts,
): readonly FoundFile[] {
  return files.map((wanted) => {
    const fact = facts.files.get(wanted.path)!;
    return { wanted, fact, assessment: assessFile(fact, wanted, host.manifest, adopt) };
  });
}

export function fileRow({ wanted, fact, assessment }: FoundFile, { ways }: FilesFacts): Reading {
  const { path, mode, owner, content } = wanted;
  const sha256 = sha256Of(revealContent(content));
  // Not even the digest of a secret is shown.
  const shown = (digest: string) =>
    holdsSecret(content) ? (digest === sha256 ? "as given" : "another") : digest.slice(0, 12);
  const way = ways.get(path);
  return {
    setting: path,
    want: `${shown(sha256)} ${mode} ${owner}`,
    onDisk: diskLayer(path, fact, way, (digest) => shown(digest)),
    inForce: INAPPLICABLE,
    blocked:
      way !== undefined && "link" in way
        ? `${way.link} is a link that belongs to ${way.owner}, who can lead root elsewhere with it: put a folder in its place, or give it to root (chown -h root ${way.link})`
        : fact.because === undefined
          ? assessment.blocked
          : undefined,
    diff: fact.because === undefined && !isOnlyMode(wanted, fact) ? assessment.diff : undefined,
  };
}

function isOnlyMode({ content }: WantedFile, fact: FileFact): boolean {
  return fact.kind === "regular" && fact.sha256 === sha256Of(revealContent(content));
}

function diskLayer(
  path: string,
  fact: FileFact,
  way: { readonly link: string } | { readonly unread: string } | undefined,
  shown: (digest: string) => string,
): Layer {
  if (fact.because !== undefined) return { is: "unreadable", source: path, because: fact.because };
  if (way !== undefined && "unread" in way) return { is: "unreadable", source: path, because: way.unread };
  if (fact.kind === "absent") return { is: "absent", source: path };
  const value = fact.kind === "regular" ? `${shown(fact.sha256)} ${fact.mode} ${fact.owner}` : fact.kind;
  return { is: "read", value, source: path };
}

export function packageRow(name: string, { packages }: HostFacts): Reading {
  const version = packages.get(name);
  const source = packageQuestion(name);
  return {
    setting: `package ${name}`,
    want: "installed",
    onDisk: version === undefined ? { is: "absent", source } : { is: "read", value: version, source },
    inForce: INAPPLICABLE,
    accepts: () => true,
  };
}

/** Whether it starts at boot, whether it runs, and whether what runs has taken in the files. */
export function unitRows(wanted: WantedUnit, facts: FilesFacts, mayCome: boolean): readonly Reading[] {
  const unit = facts.units.get(wanted.name)!;
  const isMissing = unit.load === "not-found";
  const isWanted = wanted.enabled === true || wanted.running === true;
  const blocked =
    isMissing && isWanted && !mayCome
      ? `there is no ${wanted.name} on the host: name the package that brings it, or its file, in this step`
      : undefined;
  const rows: Reading[] = [];
  if (wanted.enabled !== undefined) rows.push(atBootRow(unit, wanted.enabled, blocked));
  if (wanted.running !== undefined) rows.push(runningRow(unit, wanted.running, blocked));
  if (isLoading(wanted, unit)) rows.push(loadedRow(wanted, unit, facts));
  return rows;
}

/** Whether it runs and goes by files of the step. */
export function isLoading({ running, onChange, files }: WantedUnit, { active }: UnitFact): boolean {
  return running !== false && onChange !== "nothing" && files.length > 0 && active === "active";
}

function atBootRow(unit: UnitFact, isWanted: boolean, blocked: string | undefined): Reading {
  const setting = `${unit.name} at boot`;
  if (isWanted) {
    const row = bootRow(unit, setting);
    const isStatic = row.blocked === undefined && ["static", "indirect", "alias"].includes(unit.enabled);
    const because = `${unit.name} is ${unit.enabled}: it has no [Install] section that says what starts it, so leave out 'enabled'`;
    return { ...row, blocked: blocked ?? (isStatic ? because : row.blocked) };
  }
  const layer = bootLayer(unit);
  const onDisk: Layer =
    layer.is === "absent" ? { is: "read", value: "disabled", source: layer.source } : layer;
  return {
    setting,
    want: "disabled",
    onDisk,
    inForce: INAPPLICABLE,
    accepts: (value) => !/^(?:enabled|wanted by)/.test(value),
  };
}

function runningRow(unit: UnitFact, isWanted: boolean, blocked: string | undefined): Reading {
  const { name, load, active, sub } = unit;
  const setting = `${name} now`;
  const source = unitQuestion(name, "ActiveState", "SubState");
  const found: Layer = { is: "read", value: `${active} (${sub})`, source };
  if (!isWanted) {
    const isDown = load === "not-found" ? active !== "active" : active === "inactive" || active === "failed";
    const inForce: Layer = isDown ? { is: "read", value: STOPPED, source } : found;
    return { setting, want: STOPPED, onDisk: INAPPLICABLE, inForce };
  }
  const layer = load === "not-found" || active === "active" ? runningLayer(unit, RUNS) : found;
  const because =
    active === "failed" ? `${name} has failed: journalctl -u ${name} tells why` : unsteadyBecause(unit);
  return { setting, want: RUNS, onDisk: INAPPLICABLE, inForce: layer, blocked, because };
}

function loadedRow(wanted: WantedUnit, unit: UnitFact, facts: FilesFacts): Reading {
  const source = unitQuestion(unit.name, "ActiveEnterTimestamp", "InvocationID", "NeedDaemonReload");
  const loaded = loadedBy(wanted, unit, facts, source);
  return {
    setting: `${unit.name} runs with`,
    want: ON_DISK,
    onDisk: INAPPLICABLE,
    inForce:
      loaded.is === "unread"
        ? { is: "unreadable", source, because: loaded.because }
        : loaded.is === "inferred"
          ? { is: "inferred", value: ON_DISK, source }
          : { is: "read", value: loaded.is === "loaded" ? ON_DISK : "older files", source },
    because: loaded.is === "older" ? loaded.because : undefined,
  };
}

/** What the check said when it was run last; nothing but a change runs it. */
export function checkRow(facts: FilesFacts): Reading | undefined {
  const checked = checkedOf(facts);
  if (checked === undefined) return undefined;
  const row = (inForce: Layer, because?: string): Reading => {
    return { setting: "check", want: PASSES, onDisk: INAPPLICABLE, inForce, because };
  };
  switch (checked.is) {
    case "unread":
      return row({ is: "unreadable", source: PASSED, because: checked.because });
    case "open":
      return row({ is: "absent", source: PASSED }, "it has not been run with the files as they are");
    default: {
      const { is, at, said, source } = checked;
      return row(
        { is: "inferred", value: is, source: `${source}, run at ${at}` },
        is === "failed" ? failedWords(said) : undefined,
      );
    }
  }
}

export function failedWords(said: string): string {
  return `the check failed: ${quotable(said)}`;
}
