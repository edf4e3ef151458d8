import { describe, expect, it } from "vitest";
import { rowsOf } from "./world.ts";

describe("the country", () => {
  const row = (countries: readonly string[] | undefined, code?: string) =>
    rowsOf({
      parameters: countries === undefined ? {} : { countries },
      ...(code === undefined ? {} : { country: { code, source: "prod.yaml:12" } }),
    }).get("country");

  it.each([
    ["one of those asked for", ["DE", "FR"], "FR", "proven"],
    ["another", ["DE", "FR"], "US", "blocked"],
    ["not declared", ["DE", "FR"], undefined, "blocked"],
  ])("is %s", (_, countries, code, verdict) => {
    expect(row(countries, code)?.verdict).toBe(verdict);
  });

  it("is no row where nobody asks for any", () => {
    expect(row(undefined, "US")).toBeUndefined();
  });

  it("is told as declared, not as read", () => {
    expect(row(["DE"], "DE")?.inForce).toEqual({
      is: "inferred",
      value: "DE, as declared",
      source: "inventory: prod.yaml:12",
    });
  });

  it("says what to write, or to move", () => {
    expect(row(["DE", "FR"])?.because).toBe(
      "nothing says which country kvm-01 is in, and preflight.countries lets its data be in DE or FR only: write country: at the host or at a group of it in inventory.yaml",
    );
    expect(row(["DE"], "US")?.because).toBe(
      "kvm-01 is in US by prod.yaml:12, and preflight.countries lets its data be in DE only: take another host, or correct one of the two",
    );
  });
});
