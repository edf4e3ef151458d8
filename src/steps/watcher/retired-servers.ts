import type { ConfigSection, HaproxyConfig } from "../../mesh/haproxy-config.ts";
import type { Service } from "../../mesh/mesh.ts";

/**
 * The configuration without servers in maintenance in back ends that are not discovered. Synapse keeps a server that
 * left the inventory for a day, disabled, so that it need not reload should the server come back.
 */
export function withoutRetiredServers(config: HaproxyConfig, services: readonly Service[]): HaproxyConfig {
  const fixed = new Set(services.filter(({ path }) => path === undefined).map(({ name }) => name));
  const sections = config.sections.map((section): ConfigSection => {
    if (section.kind !== "backend" || !fixed.has(section.name)) return section;
    return { ...section, lines: section.lines.filter(({ text }) => !/^server .* disabled( |$)/.test(text)) };
  });
  return { ...config, sections };
}
