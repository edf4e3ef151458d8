import type { HostName } from "../../contract/inventory-view.ts";
import type { Reading } from "../../contract/reading.ts";
import type { PreflightDesired } from "./desired.ts";

/**
 * Where a host's data may be is a matter of law and contract, and no host knows where it stands: what somebody declared
 * is compared, and the row says so.
 */
export function countryReadings(
  name: HostName,
  { countries, country, inventoryFile }: PreflightDesired,
): readonly Reading[] {
  if (countries === undefined) return [];
  const wanted = countries.join(" or ");
  const limit = `preflight.countries lets its data be in ${wanted} only`;
  const row = { setting: "country", want: wanted, onDisk: { is: "inapplicable" } } as const;
  if (country === undefined) {
    return [
      {
        ...row,
        inForce: { is: "absent", source: `inventory: ${inventoryFile}` },
        blocked: `nothing says which country ${name} is in, and ${limit}: write country: at the host or at a group of it in ${inventoryFile}`,
      },
    ];
  }
  const fine = countries.includes(country.code);
  return [
    {
      ...row,
      inForce: {
        is: "inferred",
        value: `${country.code}, as declared`,
        source: `inventory: ${country.source}`,
      },
      accepts: () => fine,
      blocked: fine
        ? undefined
        : `${name} is in ${country.code} by ${country.source}, and ${limit}: take another host, or correct one of the two`,
    },
  ];
}
