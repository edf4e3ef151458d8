import { isDeepStrictEqual } from "node:util";
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
export function serviceRow(
  service: OwnService,
  { address, services }: RegistrarDesired,
  facts: RegistrarFacts,
): Row {
  const { failing, nodes, registry, process } = facts;
  const source = `ZooKeeper ${service.path}`;
  const row = (inForce: Layer, more: Partial<Row>): Row => ({
    setting:
      service.key === service.name
        ? `service ${service.name}`
        : `service ${service.name}, port ${service.port}`,
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
  const unread = unreadLayer(service, facts);
  if (unread !== undefined) return row(unread, { restartHelps: false });
  const failure = failing.get(service.key) ?? "";
  // Another service may have the same path, and the same port of this host.
  const others = new Set(
    services.flatMap(({ key }) => (key === service.key ? [] : (nodes.get(key)?.path ?? []))),
  );
  const here = registry.children.filter(
    ({ service: name, name: child, endpoint }) =>
      name === service.name &&
      endpoint?.host === address &&
      endpoint.port === service.port &&
      !others.has(nodePath(service, child)),
  );
  const node = nodes.get(service.key);
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
function unreadLayer({ key, check }: OwnService, facts: RegistrarFacts): Layer | undefined {
  const unchecked = facts.unreadChecks?.get(key);
  if (unchecked !== undefined)
    return { is: "unreadable", source: `health check of ${check.host}:${check.port}`, because: unchecked };
  return facts.unreadNodes === undefined
    ? undefined
    : { is: "unreadable", source: NODE_RECORD, because: facts.unreadNodes };
}

/** What a Nerve that starts now would register. */
function onDisk({ key, path, port, options, labels }: OwnService, { files }: RegistrarFacts): Layer {
  const file = files.get(NERVE_CONFIG);
  if (file?.because !== undefined) return { is: "unreadable", source: NERVE_CONFIG, because: file.because };
  const config = parseJson(file?.content ?? "") as NerveConfig | undefined;
  const found = config?.services?.[key];
  if (found == null) return { is: "absent", source: NERVE_CONFIG };
  const differs = [
    ...(found.zk_path === path && found.port === port ? [] : [`${found.zk_path}, port ${found.port}`]),
    ...((found.haproxy_server_options ?? "") === options ? [] : [optionsWords(found.haproxy_server_options)]),
    ...(isDeepStrictEqual(found.labels ?? {}, labels ?? {}) ? [] : [labelsWords(found.labels)]),
  ];
  return { is: "read", value: differs.join(", ") || CONFIGURED, source: NERVE_CONFIG };
}

interface NerveConfig {
  // As a person may have left it.
  readonly services?: Readonly<
    Record<
      string,
      {
        readonly zk_path?: string;
        readonly port?: number;
        readonly haproxy_server_options?: string;
        readonly labels?: object;
      } | null
    >
  >;
}

function optionsWords(options: string | undefined): string {
  return options ? `options "${options}"` : "no options";
}

function labelsWords(labels: object | undefined): string {
  const words = Object.entries(labels ?? {}).map(([label, value]) => `${label}=${value}`);
  return words.length === 0 ? "no labels" : `labels ${words.join(", ")}`;
}

function stateOf(
  { weight, options, labels }: OwnService,
  failure: string,
  own: RegisteredChild | undefined,
  earlier: readonly RegisteredChild[],
): string {
  if (failure !== "") return (own ?? earlier[0]) ? "registered, not healthy" : LEFT_OUT;
  if (own === undefined) return "not registered";
  const { endpoint } = own;
  const differs = [
    ...(endpoint?.weight === weight ? [] : [`weight ${endpoint?.weight ?? "none"}`]),
    ...(endpoint?.options === options ? [] : [optionsWords(endpoint?.options)]),
    ...(isDeepStrictEqual(endpoint?.labels ?? {}, labels ?? {}) ? [] : [labelsWords(endpoint?.labels)]),
  ];
  return [REGISTERED, ...differs].join(", ");
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
