/** Ports from `first` to `last`, both included. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Reads "2181,2888-3888" as ip_local_reserved_ports has it; undefined when it is something else. */
export function parsePortRanges(text: string): readonly PortRange[] | undefined {
  const ranges: PortRange[] = [];
  for (const part of text.split(/[\s,]+/).filter(Boolean)) {
    const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part) ?? [];
    const range = { first: Number(first), last: Number(last) };
    if (first === undefined || range.last > 65535 || range.first > range.last) return undefined;
    ranges.push(range);
  }
  return ranges;
}

/** Sorted, with ranges that touch or overlap made one: as the kernel prints them. */
export function mergePortRanges(ranges: Iterable<PortRange>): readonly PortRange[] {
  const merged: PortRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.first - b.first)) {
    const before = merged.at(-1);
    if (before !== undefined && range.first <= before.last + 1) {
      merged[merged.length - 1] = { first: before.first, last: Math.max(before.last, range.last) };
    } else {
      merged.push({ first: range.first, last: range.last });
    }
  }
  return merged;
}

export function showPortRanges(ranges: readonly PortRange[]): string {
  return ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(",");
}

/** Whether every port of `wanted` is in one of `ranges`. */
export function coversPorts(ranges: Iterable<PortRange>, wanted: readonly PortRange[]): boolean {
  const merged = mergePortRanges(ranges);
  return wanted.every(({ first, last }) => merged.some((have) => have.first <= first && last <= have.last));
}
