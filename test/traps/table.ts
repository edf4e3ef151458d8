import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Table from "cli-table3";
import type { Suite } from "../lab/suite.ts";

interface Planted {
  readonly passed: boolean;
  /** Traps that ended as they should: the lines of `table`. */
  readonly ended: number;
  readonly table: string;
}

/** Converges three lab hosts of a release and plants every trap on them. */
export function plantTraps(suite: Suite): Planted {
  const directory = mkdtempSync(join(tmpdir(), "meshctl-traps-"));
  const file = join(directory, "table.ndjson");
  const { status } = spawnSync("npx", ["vitest", "run", "--project", "traps"], {
    stdio: "inherit",
    env: { ...process.env, MESHCTL_SUITE: suite, MESHCTL_TRAPS_TABLE: file },
  });
  const lines = existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : [];
  rmSync(directory, { recursive: true });
  const table = new Table({
    head: ["trap", "verdict", "because", "verify", "provision"],
    colWidths: [48, 14, 60, 8, 16],
    wordWrap: true,
    style: { head: [], border: [] },
  });
  for (const line of lines) {
    const { title, verdict, because, verify, outcome, provision } = JSON.parse(line);
    table.push([title, verdict, because, verify, `${outcome} (${provision})`]);
  }
  return {
    passed: status === 0,
    ended: lines.length,
    table: `${suite}: ${lines.length} traps\n${table.toString()}`,
  };
}
