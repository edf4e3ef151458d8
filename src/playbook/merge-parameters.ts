import { isDeepStrictEqual } from "node:util";
import type { ParameterLayer } from "../inventory/parameter-layer.ts";
import type { Path } from "../inventory/path.ts";
import type { Origin } from "../inventory/problems.ts";
import { valueAt } from "../inventory/section.ts";
import { isPlainMap } from "../plain-map.ts";

type Values = Readonly<Record<string, unknown>>;

/** From the weakest to the strongest. */
export type Layers = readonly [ParameterLayer, ...ParameterLayer[]];

/** Maps merge key by key, everything else is replaced. */
export function mergeLayers(layers: Layers): Values {
  return layers.reduce<Values>((merged, layer) => mergeMaps(merged, layer.values), {});
}

function mergeMaps(weaker: Values, stronger: Values): Values {
  const merged: Record<string, unknown> = { ...weaker };
  for (const [key, value] of Object.entries(stronger)) {
    const below = merged[key];
    merged[key] = isPlainMap(below) && isPlainMap(value) ? mergeMaps(below, value) : value;
  }
  return merged;
}

/** The place that the merged value at a path came from: the strongest layer that has it; what none has, the weakest misses. */
export function originOf(layers: Layers, path: Path): Origin {
  const layer = layers.findLast(({ values }) => valueAt(values, path) !== undefined) ?? layers[0];
  return { source: layer.source, path: [...layer.path, ...path] };
}

/** Where two layers of equal strength give one key two values. `path` is within the layers. */
interface Disagreement {
  readonly path: Path;
  readonly first: Origin;
  readonly second: Origin;
}

/** Equal values agree, and maps are compared key by key. */
export function disagreements(layers: readonly ParameterLayer[]): Disagreement[] {
  return layers.flatMap((second, index) =>
    layers.slice(0, index).flatMap((first) =>
      conflictingPaths(first.values, second.values).map((path) => ({
        path,
        first: { source: first.source, path: [...first.path, ...path] },
        second: { source: second.source, path: [...second.path, ...path] },
      })),
    ),
  );
}

function conflictingPaths(a: Values, b: Values): Path[] {
  return Object.keys(b).flatMap((key): Path[] => {
    if (!Object.hasOwn(a, key) || isDeepStrictEqual(a[key], b[key])) return [];
    const [left, right] = [a[key], b[key]];
    if (isPlainMap(left) && isPlainMap(right))
      return conflictingPaths(left, right).map((path) => [key, ...path]);
    return [[key]];
  });
}
