export interface Timings {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** Undefined when there is nothing to sum up. Of an even number of values the median is the mean of the middle two. */
export function timingsOf(values: readonly number[]): Timings | undefined {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
  return { min: sorted[0]!, median, max: sorted.at(-1)! };
}
