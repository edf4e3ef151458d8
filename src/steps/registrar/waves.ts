import type { HostName } from "../../contract/inventory-view.ts";
import type { Fleet } from "../../contract/step.ts";
import { authenticates, CLOSE, withoutAccount } from "./acl.ts";
import { assess } from "./assess.ts";
import type { RegistrarDesired } from "./desired.ts";
import type { RegistrarFacts } from "./facts.ts";
import { isIdle } from "./service.ts";

/**
 * Nerve on one host after the other. The paths are closed when every registrar has the account: one that has not could not
 * register any more.
 */
export function next(
  waiting: readonly HostName[],
  fleet: Fleet<RegistrarDesired, RegistrarFacts>,
): readonly HostName[] | { readonly hold: string } {
  const known = new Map<HostName, boolean>();
  // Dear with many hosts: asked only of those that it takes.
  const isReady = (name: HostName) => {
    const answer = known.get(name) ?? isToClose(name, fleet);
    known.set(name, answer);
    return answer;
  };
  const idle = waiting.filter((name) => isIdle(name, fleet) && !isReady(name));
  if (idle.length > 0) return idle;
  // Those without the account come first: most are told by that alone.
  const isWithout = (name: HostName) => {
    const member = fleet.get(name);
    return member?.is === "seen" && !authenticates(member.desired, member.facts);
  };
  const first =
    waiting.find((name) => isWithout(name) && !isReady(name)) ?? waiting.find((name) => !isReady(name));
  if (first !== undefined) return [first];
  const without = withoutAccount(fleet);
  if (without.length > 0)
    return {
      hold: `the paths in ZooKeeper stay open: Nerve of ${without.join(", ")} does not register with mesh.zookeeper.auth yet, or cannot be seen`,
    };
  return waiting.slice(0, 1);
}

/** Whether closing the paths is all that is left to do on a host. */
function isToClose(name: HostName, fleet: Fleet<RegistrarDesired, RegistrarFacts>): boolean {
  const member = fleet.get(name);
  if (member?.is !== "seen" || member.desired.auth === undefined) return false;
  return assess({ name, ...member }, fleet).changes[0]?.id === CLOSE;
}
