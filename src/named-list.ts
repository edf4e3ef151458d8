/** Names in a sentence: "a, b and 498 more", or all of them where these are no more than `most`. */
export function namedList(names: readonly string[], most: number): string {
  const more = names.length - most;
  return more > 0 ? `${names.slice(0, most).join(", ")} and ${more} more` : names.join(", ");
}
