const RANGE = /\[([0-9]{1,6}|[a-zA-Z]):([0-9]{1,6}|[a-zA-Z])(?::([0-9]{1,4}))?\]/;
const MOST_NAMES = 10_000;

export const WRONG_RANGE = "the range of names makes no sense: write it like kvm-[01:03]";

/**
 * The names that a name with ranges stands for, as Ansible has them: kvm-[01:03], db-[a:c], [0:10:5]. Undefined where a
 * range makes no sense or stands for more than 10 000.
 */
export function namesOf(name: string): readonly string[] | undefined {
  const found = RANGE.exec(name);
  if (found === null) return /\[[^\]]*$|^[^[]*\]/.test(name) ? undefined : [name];
  const [range, first = "", last = "", step = "1"] = found;
  const words = wordsBetween(first, last, Number(step));
  if (words === undefined) return undefined;
  const all: string[] = [];
  for (const word of words) {
    // A function: "$" means nothing in it.
    const names = namesOf(name.replace(range, () => word));
    if (names === undefined || all.length + names.length > MOST_NAMES) return undefined;
    all.push(...names);
  }
  return all;
}

function wordsBetween(first: string, last: string, step: number): readonly string[] | undefined {
  const areNumbers = /^\d/.test(first);
  if (areNumbers !== /^\d/.test(last) || step < 1) return undefined;
  const [from, to] = areNumbers ? [Number(first), Number(last)] : [first.charCodeAt(0), last.charCodeAt(0)];
  const isOneCase = areNumbers || /^(?:[a-z]{2}|[A-Z]{2})$/.test(first + last);
  if (from > to || !isOneCase || (to - from) / step >= MOST_NAMES) return undefined;
  const words: string[] = [];
  for (let at = from; at <= to; at += step)
    words.push(areNumbers ? `${at}`.padStart(first.length, "0") : String.fromCharCode(at));
  return words;
}
