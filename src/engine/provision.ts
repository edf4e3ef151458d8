import type { HostName } from "../contract/inventory-view.ts";
import type { FleetView } from "./fleet.ts";
import { HostWork, type ProvisionContext } from "./host-work.ts";
import { StepLooks } from "./looks.ts";
import { StepProvision, type Task } from "./step-provision.ts";

/** Makes all changes on these hosts, step by step. Their peers are looked at, and never changed. */
export async function provision(
  fleet: FleetView,
  order: FleetView["order"],
  hosts: readonly HostName[],
  context: ProvisionContext,
): Promise<void> {
  const work = new HostWork(fleet, order, hosts, context);
  try {
    for (const [index, { step, hosts: members, limits, hooks }] of order.entries()) {
      const targets = members.filter((host) => hosts.includes(host) && work.isAlive(host));
      if (targets.length === 0) continue;
      const isSought = (host: HostName) => targets.includes(host) && work.isOpen(host);
      const looks = new StepLooks(context.looks, fleet, step, isSought);
      const stopped = await tryStep(work, { step, targets, limits, hooks }, looks);
      if (stopped === undefined) continue;
      const left = order.slice(index + 1).map((each) => each.step.name);
      const rest = left.length === 0 ? "" : `; not begun: ${[...new Set(left)].join(", ")}`;
      context.emit({ event: "note", text: `The run stops here: ${stopped}${rest}.` });
      break;
    }
  } finally {
    await work.unlockAll();
  }
}

/** A step that stumbles fails its hosts, and the next steps' other hosts and the summary are spared. */
async function tryStep(work: HostWork, task: Task, looks: StepLooks): Promise<string | undefined> {
  const { step, targets } = task;
  try {
    return await new StepProvision(work, task, looks).provision();
  } catch (error) {
    const { message, stack } = error as Error;
    for (const host of targets)
      if (work.isAlive(host)) work.fail(step, host, `a fault of meshctl: ${message}`, stack);
    return undefined;
  }
}
