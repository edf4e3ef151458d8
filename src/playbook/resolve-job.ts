import type { HostName } from "../contract/inventory-view.ts";
import type { StepName } from "../contract/names.ts";
import type { AnyStep } from "../contract/step.ts";
import type { Inventory, LoadedHost, ReadInventory } from "../inventory/inventory.ts";
import { nearestName } from "../inventory/nearest-name.ts";
import { matchesNothing, rangeMeant, resolvePattern } from "../inventory/pattern.ts";
import type { Problems } from "../inventory/problems.ts";
import { placeOf, type Source } from "../inventory/source.ts";
import { namedList } from "../named-list.ts";
import type { Job } from "./job.ts";
import { originOf } from "./merge-parameters.ts";
import { type Given, ProblemsByHost } from "./problems-by-host.ts";
import type { PlayDraft } from "./read-playbook.ts";
import {
  checkAlone,
  isFilled,
  type Resolved,
  type ResolvedParameters,
  resolveParameters,
} from "./resolve-parameters.ts";

/** Joins plays with the inventory: hosts chosen, parameters merged and typed. Complete only without problems. */
export function resolveJob(
  playbook: Source,
  drafts: readonly PlayDraft[],
  read: ReadInventory,
  steps: readonly AnyStep[],
  problems: Problems,
): { readonly inventory: Inventory; readonly job: Job } {
  const plays = drafts.map((draft) => ({
    draft,
    hosts: selectHosts(playbook, draft, read.inventory, problems),
  }));
  reportStepsGivenTwice(playbook, plays, problems);
  reportStepsGivenToNobody(playbook, plays, read, problems);

  const given = plays.flatMap(({ draft, hosts }) =>
    draft.steps.map(({ step, layer }): Given & { step: AnyStep } => ({ step, layer, hosts })),
  );
  const byHost = new ProblemsByHost();
  const resolved = new Map<HostName, Map<StepName, Resolved>>();
  for (const host of read.inventory.hosts.values()) {
    const own = new Map<StepName, Resolved>();
    for (const step of steps) {
      const play = given.find((each) => each.step === step && each.hosts.includes(host.name));
      const parameters = resolveParameters(step, host, play, read.parameters, problems, byHost);
      if (parameters !== undefined) own.set(step.name, parameters);
    }
    resolved.set(host.name, own);
  }
  for (const { step, layer, hosts } of given) if (hosts.length === 0) checkAlone(step, layer, problems);
  checkEmptyGroups(read, steps, problems);

  const inventory = withParameters(read.inventory, resolved);
  // A step judges values in the light of the whole inventory: half of one would give false alarms.
  if (read.isSound) reportStepProblems(given, inventory, resolved, byHost);
  byHost.reportTo(problems);

  const jobPlays = plays.map(({ draft, hosts }) => ({
    hosts,
    rules: draft.rules,
    steps: draft.steps.map(({ step, hooks }) => ({
      step,
      hooks,
      parameters: new Map(hosts.map((host) => [host, resolved.get(host)?.get(step.name)?.value])),
    })),
  }));
  const reached = jobPlays.filter(({ hosts }) => hosts.length > 0);
  if (reached.length === 0 && problems.count === 0) {
    problems.add({ source: playbook, path: ["plays"] }, "no play has a host in this inventory");
  }
  return { inventory, job: { plays: reached } };
}

function withParameters(inventory: ReadInventory["inventory"], resolved: ResolvedParameters): Inventory {
  const hosts = [...inventory.hosts.values()].map((host): LoadedHost => {
    const own = [...(resolved.get(host.name) ?? [])];
    return {
      ...host,
      parameters: new Map(own.map(([step, { value }]) => [step, value])),
      written: new Map(own.map(([step, { written }]) => [step, written])),
    };
  });
  return { ...inventory, hosts: new Map(hosts.map((host) => [host.name, host])) };
}

function reportStepProblems(
  given: readonly (Given & { readonly step: AnyStep })[],
  inventory: Inventory,
  resolved: ResolvedParameters,
  byHost: ProblemsByHost,
): void {
  for (const play of given) {
    for (const name of play.hosts) {
      const parameters = resolved.get(name)?.get(play.step.name);
      if (parameters === undefined) continue;
      const host = inventory.hosts.get(name)!;
      for (const { path, message } of play.step.problems?.(parameters.value, host, inventory) ?? []) {
        const layers = isFilled(parameters.layers) ? parameters.layers : ([play.layer] as const);
        byHost.add(name, play, originOf(layers, path), message);
      }
    }
  }
}

