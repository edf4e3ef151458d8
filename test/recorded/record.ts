// What a converged host of each Debian release answers, for the unit tests: `npm run test:record [RELEASE...]`. Part of
// `npm run test:matrix`, too. Questions that changed since are not answered by a recording: then it is made anew.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { inventoryFor, meshctl, oneHost, openRows } from "../e2e/meshctl.ts";
import { fitRelease } from "../e2e/releases.ts";
import { startLab } from "../lab/lab.ts";
import { parseSuite, type Suite, suites } from "../lab/suite.ts";
import { fileOf, type RecordedRelease } from "./recorded.ts";

const PATIENCE = ["--wait-for-ssh", "120s"];

/** Makes one bare host what the lab's inventory says, boots it, and writes what it answers then. Throws where it is not proven. */
export async function recordRelease(suite: Suite): Promise<void> {
  const lab = await startLab({ hosts: 1, suite });
  const folder = await mkdtemp(join(tmpdir(), "meshctl-recorded-"));
  try {
    const inventory = await inventoryFor(lab, (yaml) => oneHost(fitRelease(suite, yaml)));
    const made = await meshctl(["provision", "-i", inventory, "--yes", "--json"]);
    if (made.code !== 0) throw new Error(`${suite} was not made: ${openRows(made).join("\n")}${made.stderr}`);
    await lab.hosts[0]!.reboot();
    const settled = await meshctl(["provision", "-i", inventory, "--yes", "--json", ...PATIENCE]);
    if (settled.code !== 0) throw new Error(`${suite} is not proven: ${openRows(settled).join("\n")}`);
    const file = join(folder, "hosts.json");
    const seen = await meshctl(["verify", "-i", inventory, "--json", "--record", file]);
    if (seen.code !== 0) throw new Error(`${suite} is not proven: ${openRows(seen).join("\n")}`);
    const recorded: RecordedRelease = {
      // How the host was reached decides no row.
      inventory: readFileSync(inventory, "utf8").replace(/^(?:ssh|network):\n(?: .*\n)+\n?/gm, ""),
      recording: JSON.parse(readFileSync(file, "utf8")),
    };
    writeFileSync(fileOf(suite), gzipSync(JSON.stringify(recorded), { level: 9 }));
  } finally {
    rmSync(folder, { recursive: true });
    await lab.down();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const asked = process.argv.slice(2).map(parseSuite);
  for (const suite of asked.length === 0 ? suites : asked) {
    await recordRelease(suite);
    console.log(`${suite}: recorded`);
  }
}
