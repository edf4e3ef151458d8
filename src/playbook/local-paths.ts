import type { Path } from "../inventory/path.ts";
import { resolvePath } from "../inventory/resolve-path.ts";
import { isPlainMap } from "../plain-map.ts";

/** Parameters with absolute paths on this machine. `fileOf` tells which file says what stands at a path. */
export function withLocalPaths(
  parameters: unknown,
  patterns: readonly (readonly string[])[],
  fileOf: (path: Path) => string,
): unknown {
  return patterns.reduce((values, pattern) => resolveAt(values, pattern, fileOf, []), parameters);
}

function resolveAt(
  value: unknown,
  [key, ...rest]: readonly string[],
  fileOf: (path: Path) => string,
  at: Path,
): unknown {
  if (key === undefined) return typeof value === "string" ? resolvePath(value, fileOf(at)) : value;
  if (!isPlainMap(value)) return value;
  const keys = Object.keys(value).filter((each) => key === "*" || each === key);
  const resolved = keys.map((each) => [each, resolveAt(value[each], rest, fileOf, [...at, each])]);
  return { ...value, ...Object.fromEntries(resolved) };
}
