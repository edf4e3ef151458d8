import * as z from "zod";

const COUNTRY = "expected a country of ISO 3166-1 like DE or GB";

/** What Unicode has a name for and ISO 3166-1 gives to no country. Kosovo's XK is in use, though not of ISO's giving. */
const NO_COUNTRY = ["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"];

/** Made when a country is first named: it takes as long as all else that is read of an inventory. */
let names: Intl.DisplayNames | undefined;

function isCountry(code: string): boolean {
  if (!/^[A-Z]{2}$/.test(code) || NO_COUNTRY.includes(code)) return false;
  names ??= new Intl.DisplayNames(["en"], { type: "region", fallback: "none" });
  if (names.of(code) === undefined) return false;
  // Codes of the past, and UK, are taken for today's: one country must not have two.
  return new Intl.Locale(`und-${code}`).region === code;
}

/** The code that a name, small letters or the Internet's "UK" stand for. */
export function countryMeant(text: string): string | undefined {
  const code = text.toUpperCase() === "UK" ? "GB" : text.toUpperCase();
  if (isCountry(code)) return code;
  const letters = Array.from({ length: 26 }, (_, at) => String.fromCharCode(65 + at));
  const codes = letters.flatMap((first) => letters.map((second) => first + second));
  return codes.find((each) => isCountry(each) && names?.of(each)?.toLowerCase() === text.toLowerCase());
}

/** Two letters of ISO 3166-1, upper-case. */
export const countryCode = z.string({ error: COUNTRY }).refine((code) => isCountry(code), { error: COUNTRY });
