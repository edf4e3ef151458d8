import type { HostName } from "../contract/inventory-view.ts";
import type { RegisteredService, Service, ZookeeperAuth } from "../contract/mesh.ts";
import { inParallel } from "../engine/observe.ts";
import { CommandFailed } from "../errors.ts";
import { CANARY } from "../haproxy/canary.ts";
import { PROBE_COOKIE } from "../haproxy/settings.ts";
import { labelsFor } from "../inventory/labels.ts";
import { perlScript } from "../perl-script.ts";
import type { Held, Remote } from "../remote/remote.ts";
import { shellQuote } from "../shell-quote.ts";
import { lastLines } from "../terminal-text.ts";
import { ZOOKEEPER_SESSION } from "../zookeeper-session.ts";

const CANARY_PROGRAM = new URL("./canary.pl", import.meta.url);
const AWAIT_CANARY = new URL("./await-canary.pl", import.meta.url);

export interface Canary {
  readonly host: HostName;
  /** Where every proxy can reach it. */
  readonly address: string;
  readonly port: number;
}

/** What one proxy made of the canary. Times are from the (de)registration, on the control machine's clock. */
export interface ProxyProbe {
  readonly host: HostName;
  /** Undefined when it did not come to that. */
  readonly servedMs: number | undefined;
  readonly goneMs: number | undefined;
  /** Why the proxy did not follow, by what its HAProxy showed last. */
  readonly because?: string | undefined;
}

export interface ServiceProbe {
  readonly service: string;
  readonly canary: Canary;
  readonly proxies: readonly ProxyProbe[];
  /** Why the canary could not be registered, or was lost while the proxies were waited for. */
  readonly failed?: string | undefined;
  /** Why it was not tried. */
  readonly refused?: string | undefined;
  /** Whether the canary may still be there: its host did not say that it has taken it away. */
  readonly isLeft?: boolean | undefined;
}

interface ProbeOptions {
  readonly service: RegisteredService;
  readonly canary: Canary;
  readonly proxies: readonly HostName[];
  /** ADDRESS:PORT of the ensemble's members. */
  readonly members: readonly string[];
  /** Who alone may register; undefined where everybody may. */
  readonly auth?: ZookeeperAuth | undefined;
  readonly nonce: string;
  /** How long a proxy may take to serve it, and to forget it. */
  readonly deadlineMs: number;
  readonly remoteOf: (host: HostName) => Remote;
  /** Told once the canary is registered, and once it is being taken away. */
  readonly waiting: (until: "served" | "gone") => void;
  /** Aborted: the canary is taken away at once. */
  readonly stop: AbortSignal;
}

export { isCanary } from "../haproxy/canary.ts";

/** The server's name in HAProxy, as Synapse makes it. */
export function canaryServer({ address, port }: Canary): string {
  return `${CANARY}_${address}:${port}`;
}

/**
 * What is registered. Weight 0: HAProxy gives it no request but those that ask for it by the cookie, so no client of the
 * service ever meets the canary. With a `fall` over 1 HAProxy tells a server that it has just taken in from one that has
 * passed a check since (https://docs.haproxy.org/2.6/configuration.html#5.2-fall): see await-canary.pl. Where a service of
 * mode tcp checks no server the canary asks for a check of its own: nothing else would tell that HAProxy reaches it.
 */
export function canaryData(
  { address, port }: Canary,
  { mode, check, discovery }: Pick<Service, "mode" | "check" | "discovery">,
): string {
  const own = mode === "tcp" && check.off === true ? " check" : "";
  const options = `weight 0 fall 2${own}`;
  return JSON.stringify({
    host: address,
    port,
    name: CANARY,
    haproxy_server_options: options,
    // Picked as the service's own are.
    ...(discovery.by === "zookeeper" && discovery.labels ? { labels: labelsFor(discovery.labels) } : {}),
  });
}

const LOST =
  "the canary was lost before every proxy served it: its session with ZooKeeper ended, or the connection to its host. " +
  "The proxies' answers prove nothing; probe again";

