/** Whether a shell's pattern fits a name. No step is made twice: a host's line may hold any number of stars. */
export function fits(pattern: string, name: string): boolean {
  /** How much of the name the pattern may have taken so far. */
  let taken = new Set([0]);
  for (const part of pattern.match(/\*+|\[[!^]?\]?[^\]]*\]|./gs) ?? []) {
    const least = Math.min(...taken);
    taken = part.startsWith("*")
      ? new Set(Array.from({ length: name.length + 1 }, (_, at) => at).filter((at) => at >= least))
      : new Set([...taken].filter((at) => at < name.length && isOneOf(part, name[at]!)).map((at) => at + 1));
  }
  return taken.has(name.length);
}

function isOneOf(part: string, letter: string): boolean {
  if (part === "?") return true;
  if (part.length === 1) return part === letter;
  const set = part
    .slice(1, -1)
    .replace(/^!/, "^")
    .replaceAll(/[\\\]]/g, "\\$&");
  try {
    return new RegExp(`^[${set}]$`).test(letter);
  } catch {
    return false;
  }
}

/** Whether a shell's pattern fits a path, whose slashes no star takes. */
export function fitsPath(pattern: string, path: string): boolean {
  const [patterns, parts] = [pattern, path].map((each) => each.split("/")) as [string[], string[]];
  return patterns.length === parts.length && patterns.every((each, index) => fits(each, parts[index]!));
}
