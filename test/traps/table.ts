import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tableOf as tableText } from "../../src/cli/ui/columns.ts";
import type { Suite } from "../lab/suite.ts";
import { type ListedTrap, trapsFor } from "./list.ts";

/** What became of a trap: a line of the file that MESHCTL_TRAPS_TABLE names. */
export interface PlantedTrap {
  readonly file: string;
  /** The first row that it names and that is not proven; "proven" when there is none. */
  readonly verdict: string;
  readonly because: string;
  /** Exit codes, as far as it got. */
  readonly verify?: number | undefined;
  readonly provision?: number | undefined;
  /** Why it did not end as it should. */
  readonly problem?: string | undefined;
}

interface Planted {
  readonly passed: boolean;
  /** "52 of 53": how many traps of those for the release ended as they should. */
  readonly ended: string;
  readonly table: string;
}

/** Converges three lab hosts of a release and plants every trap on them. */
export async function plantTraps(suite: Suite): Promise<Planted> {
  const directory = mkdtempSync(join(tmpdir(), "meshctl-traps-"));
  const file = join(directory, "table.ndjson");
  const { status } = spawnSync("npx", ["vitest", "run", "--project", "traps"], {
    stdio: "inherit",
    env: { ...process.env, MESHCTL_SUITE: suite, MESHCTL_TRAPS_TABLE: file },
  });
  const lines = existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : [];
  rmSync(directory, { recursive: true });
  const planted = lines.map((line) => JSON.parse(line) as PlantedTrap);
  return { passed: status === 0, ...tableOf(suite, await trapsFor(suite), planted) };
}

/** A line for each trap there is, also for those that failed or were never planted. */
export function tableOf(
  suite: Suite,
  traps: readonly ListedTrap[],
  planted: readonly PlantedTrap[],
): Pick<Planted, "ended" | "table"> {
  const rows = [["trap", "verdict", "because", "verify", "provision"]];
  let good = 0;
  for (const { file, trap } of traps) {
    const found = planted.find((each) => each.file === file);
    if (found === undefined) {
      rows.push([trap.title, "NOT PLANTED", "", "", ""]);
      continue;
    }
    const { verdict, because, verify = "–", provision = "–", problem } = found;
    if (problem === undefined) {
      good += 1;
      rows.push([trap.title, verdict, because, `${verify}`, `${trap.outcome.is} (${provision})`]);
    } else {
      rows.push([trap.title, "FAILED", `${because}\n${problem}`, `${verify}`, `${provision}`]);
    }
  }
  const ended = `${good} of ${traps.length}`;
  return { ended, table: `${suite}: ${ended} traps ended as they should\n${tableText(rows, 150)}` };
}
