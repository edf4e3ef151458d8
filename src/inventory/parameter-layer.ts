import type { StepName } from "../contract/names.ts";
import { isPlainMap } from "../plain-map.ts";
import type { Path } from "./path.ts";
import type { Section } from "./section.ts";
import type { Source } from "./source.ts";

/** What one place of the files (a play, a group or a host) says of one step's parameters, unchecked. */
export interface ParameterLayer {
  readonly source: Source;
  /** Of the map of parameters. */
  readonly path: Path;
  readonly values: Readonly<Record<string, unknown>>;
}

/** The layers that stand beside a host's or a group's own keys. A step's key with nothing after it is an empty layer. */
export function readLayers(
  section: Section,
  path: Path,
  steps: readonly StepName[],
): ReadonlyMap<StepName, ParameterLayer> {
  const layers = new Map<StepName, ParameterLayer>();
  for (const step of section.source.keys(path).filter((key) => steps.includes(key))) {
    const layer = readLayer(section, [...path, step]);
    if (layer !== undefined) layers.set(step, layer);
  }
  return layers;
}

export function readLayer(section: Section, path: Path): ParameterLayer | undefined {
  const values = section.raw(path) ?? {};
  if (isPlainMap(values)) return { source: section.source, path, values };
  section.unexpected(path, "expected a map of parameters");
  return undefined;
}
