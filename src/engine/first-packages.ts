import type { Change } from "../contract/change.ts";
import type { HostName } from "../contract/inventory-view.ts";
import type { AnyStep } from "../contract/step.ts";
import { commandsOf } from "./commands-of.ts";
import { type HostWork, hasHooks } from "./host-work.ts";
import { StepLooks } from "./looks.ts";
import { inParallel } from "./observe.ts";
import { type Item, itemOf, WaveChanges } from "./wave-changes.ts";

/** What the packages of all steps are told as. */
const PACKAGES = "packages";

/**
 * Installs what hosts lack of all steps' packages, on all hosts at once and before any step: a host waits for nobody else's
 * service to get its own. Left to the steps is what a hook comes before, each host that a step will not change, and each on
 * which a file of apt's own is to be written.
 */
export async function installPackages(work: HostWork, hosts: readonly HostName[]): Promise<void> {
  const { context } = work;
  if (context.stop.aborted) return;
  const first = installers(work, hosts);
  if (first.size === 0) return;
  const title = "Debian packages of every step, on all hosts at once";
  context.emit({ event: "step", step: PACKAGES, title, hosts: [...first.keys()] });
  // The first look may be as old as the question to the user.
  await inParallel([...first], context.parallel, ([host, step]) =>
    work.attempt(step, host, async () => {
      await work.lock(step, host);
      await context.looks.at(host, { steps: () => true });
    }),
  );
  if (context.stop.aborted) return;
  const waves = new Map<AnyStep, Map<HostName, Item>>();
  for (const [host, step] of installers(work, [...first.keys()])) {
    const wave = waves.get(step) ?? new Map<HostName, Item>();
    const { evidence, changes } = work.fleet.assess(step, host);
    waves.set(step, wave.set(host, itemOf(changes[0]!, evidence)));
  }
  // Each of them keeps to the number of hosts at once, and all of them together must.
  const together = first.size <= context.parallel ? waves.size : 1;
  await inParallel([...waves], together, ([step, wave]) =>
    work.guard(step, [...wave.keys()], () => {
      const looks = new StepLooks(context.looks, work.fleet, step, (host) => work.isOpen(host));
      return new WaveChanges(work, step, looks).make(wave);
    }),
  );
}

/** For each host that lacks packages the first step that may install its own now. */
function installers(work: HostWork, hosts: readonly HostName[]): ReadonlyMap<HostName, AnyStep> {
  const { fleet } = work;
  const open = hosts.filter(
    (host) => work.isAlive(host) && !work.isBlocked(host) && !isAptToBeTold(work, host),
  );
  const found = new Map<HostName, AnyStep>();
  for (const placed of work.order.filter((each) => !hasHooks(each))) {
    const { step } = placed;
    const lacking = open.filter((host) => {
      const change = placed.hosts.includes(host) ? fleet.assess(step, host).changes[0] : undefined;
      return change !== undefined && onlyInstalls(change);
    });
    const turn = lacking.length === 0 ? [] : step.next(lacking, fleet.fleetOf(step));
    for (const host of "hold" in turn ? [] : turn) if (!found.has(host)) found.set(host, step);
  }
  return found;
}

/** Where packages come from, and which of them, is a file's matter that a step has yet to write: they come behind it. */
function isAptToBeTold({ fleet, order }: HostWork, host: HostName): boolean {
  return order.some(
    ({ step, hosts }) =>
      hosts.includes(host) &&
      fleet
        .assess(step, host)
        .changes.flatMap(commandsOf)
        .some((command) => "path" in command && APTS.test(command.path)),
  );
}

const APTS = /\/(?:etc\/(?:apt|dpkg)|usr\/share\/keyrings)\//;

function onlyInstalls({ commands, activate, disrupts, trial }: Change): boolean {
  return (
    disrupts === undefined &&
    trial === undefined &&
    activate.length === 0 &&
    commands.every(({ kind }) => kind === "install")
  );
}
