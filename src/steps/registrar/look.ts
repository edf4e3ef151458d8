import { lookAtUnits } from "../../daemon/look-at-units.ts";
import { readFileFact } from "../../evidence/read-file.ts";
import { type Answer, reasonOf } from "../../reader/answer.ts";
import type { Reader, RegistryReading } from "../../reader/reader.ts";
import { lookAtProgram } from "../../smartstack/look.ts";
import { lookUntilAtRest, SOON_MS } from "../../smartstack/look-until-at-rest.ts";
import type { ProgramFacts } from "../../smartstack/program.ts";
import { quotable } from "../../terminal-text.ts";
import { pathsAbove } from "./acl.ts";
import type { OwnService, RegistrarDesired } from "./desired.ts";
import { nerveNodes, nodePath, type RegistrarFacts, registeredChild } from "./facts.ts";
import { registrarFiles } from "./files.ts";
import { CREDENTIALS, NODE_RECORD, REGISTRAR_UNIT, UNDRAIN_TIMER } from "./paths.ts";
import { NERVE } from "./program.ts";

/** Health of the services, the nodes that Nerve made and ZooKeeper's children, taken close together. */
type Effects = Omit<RegistrarFacts, keyof ProgramFacts | "replaced">;

const NO_EFFECTS: Effects = { failing: new Map(), nodes: new Map(), registry: undefined };

/** Nerve, its files, and what it brings about. Throws NotRead. */
export async function lookAtRegistrar(reader: Reader, desired: RegistrarDesired): Promise<RegistrarFacts> {
  const [program, replaced, effects] = await Promise.all([
    lookAtProgram(reader, NERVE, {
      units: [],
      files: registrarFiles(desired, ""),
      clientPort: desired.clientPort,
    }),
    lookAtUnits(reader, desired.replaces),
    desired.services.length === 0
      ? accountOf(reader, desired)
      : lookUntilAtRest(
          reader,
          REGISTRAR_UNIT,
          (asking) => effectsOf(asking, desired),
          (found) => (isAtRest(found, desired) ? 0 : SOON_MS),
        ),
  ]);
  const isDrained = program.process === undefined && (await isArmed(reader));
  return { ...program, replaced, ...effects, ...(isDrained ? { isDrained } : {}) };
}

/** Whether drain.sh has stopped Nerve, and systemd is to start it again. */
async function isArmed(reader: Reader): Promise<boolean> {
  const timer = await reader.unit(UNDRAIN_TIMER, ["ActiveState"]);
  return timer.is === "value" && timer.value.get("ActiveState")?.[0] === "active";
}

/** Of a host that registers nothing: an account that is left on it, and what only that may open. */
async function accountOf(reader: Reader, desired: RegistrarDesired): Promise<Effects> {
  const credentials = await readFileFact(reader, CREDENTIALS, { isSecret: true });
  const isToOpen = desired.auth === undefined && credentials.kind === "regular";
  return {
    ...NO_EFFECTS,
    credentials,
    acls: isToOpen ? await aclsAt(reader, desired, desired.paths) : undefined,
  };
}

async function effectsOf(reader: Reader, desired: RegistrarDesired): Promise<Effects> {
  const { services, members } = desired;
  const [checks, nodes, registry, credentials] = await Promise.all([
    Promise.all(services.map(async (service) => [service.key, await check(reader, service)] as const)),
    reader.longText(NODE_RECORD),
    reader.registry(members, [...new Set(services.map(({ path }) => path))]),
    readFileFact(reader, CREDENTIALS, { isSecret: true }),
  ]);
  const acls =
    desired.auth !== undefined || credentials.kind === "regular"
      ? aclsOf(reader, desired, registry)
      : undefined;
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
    credentials,
    acls: await acls,
  };
}

async function aclsOf(
  reader: Reader,
  desired: RegistrarDesired,
  registry: Answer<RegistryReading>,
): Promise<RegistrarFacts["acls"]> {
  if (registry.is !== "value") return { unread: quotable(reasonOf(registry)) };
  const { children } = registry.value;
  const { services, paths, auth } = desired;
  const nodes = services.flatMap((service) =>
    (children.get(service.path) ?? []).map(({ name }) => nodePath(service, name)),
  );
  const own = services.map(({ path }) => path);
  return aclsAt(reader, desired, auth === undefined ? [...own, ...paths] : own, nodes);
}

/** Of paths, those above them, and nodes. */
async function aclsAt(
  reader: Reader,
  { members, auth }: RegistrarDesired,
  paths: readonly string[],
  nodes: readonly string[] = [],
): Promise<RegistrarFacts["acls"]> {
  const asked = new Set([...paths.flatMap((path) => [...pathsAbove(path), path]), ...nodes]);
  if (asked.size === 0) return new Map();
  const answer = await reader.registryAcls(members, [...asked], auth?.digest.reveal() ?? "");
  return answer.is === "value" ? answer.value : { unread: quotable(reasonOf(answer)) };
}

/** As Nerve checks it. */
function check(reader: Reader, { check: { host, port, timeoutMs, httpPath } }: OwnService) {
  return reader.answerTo("health", host, `${port}`, `${timeoutMs / 1000}`, httpPath ?? "");
}

function registryFacts(
  registry: Answer<RegistryReading>,
  services: readonly OwnService[],
): RegistrarFacts["registry"] {
  if (registry.is !== "value") return { unreachable: quotable(reasonOf(registry)) };
  const { member, children } = registry.value;
  return {
    member,
    children: [...new Map(services.map(({ name, path }) => [name, path]))].flatMap(([name, path]) =>
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
    if (unreadChecks?.has(service.key)) return true;
    const made = nodes.get(service.key)?.path;
    const isRegistered = registry.children.some(
      (child) => child.service === service.name && nodePath(service, child.name) === made,
    );
    return isRegistered === (failing.get(service.key) === "");
  });
}
