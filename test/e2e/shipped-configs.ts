import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { renderHaproxyConfig } from "../../src/haproxy/config.ts";
import type { HaproxyParameters } from "../../src/haproxy/parameters.ts";
import { haproxySettings } from "../../src/haproxy/settings.ts";
import { imported } from "../../src/import/import.ts";
import { loadFiles } from "../../src/playbook/load-files.ts";
import { steps } from "../../src/steps/registry.ts";
import { filesIn, given, loaded } from "../import/imported-files.ts";
import type { LabHost } from "../lab/lab.ts";

const root = join(import.meta.dirname, "../..");

/** Name → haproxy.cfg of every inventory that comes along, and of what `import` makes of the files of people with SmartStack. */
async function shippedConfigs(): Promise<ReadonlyMap<string, string>> {
  const configs = new Map<string, string>();
  // The lab's own is what every other test provisions.
  for (const name of readdirSync(join(root, "inventories")).filter((each) => each !== "lab.yaml")) {
    const { inventory } = await loadFiles(
      {
        inventoryFile: join(root, "inventories", name),
        playbookFile: join(root, "playbooks/site.yaml"),
      },
      steps,
    );
    const [proxy] = inventory.mesh.proxies;
    const parameters = inventory.hosts.get(proxy!)!.parameters.get("haproxy") as HaproxyParameters;
    configs.set(name, renderHaproxyConfig(haproxySettings(parameters, inventory.mesh), "x"));
  }
  for (const kind of ["files", "variants"]) {
    const folder = new URL(`../import/${kind}/`, import.meta.url);
    for (const name of filesIn(folder)) {
      const { settings } = await loaded(imported([given(folder, name)]));
      configs.set(`${kind}/${name}`, renderHaproxyConfig(settings, "x"));
    }
  }
  return configs;
}

/** What stands on its host alone, certificates, pages of errors and programs, and what no HAProxy of these releases knows any more. */
function withoutForeign(config: string): string {
  return config
    .replace(/ ssl (no-sslv3 )?(crt|crt-list) \S+/g, "")
    .replace(/ ca-file \S+/g, " verify none")
    .replace(/^.*\b(errorfile|lua-load|peer|appsession|reqadd|reqirep|rspadd|rspidel) .*\n/gm, "")
    .replace(/\b[\w.-]+\.example\b(?=:\d)/g, "10.9.9.9");
}

/** Has the host's HAProxy check each of them. */
export async function expectTaken(host: LabHost): Promise<void> {
  const refused: string[] = [];
  const configs = await shippedConfigs();
  expect(configs.size).toBeGreaterThan(25);
  for (const [name, config] of configs) {
    const file = withoutForeign(config);
    const checked = await host.exec("cat >/root/tried.cfg && haproxy -c -f /root/tried.cfg", { input: file });
    if (checked.code !== 0) refused.push(`${name}: ${checked.stderr}`);
  }
  expect(refused).toEqual([]);
}
