import type { Command } from "../../contract/change.ts";
import type { Health, Service } from "../../contract/step.ts";
import { isUnsteady, showUnsteady } from "../../daemon/unit.ts";
import { recording } from "./changes.ts";
import type { FilesDesired } from "./desired.ts";
import { checkedOf, type FilesFacts, unitsBefore } from "./facts.ts";
import { BEFORE } from "./paths.ts";
import { failedWords } from "./rows.ts";

/** The units that are to run, and the check: what either of them says of the files as they are. */
export const service: Service<FilesDesired, FilesFacts> = {
  health(facts): Health | undefined {
    const units = unitsHealth(facts);
    if (units !== undefined && units.is !== "healthy") return units;
    return checkHealth(facts) ?? units;
  },
  activate: (facts, paths) => putBack(facts, paths),
};

function unitsHealth({ units, before, desired }: FilesFacts): Health | undefined {
  const known = unitsBefore(before.is === "value" ? before.value : "");
  let isAny = false;
  for (const { name, running } of desired.units) {
    const unit = units.get(name)!;
    if (running !== true || unit.load === "not-found") continue;
    const state = `${name} is ${unit.active} (${unit.sub})`;
    // What never ran is no service yet.
    if (unit.active === "inactive" && known.get(name)?.active !== "active") continue;
    isAny = true;
    if (unit.active === "failed" || unit.active === "inactive") return { is: "broken", because: state };
    if (unit.active !== "active") return { is: "undecided", because: state };
    if (isUnsteady(unit)) return { is: "broken", because: `${name} is ${showUnsteady(unit)}` };
  }
  return isAny ? { is: "healthy" } : undefined;
}

/** Only of the files as they are: of others it says nothing. */
function checkHealth(facts: FilesFacts): Health | undefined {
  const checked = checkedOf(facts);
  switch (checked?.is) {
    case "passed":
      return { is: "healthy" };
    case "failed":
      return { is: "broken", because: failedWords(checked.said) };
    case "unread":
      return { is: "undecided", because: `the answer of the check was not read: ${checked.because}` };
    default:
      return undefined;
  }
}

/** Units go back to what they were before the run whose files are put back; of others those that run take in the files. */
function putBack({ desired, before }: FilesFacts, paths: readonly string[]): readonly Command[] {
  const known = unitsBefore(paths.includes(BEFORE) && before.is === "value" ? before.value : "");
  const args = desired.units.flatMap(({ name, onChange }) => {
    const { enabled = "-", active = "-" } = known.get(name) ?? {};
    return [name, enabled, active, onChange];
  });
  if (args.length === 0) return [];
  const file = new URL("./put-back.sh", import.meta.url);
  const taking = desired.units.filter(({ onChange, files }) => onChange !== "nothing" && files.length > 0);
  return [
    { kind: "script", file, args, timeoutMs: 180_000 },
    ...recording(taking.map((unit) => ({ unit, digest: undefined }))),
  ];
}
