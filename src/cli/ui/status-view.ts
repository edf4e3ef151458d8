import type { ChalkInstance } from "chalk";
import { namedList } from "../../named-list.ts";
import { showAge } from "../../quantity-text.ts";
import type {
  BackendStatus,
  EnsembleStatus,
  MeshStatus,
  Problem,
  ProxyStatus,
  ServerState,
  ServiceStatus,
} from "../../status/mesh-status.ts";
import { isProxyWell, runsWhatIsOnDisk, STATE_WORDS, STATES } from "../../status/mesh-status.ts";
import { shownData } from "../shown.ts";
import { tableOf } from "./columns.ts";
import { wrapped } from "./wrapped.ts";

export interface StatusPaint {
  readonly paint: ChalkInstance;
  /** Width of the terminal. */
  readonly columns: number;
  /** Every backend and every proxy, also where there are many and all of them are well. */
  readonly verbose: boolean;
}

/** More rows than this are told one by one only where something is wrong with them. */
const MANY = 12;

/** The mesh at a glance: what is wrong, then the ensemble, the services' backends and the proxies. */
export function statusView(seen: MeshStatus, options: StatusPaint): string {
  const status = shownData(seen);
  const parts = [
    problemsView(status.problems, options),
    status.ensemble === undefined ? "" : ensembleView(status.ensemble, options),
    servicesView(status, options),
    proxiesView(status.proxies, options),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

export function problemsView(problems: readonly Problem[], { paint, columns }: StatusPaint): string {
  if (problems.length === 0) return paint.green("✓ all is well");
  return shownData(problems)
    .map(({ hosts, what, evidence, next }) => {
      const where = hosts.length === 0 ? "" : `${paint.bold(namedList(hosts, 4))} · `;
      const whereWidth = hosts.length === 0 ? 0 : namedList(hosts, 4).length + 3;
      const [first, ...more] = wrapped(what, columns - 2, whereWidth);
      return [
        `${paint.red("✗")} ${where}${first ?? ""}`,
        ...more.map((line) => `  ${line}`),
        ...wrapped(evidence, columns - 4).map((line) => paint.dim(`    ${line}`)),
        `    → ${paint.cyan(next)}`,
      ].join("\n");
    })
    .join("\n");
}

function ensembleView(ensemble: EnsembleStatus, options: StatusPaint): string {
  const { paint, columns } = options;
  const { members, serving, synced, hasQuorum } = ensemble;
  const quorum = hasQuorum ? paint.green("quorum") : paint.red("no quorum");
  const inStep = synced === undefined || members.length === 1 ? "" : ` · ${synced} in step with the leader`;
  const title = `${paint.bold("ZooKeeper")}  ${quorum} · ${serving} of ${members.length} serve${inStep}`;
  const rows = members.map(({ host, role, serves, because }) => [
    mark(serves, paint),
    host,
    serves ? role : paint.red(role),
    because ?? "",
  ]);
  return `${title}\n${tableOf(rows, columns)}`;
}

function servicesView({ services, proxies }: MeshStatus, options: StatusPaint): string {
  return services.map((service) => serviceView(service, proxies, options)).join("\n\n");
}

function serviceView(service: ServiceStatus, proxies: readonly ProxyStatus[], options: StatusPaint): string {
  const { paint, columns, verbose } = options;
  const { name, front, path, names, registered, leftOut, backends } = service;
  const count =
    path === undefined
      ? names === undefined
        ? "servers of the inventory"
        : `DNS: ${namedList(names, 4)}`
      : registered === undefined
        ? paint.red("the registrations cannot be read")
        : registered === 0
          ? paint.yellow("none registered")
          : `${registered} registered`;
  const title = [paint.bold(name), front, path, count].filter((part) => part !== undefined).join("  ");
  // A proxy whose HAProxy answers; of the others nothing is known.
  const read = new Set(backends.flatMap(({ on }) => [...on.keys()]));
  const isWell = ({ on }: BackendStatus) => [...on.values()].every((state) => state === "up");
  const { shown, well, sick } = folded(backends, isWell, verbose);
  const rows = shown.map((backend) => [
    mark(
      isWell(backend),
      paint,
      [...backend.on.values()].every((state) => state === "weightless"),
    ),
    backend.name,
    STATES.flatMap((state) => stateOn(state, backend, [...read], options)).join(" · ") +
      (backend.origin === "kept" ? paint.yellow(" · not registered, kept as the last known") : ""),
  ]);
  if (sick > 0)
    rows.push([mark(false, paint), paint.dim(`${sick} more`), paint.red("not UP on each; -v shows them")]);
  if (well > 0)
    rows.push([mark(true, paint), paint.dim(`${well} more`), `${paint.green("UP")} on ${all([...read])}`]);
  const lines = [
    title,
    tableOf(rows, columns),
    leftOut.length === 0
      ? ""
      : paint.yellow(
          `  ! left out: ${namedList(
            leftOut.map(({ node, because }) => `${node} (${because})`),
            4,
          )}`,
        ),
    proxies.length > 0 && read.size === 0 && backends.length === 0 && registered !== 0
      ? paint.dim("  no proxy tells of its servers")
      : "",
  ];
  return lines.filter((line) => line !== "").join("\n");
}

function stateOn(
  state: ServerState,
  { on }: BackendStatus,
  proxies: readonly string[],
  { paint, verbose }: StatusPaint,
): readonly string[] {
  const hosts = [...on].filter(([, each]) => each === state).map(([host]) => host);
  if (hosts.length === 0) return [];
  const where =
    hosts.length === proxies.length
      ? all(proxies)
      : state === "up"
        ? `${hosts.length} of ${proxies.length}`
        : "";
  const named = where === "" ? namedList(hosts, verbose ? hosts.length : 4) : where;
  return [`${colourOf(state, paint)(STATE_WORDS[state])} on ${named}`];
}

function all(proxies: readonly string[]): string {
  return proxies.length === 1 ? proxies[0]! : `all ${proxies.length} proxies`;
}

function colourOf(state: ServerState, paint: ChalkInstance): ChalkInstance {
  if (state === "up") return paint.green;
  return state === "weightless" ? paint.yellow : paint.red;
}

function proxiesView(proxies: readonly ProxyStatus[], options: StatusPaint): string {
  const { paint, columns, verbose } = options;
  if (proxies.length === 0) return "";
  const current = proxies.filter(runsWhatIsOnDisk);
  const { shown, well, sick } = folded(proxies, isProxyWell, verbose);
  const title = `${paint.bold("Proxies")}  ${current.length} of ${proxies.length} run what is on disk`;
  const head = ["", "host", "HAProxy, since", "watcher, since", "last candidate", "servers"].map((text) =>
    paint.dim(text),
  );
  const rows = shown.map((proxy) => proxyRow(proxy, options));
  if (sick > 0)
    rows.push([mark(false, paint), paint.dim(`${sick} more`), paint.red("-v shows them"), "", "", ""]);
  if (well > 0)
    rows.push([mark(true, paint), paint.dim(`${well} more`), paint.dim("as on disk"), "", "", ""]);
  return `${title}\n${tableOf([head, ...rows], columns)}`;
}

/** What a screen has room for: of many those that are not well, and how many more there are of both. */
function folded<T>(all: readonly T[], isWell: (one: T) => boolean, verbose: boolean) {
  if (verbose || all.length <= MANY) return { shown: all, well: 0, sick: 0 };
  const sick = all.filter((one) => !isWell(one));
  const shown = sick.slice(0, MANY);
  return { shown, well: all.length - sick.length, sick: sick.length - shown.length };
}

function proxyRow(proxy: ProxyStatus, { paint }: StatusPaint): string[] {
  const { host, unread, haproxy, watcher, counts } = proxy;
  const state = (is: string, ageSeconds: number | undefined) =>
    (is === "as on disk" ? (text: string) => text : paint.red)(
      [is, ageSeconds === undefined ? undefined : showAge(ageSeconds)].filter(Boolean).join(", "),
    );
  const unknown = paint.red("unknown");
  const servers = STATES.filter((each) => counts[each] > 0).map((each) =>
    colourOf(each, paint)(`${counts[each]} ${STATE_WORDS[each]}`),
  );
  const candidate =
    watcher === undefined
      ? ""
      : [
          watcher.candidate === "installed" ? watcher.candidate : paint.red(watcher.candidate),
          watcher.reload === "failed" ? paint.red("reload failed") : "",
          watcher.sessions?.length === 0 ? paint.red("no session") : "",
        ]
          .filter(Boolean)
          .join(", ");
  return [
    mark(isProxyWell(proxy), paint),
    host,
    haproxy === undefined ? (unread === undefined ? "" : unknown) : state(haproxy.is, haproxy.ageSeconds),
    watcher === undefined ? (unread === undefined ? "" : unknown) : state(watcher.is, watcher.ageSeconds),
    candidate,
    servers.length === 0 ? "none" : servers.join(", "),
  ];
}

function mark(isWell: boolean, paint: ChalkInstance, isNeutral = false): string {
  if (isNeutral) return paint.yellow("–");
  return isWell ? paint.green("✓") : paint.red("✗");
}
