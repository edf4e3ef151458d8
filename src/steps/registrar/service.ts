import type { HostName } from "../../contract/inventory-view.ts";
import type { Fleet, Health, Mark, ReplacedFile, Service } from "../../contract/step.ts";
import { instanceVital, registrationVital, serverVital } from "../../haproxy/vitals.ts";
import { startProgram } from "../../smartstack/assess-program.ts";
import { unitPath } from "../../smartstack/program.ts";
import { mayBeClosed } from "./acl.ts";
import type { RegistrarDesired } from "./desired.ts";
import type { RegistrarFacts } from "./facts.ts";
import { CREDENTIALS, NERVE_CONFIG, REGISTRAR_UNIT } from "./paths.ts";
import { NERVE } from "./program.ts";
import { WITH_CREDENTIALS } from "./unit.ts";

/** Nerve. Whether what it registers is healthy says nothing of its own files. */
export const service: Service<RegistrarDesired, RegistrarFacts> = {
  health({ units, process, registry, lastError }): Health | undefined {
    const unit = units.get(REGISTRAR_UNIT);
    if (unit === undefined || unit.load === "not-found") return undefined;
    if (process !== undefined && unit.active === "active") return { is: "healthy" };
    if (registry !== undefined && "unreachable" in registry)
      return { is: "undecided", because: `no member of the ensemble answers: ${registry.unreachable}` };
    const error = lastError === undefined ? "" : `; its last error: ${lastError}`;
    return { is: "broken", because: `${REGISTRAR_UNIT} is ${unit.active} (${unit.sub})${error}` };
  },
  keeps({ path, before, now }: ReplacedFile, facts: RegistrarFacts | undefined) {
    if (before === undefined && [NERVE_CONFIG, unitPath(REGISTRAR_UNIT)].includes(path))
      return "there was none before, and no registrar that it could go back to";
    const losesAccount =
      path === CREDENTIALS
        ? before === undefined
        : hasAccount(now) && before !== undefined && !hasAccount(before);
    return losesAccount && mayBeClosed(facts)
      ? "without the account this Nerve could not register any more, for the paths in ZooKeeper are closed, or were not read: take mesh.zookeeper.auth out of the inventory and run meshctl provision"
      : undefined;
  },
  activate: () => [startProgram(NERVE)],
  next: oneAfterTheOther,
};

function hasAccount(unit: string | undefined): boolean {
  return unit?.includes(WITH_CREDENTIALS) === true;
}

/** What the proxies have of a host is theirs to tell. This tells which of it is the host's, and which is to be no more. */
export function marks({
  instance,
  formerly,
  address,
  services,
  others,
}: RegistrarDesired): ReadonlyMap<string, Mark> {
  const server = (service: string) => serverVital(`${instance}_${address}`, service);
  const counts = new Map<string, number>();
  for (const { name } of services) counts.set(name, (counts.get(name) ?? 0) + 1);
  return new Map<string, Mark>([
    ...others.map((name): [string, Mark] => [server(name), { is: "left" }]),
    ...[...counts].flatMap(([name, count]): [string, Mark][] => [
      [
        server(name),
        {
          is: "own",
          instance: instanceVital(instance, name),
          ...(formerly === undefined ? {} : { formerly: instanceVital(formerly, name) }),
          ...(count === 1 ? {} : { count }),
        },
      ],
      [registrationVital(name), { is: "own" }],
    ]),
  ]);
}

/**
 * Who may change: every host on which no Nerve runs yet, then one at a time. A Nerve that is started again takes its
 * host's services out for a moment, and a service must not lose the servers of two hosts at once.
 */
function oneAfterTheOther(
  waiting: readonly HostName[],
  fleet: Fleet<RegistrarDesired, RegistrarFacts>,
): readonly HostName[] {
  const idle = waiting.filter((name) => isIdle(name, fleet));
  return idle.length > 0 ? idle : waiting.slice(0, 1);
}

/** Whether no Nerve runs on a host yet. */
export function isIdle(name: HostName, fleet: Fleet<RegistrarDesired, RegistrarFacts>): boolean {
  const member = fleet.get(name);
  return member?.is === "seen" && member.facts.process === undefined;
}
