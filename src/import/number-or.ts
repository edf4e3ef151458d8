/** The number that a text is, or the text: what is none stands in the reason why it is refused. */
export function numberOr(text: string): number | string {
  return /^\d+$/.test(text) ? Number(text) : text;
}
