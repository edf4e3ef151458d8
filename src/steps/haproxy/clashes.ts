import type { Mesh } from "../../contract/mesh.ts";
import type { HaproxyParameters } from "../../haproxy/parameters.ts";
import { boundAddresses, haproxySettings, STATISTICS } from "../../haproxy/settings.ts";
import { isSameIp, isWildcard } from "../../ip.ts";

/** Sections of the parameters that have a service's name or bind what it binds. */
export function clashesOf(
  parameters: HaproxyParameters,
  mesh: Mesh,
): readonly { path: (string | number)[]; message: string }[] {
  const pathOf = (title: string) =>
    title === STATISTICS && parameters.stats ? ["stats", "port"] : ["sections", title];
  const taken = new Set(mesh.services.map(({ name }) => name));
  const named = Object.keys(parameters.sections).flatMap((title) => {
    const [kind = "", name = ""] = title.split(" ");
    if (title === STATISTICS)
      return [{ path: ["sections", title], message: `${STATISTICS} is meshctl's own` }];
    const isTwin = ["listen", "frontend", "backend"].includes(kind) && taken.has(name);
    return isTwin ? [{ path: ["sections", title], message: `'${name}' is a service of the mesh` }] : [];
  });
  const bound = boundAddresses(haproxySettings(parameters, mesh));
  const clashing = bound.flatMap((each, at) => {
    const twin = bound
      .slice(0, at)
      .find((other) => other.port === each.port && holds(other.address, each.address));
    if (twin === undefined || each.kind === "frontend") return [];
    return [
      { path: pathOf(`${each.kind} ${each.name}`), message: `${each.at} is taken by ${twin.what} already` },
    ];
  });
  return [...named, ...clashing];
}

function holds(one: string, other: string): boolean {
  return isWildcard(one) || isWildcard(other) || isSameIp(one, other);
}
