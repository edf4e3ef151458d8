import type { Layer } from "../../contract/reading.ts";
import type { Row } from "../../smartstack/program.ts";
import type { OwnService, RegistrarDesired } from "./desired.ts";
import { nodePath, parseJson, type RegisteredChild, type RegistrarFacts } from "./facts.ts";
import { NERVE_CONFIG, NODE_RECORD } from "./paths.ts";

const CONFIGURED = "configured";
const REGISTERED = "registered";
const LEFT_OUT = "left out, not healthy";
const NEVER = "never registered";

/**
 * A service that is healthy here is a child of its path in ZooKeeper, owned by the session of the Nerve that runs.
 * One whose health check fails is not, and that is as wanted: a warning says so. Unless it has never been registered since
 * Nerve was started: then its port or its check may be wrong, and nothing is proven.
 */
export function serviceRow(service: OwnService, { address }: RegistrarDesired, facts: RegistrarFacts): Row {
  const { failing, nodes, registry, process } = facts;
  const source = `ZooKeeper ${service.path}`;
  const row = (inForce: Layer, more: Partial<Row>): Row => ({
    setting: `service ${service.name}`,
    want: "registered if healthy",
    onDisk: onDisk(service, facts),
    inForce,
    accepts: (value) => [CONFIGURED, REGISTERED, LEFT_OUT].includes(value),
    ...more,
  });
  if (process === undefined) return row({ is: "absent", source }, { because: "Nerve does not run" });
  if (registry === undefined || "unreachable" in registry) {
    const because = registry?.unreachable ?? "not read";
    return row({ is: "unreadable", source, because }, { restartHelps: false });
  }
  const unread = unreadLayer(service, address, facts);
  if (unread !== undefined) return row(unread, { restartHelps: false });
  const failure = failing.get(service.name) ?? "";
  const here = registry.children.filter(
    ({ service: name, endpoint }) =>
      name === service.name && endpoint?.host === address && endpoint.port === service.port,
  );
  const node = nodes.get(service.name);
  const own = here.find(
    ({ name, owner }) => node?.path === nodePath(service, name) && node.session === owner,
  );
  const lasting = here.filter(({ owner }) => owner === undefined);
  const earlier = here.filter((child) => child !== own && !lasting.includes(child));
  const isNever = failure !== "" && node === undefined && earlier.length === 0;
  return row(
    {
      is: "read",
      value: isNever ? NEVER : stateOf(service, failure, own, earlier),
      source: own === undefined ? source : `ZooKeeper ${nodePath(service, own.name)}`,
    },
    {
      because: isNever ? neverWords(service, failure) : because(service, failure, own, earlier),
      warning: warning(service, isNever ? "" : failure, lasting),
      // A restart takes every service of the host out for a moment: only for one that is healthy and not there.
      restartHelps: failure === "" && own === undefined,
    },
  );
}

/** What else has to be known to tell whether a service is rightly registered, where it was not read. */
function unreadLayer({ name, port }: OwnService, address: string, facts: RegistrarFacts): Layer | undefined {
  const unchecked = facts.unreadChecks?.get(name);
  if (unchecked !== undefined)
    return { is: "unreadable", source: `health check of ${address}:${port}`, because: unchecked };
  return facts.unreadNodes === undefined
    ? undefined
    : { is: "unreadable", source: NODE_RECORD, because: facts.unreadNodes };
}

/** What a Nerve that starts now would register. */
function onDisk({ name, path, port }: OwnService, { files }: RegistrarFacts): Layer {
  const file = files.get(NERVE_CONFIG);
  if (file?.because !== undefined) return { is: "unreadable", source: NERVE_CONFIG, because: file.because };
  const config = parseJson(file?.content ?? "") as NerveConfig | undefined;
  const found = config?.services?.[name];
  if (found == null) return { is: "absent", source: NERVE_CONFIG };
  const value =
    found.zk_path === path && found.port === port ? CONFIGURED : `${found.zk_path}, port ${found.port}`;
  return { is: "read", value, source: NERVE_CONFIG };
}

interface NerveConfig {
  // As a person may have left it.
  readonly services?: Readonly<Record<string, { readonly zk_path?: string; readonly port?: number } | null>>;
}

function stateOf(
  { weight }: OwnService,
  failure: string,
  own: RegisteredChild | undefined,
  earlier: readonly RegisteredChild[],
): string {
  if (failure !== "") return (own ?? earlier[0]) ? "registered, not healthy" : LEFT_OUT;
  if (own === undefined) return "not registered";
  return own.endpoint?.weight === weight
    ? REGISTERED
    : `registered, weight ${own.endpoint?.weight ?? "none"}`;
}

function because(
  service: OwnService,
  failure: string,
  own: RegisteredChild | undefined,
  earlier: readonly RegisteredChild[],
): string | undefined {
  if (own === undefined && earlier[0] !== undefined)
    return `${nodePath(service, earlier[0].name)} is an earlier Nerve's and ends with its session`;
  return failure === "" ? undefined : `its health check fails and Nerve has not taken it out yet: ${failure}`;
}

function neverWords({ name }: OwnService, failure: string): string {
  return (
    `Nerve has not registered it once since it was started, for its health check fails: ${failure}. Start the service, or mend ` +
    `port and check of registrar.services.${name} in the inventory`
  );
}

function warning(
  service: OwnService,
  failure: string,
  lasting: readonly RegisteredChild[],
): string | undefined {
  const words = lasting.map(
    ({ name }) => `${nodePath(service, name)} is not ephemeral and stays when this host dies: remove it`,
  );
  if (failure !== "") words.unshift(`not healthy here, so it is not registered: ${failure}`);
  return words.length === 0 ? undefined : words.join("; ");
}
