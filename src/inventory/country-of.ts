import type { HostName, HostView } from "../contract/inventory-view.ts";
import type { GroupDraft } from "./read-groups.ts";
import type { Section } from "./section.ts";

/** The country that a host or else its groups declare. Two groups that disagree are reported, as with parameters. */
export function countryOf(
  section: Section,
  host: HostName,
  entry: { readonly country?: string | undefined },
  groups: ReadonlyMap<string, GroupDraft>,
): HostView["country"] {
  const at = (path: readonly string[]) => {
    const { file, line } = section.source.keyPosition(path);
    return `${file}:${line}`;
  };
  const own = ["hosts", host, "country"];
  // What it says itself counts, and a mistake there has been told.
  if (section.raw(own) != null) {
    return entry.country === undefined ? undefined : { code: entry.country, source: at(own) };
  }
  const [first, ...others] = [...groups.values()].filter(
    ({ hosts, country }) => country !== undefined && hosts.includes(host),
  );
  if (first?.country === undefined) return undefined;
  const place = ["groups", first.name, "country"];
  for (const { name, country } of others) {
    if (country === first.country) continue;
    section.problem(
      ["groups", name, "country"],
      `group '${first.name}' says '${first.country}' (${section.placeOf(place)}), and '${host}' is in both groups`,
      { hint: "give the host a `country` of its own, or let only one of the groups have one" },
    );
  }
  return { code: first.country, source: at(place) };
}