/** Registers a canary, waits until every proxy serves it, takes it away and waits until it is gone. */
export async function probeService(options: ProbeOptions): Promise<ServiceProbe> {
  const { service, canary, proxies, stop } = options;
  const base = { service: service.name, canary };
  let held: Held;
  try {
    held = await startCanary(options);
  } catch (error) {
    const said = error instanceof CommandFailed ? lastLines(error.output) : (error as Error).message;
    return { ...base, proxies: [], failed: said };
  }
  const registeredAtMs = performance.now();
  let served = new Map<HostName, Wait>();
  let gone = served;
  let released: Promise<boolean> | undefined;
  let isGone: boolean;
  let failed: string | undefined;
  try {
    options.waiting("served");
    if (!stop.aborted) served = await onEach(options, "served", registeredAtMs);
    if (!held.isHeld && proxies.some((host) => served.get(host)?.is !== "so")) failed = LOST;
    const removedAtMs = performance.now();
    released = held.release();
    options.waiting("gone");
    if (!stop.aborted) gone = await onEach(options, "gone", removedAtMs);
  } finally {
    isGone = await (released ?? held.release());
  }
  return {
    ...base,
    failed,
    isLeft: !isGone,
    proxies: (failed === undefined ? proxies : []).map((host) => {
      const [came, went] = [served.get(host), gone.get(host)];
      return {
        host,
        servedMs: came?.is === "so" ? came.afterMs : undefined,
        goneMs: came?.is === "so" && went?.is === "so" ? went.afterMs : undefined,
        because: came?.is !== "so" ? came?.because : went?.is !== "so" ? went?.because : undefined,
      };
    }),
  };
}

function startCanary({
  service,
  canary,
  members,
  auth,
  nonce,
  deadlineMs,
  remoteOf,
}: ProbeOptions): Promise<Held> {
  const { address, port, host } = canary;
  // Both waits, and time for what is between them.
  const seconds = Math.ceil((2 * deadlineMs) / 1000) + 30;
  const node = `${service.discovery.path.replace(/\/$/, "")}/${CANARY}`;
  // In the text of the script, which comes over its standard input.
  const account = auth === undefined ? "" : `${auth.user}:${auth.password.reveal()}`;
  const args = [address, port, nonce, members.join(","), node, canaryData(canary, service), seconds];
  const program = perlScript([ZOOKEEPER_SESSION, CANARY_PROGRAM], { MESHCTL_ACCOUNT: account });
  return remoteOf(host).hold(withArguments(program, args), {
    during: `probe: register the canary of ${service.name}`,
    timeoutMs: 45_000,
  });
}

type Wait =
  | { readonly is: "so"; readonly afterMs: number }
  | { readonly is: "not so"; readonly because: string };

async function onEach(
  options: ProbeOptions,
  wanted: "served" | "gone",
  sinceMs: number,
): Promise<Map<HostName, Wait>> {
  const found = new Map<HostName, Wait>();
  const all = inParallel(options.proxies, options.proxies.length, async (host) => {
    found.set(host, await awaitCanary(host, options, wanted, sinceMs));
  });
  const { stop } = options;
  // What is under way on the hosts only reads, and ends with the connections.
  const stopped = new Promise<void>((resolve) =>
    stop.addEventListener("abort", () => resolve(), { once: true }),
  );
  await Promise.race([all, stopped]);
  return found;
}

async function awaitCanary(
  host: HostName,
  { service, canary, nonce, deadlineMs, remoteOf }: ProbeOptions,
  wanted: "served" | "gone",
  sinceMs: number,
): Promise<Wait> {
  const server = canaryServer(canary);
  const { name, mode, bind, port } = service;
  const address = { "0.0.0.0": "127.0.0.1", "::": "::1" }[bind] ?? bind;
  const seconds = Math.ceil(deadlineMs / 1000);
  const args = [wanted, name, server, mode, address, port, PROBE_COOKIE, nonce, seconds];
  try {
    const { stdout, firstByteAtMs } = await remoteOf(host).run(
      withArguments(perlScript([AWAIT_CANARY]), args),
      {
        during: `probe: wait until the canary is ${wanted}`,
        timeoutMs: deadlineMs + 20_000,
      },
    );
    const [is, status = "", check = "", answered = ""] = stdout.trimEnd().split("\t");
    if (is === "yes") return { is: "so", afterMs: Math.max(0, Math.round(firstByteAtMs - sinceMs)) };
    return { is: "not so", because: whyNot(wanted, seconds, { status, check, answered }) };
  } catch (error) {
    return { is: "not so", because: (error as Error).message };
  }
}

/** What HAProxy showed last, as a sentence. */
export function whyNot(
  wanted: "served" | "gone",
  seconds: number,
  { status, check, answered }: { status: string; check: string; answered: string },
): string {
  const shown = status === "absent" ? "HAProxy does not have it" : `HAProxy shows ${status}`;
  const tail = [
    check === "" ? "" : `check ${check}`,
    answered === "" ? "" : `the request was answered by ${answered}`,
  ];
  return [`not ${wanted} within ${seconds} s: ${shown}`, ...tail].filter((part) => part !== "").join(", ");
}

function withArguments(script: string, args: readonly (string | number)[]): string {
  return `set -- ${args.map((arg) => shellQuote(String(arg))).join(" ")}\n${script}`;
}
