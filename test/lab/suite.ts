/** The Debian releases a lab host can run, oldest first. */
export const suites = ["bullseye", "bookworm", "trixie", "sid"] as const;

export type Suite = (typeof suites)[number];

/** Throws one sentence when the word names no release the lab knows. */
export function parseSuite(word: string): Suite {
  const suite = suites.find((known) => known === word);
  if (suite === undefined) throw new Error(`The lab knows no suite '${word}'; it has ${suites.join(", ")}.`);
  return suite;
}
