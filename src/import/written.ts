import { maskForeignSecrets } from "../foreign-secrets.ts";
import type { Placed } from "./found.ts";
import type { Entry } from "./service.ts";
import { comment, yaml } from "./yaml.ts";

/** The inventory's text. */
export function written({ notes, services, usual, ...placed }: Placed): string {
  const { head, changes, ssh, needsEnsemble, ports, hosts, groups } = placed;
  const lines = groups
    .flatMap(({ steps }) => Object.values((steps.haproxy ?? {}) as Entry))
    .flatMap((value) => (typeof value === "object" && value !== null ? Object.values(value).flat() : []))
    .join("\n");
  if (maskForeignSecrets(lines) !== lines)
    notes.push("passwords stand below as in the files: a line may be a reference instead, !env NAME");
  const list = (title: string, given: readonly string[]) =>
    given.length === 0 ? [] : ["#", `# ${title}`, ...given.map((each) => comment(`  ${each}`))];
  return [
    ...head,
    ...list("Settings of the files that have no place here:", notes),
    ...list("Changes that provision makes to the running services:", changes),
    ...list("Changes for every service that does not have them yet:", usual),
    "version: 1",
    ...ssh,
    "",
    "mesh:",
    ...(needsEnsemble ? ["  ensemble: zookeeper"] : []),
    "  proxies: proxies",
    ...(Object.keys(ports).length === 0 ? [] : [`  zookeeper: ${yaml(ports)}`]),
    "  # As the files have it. Without this line a server that freezes or vanishes is out within about a second.",
    "  fail_fast: false",
    "  # Without this one requests go to all servers of a service while fewer than half are up by their checks.",
    "  panic_threshold: 0",
    ...(services.size === 0 ? [] : ["  services:"]),
    ...[...services].flatMap(([name, { entry, notes: own }]) => [
      ...own.map((note) => `    ${comment(note)}`),
      `    ${yaml(name)}:`,
      ...Object.entries(entry).map(([key, value]) => `      ${key}: ${yaml(value)}`),
    ]),
    "",
    "hosts:",
    ...[...hosts].flatMap(([name, { entry, note }]) => [
      ...(note === undefined ? [] : [`  ${comment(note)}`]),
      `  ${yaml(name)}: ${yaml(entry)}`,
    ]),
    "",
    "groups:",
    ...groups.flatMap(({ name, hosts: names, steps }) =>
      Object.keys(steps).length === 0 && name !== "proxies"
        ? [`  ${name}: ${yaml(names)}`]
        : [
            `  ${name}:`,
            `    hosts: ${yaml(names)}`,
            ...Object.entries(steps).flatMap(([step, parameters]) => [
              `    ${step}:`,
              ...Object.entries(parameters as Entry).map(
                ([key, value]) => `      ${yaml(key)}: ${yaml(value)}`,
              ),
            ]),
          ],
    ),
    "",
  ].join("\n");
}
