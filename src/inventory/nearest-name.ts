import { namedList } from "../named-list.ts";

/** The candidate that a person most likely meant by a mistyped name; undefined when none is near. */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = name.toLowerCase();
  const numberless = withoutNumbers(name);
  let nearest: string | undefined;
  let least = mistakesAllowed(wanted) + 1;
  for (const candidate of candidates) {
    if (numberless !== undefined && withoutNumbers(candidate) === numberless) {
      // kvm-07 is no slip of the pen for kvm-01, and kvm-1 is.
      if (withoutZeros(candidate) === withoutZeros(name)) return candidate;
      continue;
    }
    if (Math.abs(candidate.length - wanted.length) >= least) continue;
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance < least) [nearest, least] = [candidate, distance];
  }
  return nearest;
}

function mistakesAllowed(word: string): number {
  if (word.length < 3) return 0;
  return word.length < 5 ? 1 : 2;
}

function withoutNumbers(name: string): string | undefined {
  return /\d/.test(name) ? name.replace(/\d+/g, "") : undefined;
}

function withoutZeros(name: string): string {
  return name.replace(/\d+/g, (digits) => String(Number(digits)));
}

/** "; did you mean 'port'?", or nothing when no candidate is near. */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const nearest = nearestName(name, candidates);
  return nearest === undefined ? "" : `; did you mean '${nearest}'?`;
}

/** The candidate that was meant, or else which groups there are: " (groups: proxies, zookeeper)". */
export function didYouMeanGroup(
  name: string,
  candidates: Iterable<string>,
  groups: Iterable<string>,
): string {
  const meant = didYouMean(name, candidates);
  const [...names] = groups;
  if (meant !== "" || names.length === 0) return meant;
  return ` (groups: ${namedList(names, MOST_GROUPS)})`;
}

const MOST_GROUPS = 8;

/** Insertions, deletions, replacements and swaps of neighbours that lead from one word to the other. */
function editDistance(from: string, to: string): number {
  const rows = [Array.from({ length: to.length + 1 }, (_, column) => column)];
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = rows[i - 1]![j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      let best = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, replaced);
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) {
        best = Math.min(best, rows[i - 2]![j - 2]! + 1);
      }
      row.push(best);
    }
    rows.push(row);
  }
  return rows[from.length]![to.length]!;
}
