import type { HostName } from "../contract/inventory-view.ts";
import { installPackages } from "./first-packages.ts";
import type { FleetView } from "./fleet.ts";
import { HostWork, type ProvisionContext } from "./host-work.ts";
import { StepLooks } from "./looks.ts";
import { StepProvision } from "./step-provision.ts";

/** Makes all changes on these hosts, packages first and then step by step. Their peers are looked at, and never changed. */
export async function provision(
  fleet: FleetView,
  order: FleetView["order"],
  hosts: readonly HostName[],
  context: ProvisionContext,
): Promise<void> {
  const work = new HostWork(fleet, order, hosts, context);
  try {
    await installPackages(work, hosts);
    if (!context.stop.aborted) await work.beginBuilds();
    for (const [index, { step, hosts: members, limits, hooks }] of order.entries()) {
      const targets = members.filter((host) => hosts.includes(host) && work.isAlive(host));
      if (targets.length === 0) continue;
      const isSought = (host: HostName) => targets.includes(host) && work.isOpen(host);
      const looks = new StepLooks(context.looks, fleet, step, isSought);
      // A step that stumbles fails its hosts, and the next steps' other hosts and the summary are spared.
      const stopped = await work.guard(step, targets, () =>
        new StepProvision(work, { step, targets, limits, hooks }, looks).provision(),
      );
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
