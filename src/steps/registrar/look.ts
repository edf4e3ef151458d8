import { type Answer, reasonOf } from "../../reader/answer.ts";
import type { Reader, RegistryReading } from "../../reader/reader.ts";
import { lookAtProgram } from "../../smartstack/look.ts";
import { lookUntilAtRest } from "../../smartstack/look-until-at-rest.ts";
import type { ProgramFacts } from "../../smartstack/program.ts";
import { quotable } from "../../terminal-text.ts";
import type { OwnService, RegistrarDesired } from "./desired.ts";
import { nerveNodes, nodePath, type RegistrarFacts, registeredChild } from "./facts.ts";
import { registrarFiles } from "./files.ts";
import { NODE_RECORD, REGISTRAR_UNIT } from "./paths.ts";
import { NERVE } from "./program.ts";

/** Health of the services, the nodes that Nerve made and ZooKeeper's children, taken close together. */
type Effects = Omit<RegistrarFacts, keyof ProgramFacts>;

const NO_EFFECTS: Effects = { failing: new Map(), nodes: new Map(), registry: undefined };

/** Nerve, its files, and what it brings about. Throws NotRead. */
export async function lookAtRegistrar(reader: Reader, desired: RegistrarDesired): Promise<RegistrarFacts> {
  const [program, effects] = await Promise.all([
    lookAtProgram(reader, NERVE, {
      units: [],
      files: registrarFiles(desired, ""),
      clientPort: desired.clientPort,
    }),
    desired.services.length === 0
      ? NO_EFFECTS
      : lookUntilAtRest(
          reader,
          REGISTRAR_UNIT,
          (asking) => effectsOf(asking, desired),
          (found) => isAtRest(found, desired),
        ),
  ]);
  return { ...program, ...effects };
}

async function effectsOf(reader: Reader, { services, members, address }: RegistrarDesired): Promise<Effects> {
  const [checks, nodes, registry] = await Promise.all([
    Promise.all(
      services.map(async (service) => [service.name, await check(reader, address, service)] as const),
    ),
    reader.longText(NODE_RECORD),
    reader.registry(members, [...new Set(services.map(({ path }) => path))]),
  ]);
  const failing = checks.flatMap(([name, answer]) =>
    answer.is === "value" ? [[name, quotable(answer.value)] as const] : [],
  );
  const unreadChecks = checks.flatMap(([name, answer]) =>
    answer.is === "value" ? [] : [[name, reasonOf(answer)] as const],
  );
  return {
    failing: new Map(failing),
    unreadChecks: new Map(unreadChecks),
    nodes: nerveNodes(nodes.is === "value" ? nodes.value : undefined),
    ...(nodes.is === "unreadable" ? { unreadNodes: nodes.because } : {}),
    registry: registryFacts(registry, services),
  };
}

/** As Nerve checks it. */
function check(reader: Reader, address: string, { port, check: { timeoutMs, httpPath } }: OwnService) {
  return reader.answerTo("health", address, `${port}`, `${timeoutMs / 1000}`, httpPath ?? "");
}

function registryFacts(
  registry: Answer<RegistryReading>,
  services: readonly OwnService[],
): RegistrarFacts["registry"] {
  if (registry.is !== "value") return { unreachable: quotable(reasonOf(registry)) };
  const { member, children } = registry.value;
  return {
    member,
    children: services.flatMap(({ name, path }) =>
      (children.get(path) ?? []).map((node) => registeredChild(name, node)),
    ),
  };
}

/**
 * Whether waiting would show nothing else, or cannot help: what is healthy is registered, and nothing else. Good enough for
 * that; the rows judge by more.
 */
function isAtRest(effects: Effects, { services }: RegistrarDesired): boolean {
  const { failing, unreadChecks, nodes, unreadNodes, registry } = effects;
  if (registry === undefined || "unreachable" in registry || unreadNodes !== undefined) return true;
  return services.every((service) => {
    if (unreadChecks?.has(service.name)) return true;
    const made = nodes.get(service.name)?.path;
    const isRegistered = registry.children.some(
      (child) => child.service === service.name && nodePath(service, child.name) === made,
    );
    return isRegistered === (failing.get(service.name) === "");
  });
}
