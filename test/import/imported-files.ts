import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, extname, join } from "node:path";
import { expect } from "vitest";
import { parseHaproxyConfig, renderHaproxyConfig } from "../../src/haproxy/config.ts";
import type { HaproxyParameters } from "../../src/haproxy/parameters.ts";
import { type HaproxySettings, haproxySettings } from "../../src/haproxy/settings.ts";
import { differencesOf } from "../../src/import/differences.ts";
import { type GivenFile, isHaproxy, kindOf, smartstackIn } from "../../src/import/given-file.ts";
import { proxiesOf } from "../../src/import/proxies.ts";
import { mapOf } from "../../src/import/synapse.ts";
import { loadFiles } from "../../src/playbook/load-files.ts";
import { steps } from "../../src/steps/registry.ts";

const site = new URL("../../playbooks/site.yaml", import.meta.url).pathname;

/** Names of the files in a folder, without those of a `service_conf_dir`. */
export function filesIn(folder: URL): readonly string[] {
  return readdirSync(folder).filter((name) => /\.(json|yaml|cfg)$/.test(name));
}

/** A file with its `service_conf_dir`, which is called like it. */
export function given(folder: URL, name: string): GivenFile {
  const text = readFileSync(new URL(name, folder), "utf8");
  const directory = new URL(`${name.replace(".json", ".d")}/`, folder);
  if (!existsSync(directory)) return { path: name, text };
  const services = readdirSync(directory).map(
    (file) => [basename(file, extname(file)), readFileSync(new URL(file, directory), "utf8")] as const,
  );
  return { path: name, text, services: new Map(services) };
}

export async function loaded(text: string) {
  const file = join(mkdtempSync(join(tmpdir(), "meshctl-import-")), "i.yaml");
  writeFileSync(file, text);
  const { inventory } = await loadFiles({ inventoryFile: file, playbookFile: site }, steps);
  const parameters = inventory.hosts.get("proxy-1")!.parameters.get("haproxy") as HaproxyParameters;
  return { inventory, settings: haproxySettings(parameters, inventory.mesh) };
}

/** What the file itself means, read without the importer's judgement of it. */
function original(file: GivenFile) {
  const found = kindOf(file);
  if (found.is === "nerve") return undefined;
  return found.is === "synapse" ? found.file.config : found.config;
}

/** Holds that whatever HAProxy would do otherwise than by the file is said, and that no service is gone without a word. */
export function expectAllSaid(
  file: GivenFile,
  text: string,
  names: readonly string[],
  settings: HaproxySettings,
) {
  const lines = text.split("\n").map((line) => line.trim());
  const stand = settings.services.map((service) =>
    service.discovered
      ? { ...service, servers: [{ name: "registered", host: "REGISTERED", port: 1 }, ...service.servers] }
      : service,
  );
  const rendered = renderHaproxyConfig({ ...settings, services: stand }, "x");
  const is = proxiesOf(parseHaproxyConfig(rendered)).proxies;
  const config = original(file);
  if (config !== undefined) {
    for (const proxy of proxiesOf(config).proxies) {
      const now = is.find((each) => each.name === proxy.name);
      if (now === undefined) expect(text).toContain(`service ${proxy.name}`);
      else
        for (const difference of differencesOf(proxy, now))
          expect(lines).toEqual(expect.arrayContaining([expect.stringContaining(difference)]));
    }
    for (const { kind, name } of config.sections)
      if (kind !== "global" && kind !== "defaults") expect(text).toContain(name.split(" ")[0]);
  }
  if (isHaproxy(file.text)) return;
  for (const service of Object.keys(mapOf(mapOf(smartstackIn(file.text)).services)))
    if (!names.includes(service)) expect(text).toMatch(new RegExp(`# .*${service.replaceAll(".", "\\.")}`));
}
