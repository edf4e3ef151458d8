import type { HostName, HostView } from "../contract/inventory-view.ts";
import type { StepName } from "../contract/names.ts";
import type { AnyStep } from "../contract/step.ts";
import { checkSchema } from "../inventory/check-schema.ts";
import type { InventoryParameters } from "../inventory/inventory.ts";
import type { ParameterLayer } from "../inventory/parameter-layer.ts";
import type { Path } from "../inventory/path.ts";
import type { Problems } from "../inventory/problems.ts";
import { valueAt } from "../inventory/section.ts";
import { placeOf } from "../inventory/source.ts";
import { onceEach } from "../once-each.ts";
import { withLocalPaths } from "./local-paths.ts";
import { disagreements, type Layers, mergeLayers, originOf } from "./merge-parameters.ts";
import type { Given, ProblemsByHost } from "./problems-by-host.ts";

/** A step's parameters on one host. */
export interface Resolved {
  readonly value: unknown;
  /** As the files write them, merged; the step's defaults are not among them. */
  readonly written: unknown;
  /** What they were merged from, to find the place of a value. Empty when all are the step's defaults. */
  readonly layers: readonly ParameterLayer[];
}

/**
 * A step's typed parameters on a host: the play's, if one gives the step to it, under its groups', under its own.
 * Undefined when they do not parse. Without a play only wrong values are reported: a missing one may be the play's to say.
 */
export function resolveParameters(
  step: AnyStep,
  host: Omit<HostView, "parameters">,
  given: Given | undefined,
  inventory: InventoryParameters,
  problems: Problems,
  byHost: ProblemsByHost,
): Resolved | undefined {
  const groups = host.groups.flatMap((group) => inventory.groups.get(group)?.get(step.name) ?? []);
  const own = inventory.hosts.get(host.name)?.get(step.name);
  reportDisagreements(host.name, groups, own, problems);
  const layers = [given?.layer ?? [], groups, own ?? []].flat();
  if (!isFilled(layers)) {
    const defaults = defaultsOf(step);
    return defaults.success ? { value: defaults.data, written: {}, layers } : undefined;
  }
  const locate = (path: Path) => originOf(layers, path);
  const report: Problems["add"] =
    given === undefined ? existing(problems) : (...problem) => byHost.add(host.name, given, ...problem);
  const written = mergeLayers(layers);
  const checked = checkSchema<unknown>(step.parameters, written, locate, report);
  if (checked === undefined) return undefined;
  const fileOf = (path: Path) => {
    const origin = originOf(layers, path);
    return origin.source.keyPosition(origin.path).file;
  };
  return { value: withLocalPaths(checked.value, step.localPaths ?? [], fileOf), written, layers };
}

/** The same for all hosts of which nobody says anything else. */
const defaultsOf = onceEach((step: AnyStep) => step.parameters.safeParse({}));

/** Reports wrong values and unknown keys of parameters that reach no host at all, so are merged with nothing. */
export function checkAlone(step: AnyStep, layer: ParameterLayer, problems: Problems): void {
  checkSchema(step.parameters, layer.values, (path) => originOf([layer], path), existing(problems));
}

/** Passes on only what is said of values that are there. */
function existing(problems: Problems): Problems["add"] {
  return (origin, message, options) => {
    if (origin.source.found(origin.path) !== "nothing") problems.add(origin, message, options);
  };
}

/** A host's own value settles what its groups disagree about. */
function reportDisagreements(
  host: HostName,
  groups: readonly ParameterLayer[],
  own: ParameterLayer | undefined,
  problems: Problems,
): void {
  for (const { path, first, second } of disagreements(groups)) {
    if (own !== undefined && valueAt(own.values, path) !== undefined) continue;
    const { source } = first;
    const other = `group '${first.path[1]}' says ${source.found(first.path)} (${placeOf(source, first.path)})`;
    problems.add(second, `${other}, and '${host}' is in both groups`, {
      hint: "give the host a value of its own, or let only one of the groups have one",
    });
  }
}

export function isFilled(layers: readonly ParameterLayer[]): layers is Layers {
  return layers.length > 0;
}

/** Host → step → its parameters there. */
export type ResolvedParameters = ReadonlyMap<HostName, ReadonlyMap<StepName, Resolved>>;