function selectHosts(
  playbook: Source,
  { index, pattern, optional }: PlayDraft,
  inventory: ReadInventory["inventory"],
  problems: Problems,
): readonly HostName[] {
  if (pattern === undefined) return [];
  const { hosts, allExcluded, unknown } = resolvePattern(pattern, inventory);
  const names = ["all", ...inventory.hosts.keys(), ...inventory.groups.keys()];
  // An optional play may find nobody, but a name that is nearly one of the inventory's is a slip of the pen.
  const wrong = unknown.filter(
    ({ term }) =>
      !optional || term === "" || rangeMeant(term) !== undefined || nearestName(term, names) !== undefined,
  );
  const origin = { source: playbook, path: ["plays", index, "hosts"] };
  if (wrong.length > 0) {
    const hint =
      optional || wrong.every(({ term }) => rangeMeant(term) !== undefined)
        ? undefined
        : "a play that not every inventory has hosts for may say 'optional: true'";
    problems.add(origin, wrong.map(({ message }) => message).join("; "), { hint });
  } else if (allExcluded && !optional) {
    // A group that is there and holds nobody says so on purpose: its play is left out.
    problems.add(origin, matchesNothing(pattern), {
      hint: "what begins with `!` takes every host away again",
    });
  }
  return hosts;
}

function reportStepsGivenTwice(
  playbook: Source,
  plays: readonly { readonly draft: PlayDraft; readonly hosts: readonly HostName[] }[],
  problems: Problems,
): void {
  const given: { step: string; index: number; hosts: readonly HostName[] }[] = [];
  for (const { draft, hosts } of plays) {
    for (const { step } of draft.steps) {
      const earlier = given.find(
        (each) => each.step === step.name && each.hosts.some((host) => hosts.includes(host)),
      );
      if (earlier !== undefined) {
        const both = earlier.hosts.filter((host) => hosts.includes(host));
        const path = ["plays", earlier.index, "steps", step.name];
        const line = playbook.keyPosition(path).line;
        problems.add(
          { source: playbook, path: ["plays", draft.index, "steps", step.name] },
          `${both.join(", ")} ${both.length === 1 ? "has" : "have"} this step from plays[${earlier.index}] already (line ${line})`,
          { at: "key", hint: "a step is given to a host once: leave one of the two out" },
        );
      }
      given.push({ step: step.name, index: draft.index, hosts });
    }
  }
}

/** An optional play that finds nobody leaves a step out, and the inventory says whom it wants to have it. */
function reportStepsGivenToNobody(
  playbook: Source,
  plays: readonly { readonly draft: PlayDraft; readonly hosts: readonly HostName[] }[],
  { inventory, parameters }: ReadInventory,
  problems: Problems,
): void {
  const given = plays.filter(({ hosts }) => hosts.length > 0).flatMap(({ draft }) => draft.steps);
  for (const { draft } of plays.filter(({ draft: { optional }, hosts }) => optional && hosts.length === 0)) {
    const { pattern } = draft;
    const unknown = pattern === undefined ? [] : resolvePattern(pattern, inventory).unknown;
    // A group that is there and holds nobody says so on purpose.
    if (unknown.length === 0) continue;
    for (const { step } of draft.steps.filter((each) => given.every((other) => other.step !== each.step))) {
      const wanted = [
        ...[...parameters.groups].flatMap(([group, layers]) => {
          const isEmpty = inventory.groups.get(group)?.length === 0;
          return isEmpty ? [] : [{ name: `group '${group}'`, layer: layers.get(step.name) }];
        }),
        ...[...parameters.hosts].map(([host, layers]) => ({
          name: `'${host}'`,
          layer: layers.get(step.name),
        })),
      ].flatMap(({ name, layer }) => (layer === undefined ? [] : [{ name, layer }]));
      const [first] = wanted;
      if (first === undefined) continue;
      const names = wanted.map(({ name }) => name);
      const there = placeOf(first.layer.source, first.layer.path);
      problems.add(
        { source: playbook, path: ["plays", draft.index, "hosts"] },
        `${unknown.map(({ message }) => message).join("; ")}, and the inventory says what '${step.name}' is to be on ${namedList(names, NAMED)} (${there})`,
        {
          hint: "name their group in the play, or make a group of the play's name: with no host in it (`[]`) the play is left out",
        },
      );
    }
  }
}

/** How many of those that a message is about it names. */
const NAMED = 3;

/** A group that holds no host yet may hold mistakes already. */
function checkEmptyGroups(read: ReadInventory, steps: readonly AnyStep[], problems: Problems): void {
  for (const [group, layers] of read.parameters.groups) {
    if (read.inventory.groups.get(group)?.length !== 0) continue;
    for (const step of steps) {
      const layer = layers.get(step.name);
      if (layer !== undefined) checkAlone(step, layer, problems);
    }
  }
}
