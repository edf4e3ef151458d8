import { type CommandLine, commandLine, commandOn } from "../command-line.ts";
import type { HostName } from "../contract/inventory-view.ts";
import type { Discovery } from "../contract/mesh.ts";
import type { StepName } from "../contract/names.ts";
import type { Evidence } from "../contract/reading.ts";
import { saysMore } from "../evidence/verdict.ts";
import { panicOf, panicWords } from "../haproxy/panic-state.ts";
import { checkWords } from "../haproxy/server-state.ts";
import { parseIp } from "../ip.ts";
import { DNS_ASKER } from "../steps/watcher/paths.ts";
import { namesQuestion, toldBy } from "../steps/watcher/told-by.ts";
import type { EnsembleStatus, Problem, ServerState, ServiceStatus } from "./mesh-status.ts";
import { isWrong, PROBLEM_KINDS } from "./mesh-status.ts";
import type { MeshView } from "./mesh-view.ts";

type Row = MeshView["evidence"][number];

/** The watcher's row about what Synapse wrote last. */
const CANDIDATE = "Synapse's last candidate";
const REFUSED = (host: HostName) => commandOn(host, "cat", "/run/meshctl/haproxy.cfg.refused");

/**
 * What is wrong, the worst first, the same thing on several hosts as one. A service's backends are told from the
 * table of them; everything else is evidence that is not proven, at most one problem a step and host.
 */
export function problemsOf(
  view: MeshView,
  ensemble: EnsembleStatus | undefined,
  services: readonly ServiceStatus[],
): readonly Problem[] {
  const found = [
    ...unreachable(view),
    ...ofSteps(view, services),
    ...(ensemble === undefined ? [] : ofEnsemble(ensemble)),
    ...services.flatMap((service) => [
      ...ofService(service, view),
      ...ofLeftOut(service, view),
      ...ofUntold(service, view),
      ...ofKept(service, view),
    ]),
  ];
  const rank = ({ kind }: Problem) => PROBLEM_KINDS.indexOf(kind);
  return merged(found).toSorted((a, b) => rank(a) - rank(b));
}

function unreachable({ unseen, isReported }: MeshView): readonly Problem[] {
  return [...unseen]
    .filter(([host]) => isReported(host))
    .map(([host, because]) => ({
      kind: "unreachable",
      hosts: [host],
      what: "could not be looked at",
      evidence: because,
      next: commandLine("meshctl", "hosts", host),
    }));
}

/** How a row that says most of its step's trouble is told. The first that is open wins. */
const TELLING: Readonly<
  Record<
    StepName,
    readonly {
      readonly setting: RegExp;
      readonly from?: RegExp;
      readonly kind: Problem["kind"];
      readonly what: string | ((evidence: Evidence) => string);
    }[]
  >
> = {
  zookeeper: [
    {
      setting: /^role$/,
      from: /^zookeeper\.service$/,
      kind: "member",
      what: "its ZooKeeper member does not serve",
    },
  ],
  haproxy: [
    { setting: /^running$/, kind: "haproxy", what: "HAProxy does not run" },
    {
      setting: /^last reload$/,
      kind: "haproxy",
      what: "HAProxy's last reload failed, an older worker serves on",
    },
    {
      setting: /^(admin socket|settings)$/,
      kind: "haproxy",
      what: "HAProxy is not what the inventory asks for",
    },
  ],
  watcher: [
    {
      setting: new RegExp(`^${CANDIDATE}$`),
      kind: "watcher",
      what: "Synapse's last candidate is not in force",
    },
    { setting: /^meshctl-watcher\.service$/, kind: "watcher", what: watcherWords },
    { setting: /^ZooKeeper session$/, kind: "watcher", what: "the watcher has no session with ZooKeeper" },
    {
      setting: /^meshctl-haproxy-install\.path$/,
      kind: "watcher",
      what: "nothing installs what Synapse writes",
    },
  ],
  registrar: [
    {
      setting: /^meshctl-registrar\.service$/,
      kind: "registrar",
      what: "the registrar does not run as it should",
    },
    {
      setting: /^ZooKeeper session$/,
      kind: "registrar",
      what: "the registrar has no session with ZooKeeper: its host's services are not registered",
    },
    { setting: /^service /, kind: "registrar", what: "the registrar does not register what it should" },
  ],
};

function watcherWords({ inForce }: Evidence): string {
  const value = "value" in inForce ? inForce.value : "";
  if (value === "running") return "the watcher does not start at boot";
  if (value === "frozen") return "the watcher is frozen";
  return value.startsWith("running ") ? "the watcher was started again just now" : "the watcher does not run";
}

function ofSteps(view: MeshView, services: readonly ServiceStatus[]): readonly Problem[] {
  const rows = new Map<string, Row[]>();
  for (const row of view.evidence) {
    const { setting, verdict } = row.evidence;
    // Told by the backends' states, and the ensemble's by its members.
    if (
      verdict === "proven" ||
      setting === "quorum" ||
      isOfBackends(row, services) ||
      isUntold(row, services) ||
      isOfHaproxy(row, view)
    )
      continue;
    const key = `${row.host} ${row.step}`;
    rows.set(key, [...(rows.get(key) ?? []), row]);
  }
  return [...rows.values()].map((open) => ofStep(open, view));
}

function isOfBackends({ host, step, evidence }: Row, services: readonly ServiceStatus[]): boolean {
  const service = services.find(({ name }) => evidence.setting === `service ${name}`);
  return (
    step === "watcher" &&
    service !== undefined &&
    service.backends.some(({ on }) => isWrong(on.get(host) ?? "up") && on.get(host) !== "down")
  );
}

/** What the watcher's rows say of a HAProxy that does not answer, where the haproxy step says why. */
function isOfHaproxy({ host, step, evidence }: Row, { watcher, evidence: rows }: MeshView): boolean {
  const member = watcher.get(host);
  if (step !== "watcher" || member?.is !== "seen" || !("unreachable" in member.facts.haproxy)) return false;
  if (!rows.some((row) => row.host === host && row.step === "haproxy" && row.evidence.verdict !== "proven"))
    return false;
  return (
    /^(haproxy\.cfg$|service )/.test(evidence.setting) ||
    (evidence.setting === CANDIDATE && member.facts.install?.outcome === "ok")
  );
}

function ofStep(open: readonly Row[], view: MeshView): Problem {
  const { host, step } = open[0]!;
  for (const { setting, from, kind, what } of TELLING[step] ?? []) {
    const row = open.find(({ evidence }) => setting.test(evidence.setting));
    if (row === undefined) continue;
    const quoted = open.find(({ evidence }) => from?.test(evidence.setting)) ?? row;
    if (setting.test(CANDIDATE) && isCandidateInvalid(host, view)) {
      return {
        kind: "invalid-candidate",
        hosts: [host],
        what: `Synapse's last candidate is invalid: HAProxy serves on with the file before it`,
        evidence: words(row),
        next: REFUSED(host),
      };
    }
    return {
      kind,
      hosts: [host],
      what: typeof what === "string" ? what : what(row.evidence),
      evidence: words(quoted),
      next: nextFor(row),
    };
  }
  const first = open.find(({ evidence }) => evidence.verdict === "blocked") ?? open[0]!;
  const count = open.length === 1 ? "1 setting is" : `${open.length} settings are`;
  return {
    kind: "settings",
    hosts: [host],
    what: `${step}: ${count} not proven`,
    evidence: `${first.evidence.setting}: ${words(first)}`,
    next: nextFor(first),
  };
}

function words({ evidence }: Row): string {
  return evidence.because ?? `${evidence.want} is wanted, and it is ${evidence.verdict}`;
}

function nextFor({ host, step, evidence }: Row): CommandLine {
  const { verdict, closedBy } = evidence;
  const command = verdict === "blocked" || closedBy === undefined ? "verify" : "provision";
  return meshctl(command, host, closedBy && "step" in closedBy ? closedBy.step : step);
}

function meshctl(command: "verify" | "provision", hosts: string, step: StepName): CommandLine {
  return commandLine("meshctl", command, "-l", hosts, "--steps", step);
}

function ofEnsemble({ members, serving, majority, hasQuorum }: EnsembleStatus): readonly Problem[] {
  if (hasQuorum) return [];
  const away = members.filter((member) => !member.serves);
  // A member that cannot be seen may serve: without a leader in sight nothing can be said of the quorum.
  const isUnsure = away.some(({ role }) => role === "unreachable" || role === "unread");
  const stopped = away.find(({ role }) => role !== "unreachable") ?? away[0];
  return [
    {
      kind: "no-quorum",
      hosts: [],
      what: isUnsure
        ? `no quorum of ZooKeeper is in sight: ${serving} of ${members.length} are seen to serve, ${majority} are needed`
        : `ZooKeeper has no quorum: ${serving} of ${members.length} serve, ${majority} are needed; backends that come and go are not noticed`,
      evidence: away.map(({ host, role }) => `${host} ${role}`).join(", "),
      next: meshctl("provision", (stopped ?? members[0]!).host, "zookeeper"),
    },
  ];
}

/** `told` is what a server is that is wanted: "registered". */
function stateWords(state: Exclude<ServerState, "up" | "weightless">, told: string): string {
  return {
    missing: `${told}, and not in HAProxy`,
    stale: `in HAProxy, and not ${told} any more`,
    down: `${told}, and DOWN by HAProxy's health check`,
    altered: "changed by hand",
  }[state];
}

function ofService(service: ServiceStatus, view: MeshView): readonly Problem[] {
  const proxies = new Set(service.backends.flatMap(({ on }) => [...on.keys()]));
  const out = answeringProxies(view).filter((host) =>
    service.backends.every(({ on }) => !mayServe(on.get(host))),
  );
  const problems: Problem[] = out.map((host) => ({
    kind: "service-out",
    hosts: [host],
    service: service.name,
    ...outWords(service, host, view),
  }));
  for (const host of answeringProxies(view)) {
    const words = panicOn(service, host, view);
    if (words === undefined || out.includes(host)) continue;
    const down = service.backends.filter(({ on }) => on.get(host) === "down").map(({ name }) => name);
    problems.push({
      kind: "panic",
      hosts: [host],
      service: service.name,
      what: `${service.name}: ${words}`,
      evidence: downWords(down, service, host, view),
      next: nextForBackend(down[0] ?? service.backends[0]!.name, service, host, view),
    });
  }
  for (const state of ["missing", "stale", "down", "altered"] as const) {
    for (const host of proxies) {
      // Told already.
      if (state === "down" && (out.includes(host) || panicOn(service, host, view) !== undefined)) continue;
      const names = service.backends.filter(({ on }) => on.get(host) === state).map(({ name }) => name);
      if (names.length === 0) continue;
      problems.push({
        kind: state,
        hosts: [host],
        service: service.name,
        what: `${service.name}: ${listed(names)}: ${stateWords(state, toldBy(discoveryOf(service, view)).told)}`,
        evidence:
          state === "down" ? downWords(names, service, host, view) : evidenceOf(state, service, host, view),
        next:
          state === "down"
            ? nextForBackend(names[0]!, service, host, view)
            : state === "altered"
              ? commandOn(host, "sudo", "systemctl", "reload", "haproxy")
              : isCandidateInvalid(host, view)
                ? REFUSED(host)
                : meshctl("provision", host, "watcher"),
      });
    }
  }
  return problems;
}

/** What a proxy does while too few servers of the service are up; undefined while it does not. */
function panicOn({ name }: ServiceStatus, host: HostName, { watcher }: MeshView): string | undefined {
  const member = watcher.get(host);
  if (member?.is !== "seen" || "unreachable" in member.facts.haproxy) return undefined;
  const settings = member.desired.settings.services.find((service) => service.name === name)?.panic;
  return settings && panicWords(panicOf(member.facts.haproxy.servers, name, settings), settings);
}

/** Proxies whose HAProxy told its servers. */
function answeringProxies({ watcher, isReported }: MeshView): readonly HostName[] {
  return [...watcher]
    .filter(([, member]) => member.is === "seen" && !("unreachable" in member.facts.haproxy))
    .map(([host]) => host)
    .filter(isReported);
}

/** A server that is none of ZooKeeper's or was changed by hand may serve all the same; it is told by itself. */
function mayServe(state: ServerState | undefined): boolean {
  return state === "up" || state === "stale" || state === "altered";
}

/** Why requests to a service fail on a proxy. */
function outWords(
  service: ServiceStatus,
  host: HostName,
  view: MeshView,
): Pick<Problem, "what" | "evidence" | "next"> {
  const { name, front, backends } = service;
  const panics = panicOn(service, host, view) !== undefined;
  const fail = `requests to ${front} ${panics ? "go to all of them all the same (panic_threshold)" : "fail"}`;
  const here = backends.filter(({ on }) => on.has(host));
  const [first] = here;
  if (first === undefined) {
    const member = view.watcher.get(host);
    // Servers that left stay in maintenance until the next reload.
    const had =
      member?.is === "seen" &&
      !("unreachable" in member.facts.haproxy) &&
      member.facts.haproxy.servers.some(({ backend }) => backend === name);
    const since = had ? "nothing is registered any more" : "nothing has registered yet";
    if (service.names !== undefined) {
      const row = rowOf(service, host, view);
      return {
        what: `${name}: DNS has told no server of it, ${fail}`,
        evidence: row?.because ?? service.names.join(", "),
        next: askFrom(host, service, view),
      };
    }
    return { what: `${name}: ${since}, ${fail}`, ...ofEmptyPath(service, view) };
  }
  const isWeightless = here.every(({ on }) => on.get(host) === "weightless");
  return {
    what: `${name}: ${isWeightless ? "every backend has weight 0" : "no backend is UP"}, ${fail}`,
    evidence: listed(
      here.map(({ name, on }) => `${name} ${on.get(host)}${inBrackets(checkOf(name, service, host, view))}`),
    ),
    next: nextForBackend(first.name, service, host, view),
  };
}

/** Names that a proxy is not told the addresses of: it serves on with what it has. */
function ofUntold(service: ServiceStatus, view: MeshView): readonly Problem[] {
  return view.evidence
    .filter((row) => isUntold(row, [service]))
    .map(({ host, evidence: { because } }) => ({
      kind: "untold",
      hosts: [host],
      service: service.name,
      what: `${service.name}: DNS does not tell its servers`,
      evidence: because ?? "not read",
      next: askFrom(host, service, view),
    }));
}

function isUntold({ step, evidence }: Row, services: readonly ServiceStatus[]): boolean {
  const service = services.find(({ name }) => evidence.setting === `service ${name}`);
  if (step !== "watcher" || service?.names === undefined) return false;
  return evidence.inForce.is === "unreadable" && evidence.inForce.source.includes(DNS_ASKER);
}

/** What the proxy hears when it asks for the names itself. */
function askFrom(host: HostName, service: ServiceStatus, view: MeshView): CommandLine {
  const discovery = discoveryOf(service, view);
  return discovery.by === "dns"
    ? commandOn(host, ...namesQuestion(discovery))
    : meshctl("verify", host, "watcher");
}

function discoveryOf({ name }: ServiceStatus, { mesh }: MeshView): Discovery {
  return mesh.services.find((service) => service.name === name)!.discovery;
}

function rowOf({ name }: ServiceStatus, host: HostName, view: MeshView): Evidence | undefined {
  return view.evidence.find((each) => each.host === host && each.evidence.setting === `service ${name}`)
    ?.evidence;
}

/** Backends that registered themselves with something that they must not say, or that may not be where they are. */
function ofLeftOut({ name, path, names, leftOut }: ServiceStatus, view: MeshView): readonly Problem[] {
  const backends = leftOut.filter(({ isBackend }) => isBackend);
  const [host] = answeringProxies(view);
  if (backends.length === 0 || host === undefined) return [];
  return [
    {
      kind: "left-out",
      hosts: [],
      service: name,
      what: `${name}: ${listed(backends.map(({ node }) => node))} in ${path ?? names?.join(", ")}: left out of HAProxy for ${names === undefined ? "what it says of itself" : "where it is"}`,
      evidence: listed(backends.map(({ node, because }) => `${node}: ${because}`)),
      next: commandLine(
        "meshctl",
        "verify",
        "-l",
        host,
        "--steps",
        "watcher",
        "--explain",
        `service ${name}`,
      ),
    },
  ];
}

/** Nothing is wrong with the requests yet; but what is served is what once was. */
function ofKept(service: ServiceStatus, view: MeshView): readonly Problem[] {
  const kept = service.backends.filter(({ origin }) => origin === "kept");
  const proxies = answeringProxies(view).filter((host) => kept.some(({ on }) => on.has(host)));
  return proxies.map((host) => ({
    kind: "kept",
    hosts: [host],
    service: service.name,
    what: `${service.name}: nothing is registered any more, and its last servers are kept`,
    ...ofEmptyPath(service, view),
  }));
}

/** What is known of a service that nobody is registered for, and where to look for those who should be. */
function ofEmptyPath(
  { name, path, registered, skipped }: ServiceStatus,
  view: MeshView,
): Pick<Problem, "evidence" | "next"> {
  const registrars = [...view.registrar].flatMap(([host, { desired }]) =>
    desired.services.some((service) => service.name === name) ? [host] : [],
  );
  const found =
    registered === undefined
      ? "the registrations could not be read"
      : skipped.length > 0
        ? `nothing in ${path} is a backend; skipped: ${listed(skipped)}`
        : `${path} holds no backend`;
  if (registrars.length > 0) {
    const next = meshctl("verify", registrars.join(","), "registrar");
    return { evidence: `${found}; to be registered by ${listed(registrars)}`, next };
  }
  return {
    evidence: `${found}, and no host of the inventory has a registrar for it`,
    next: nextForPath(path, view),
  };
}

/** What a member of the ensemble holds at a path, asked on that member; a proxy has no ZooKeeper client. */
function nextForPath(path: string | undefined, { watcher, hostOf, mesh }: MeshView): CommandLine {
  const port = mesh.zookeeper.clientPort;
  const answered = [...watcher.values()].flatMap((member) =>
    member.is === "seen" && member.facts.registry !== undefined && "member" in member.facts.registry
      ? [member.facts.registry.member]
      : [],
  );
  const members = [...hostOf].map(([address, host]) => ({ host, client: `${address}:${port}` }));
  const member =
    members.find(({ client }) => answered.includes(client)) ??
    members.find(({ host }) => mesh.ensemble.some((each) => each.host === host));
  if (member === undefined || path === undefined)
    return commandLine("meshctl", "verify", "--steps", "watcher");
  return commandOn(member.host, "/usr/share/zookeeper/bin/zkCli.sh", "-server", member.client, "ls", path);
}

/** How HAProxy's last check of a server ended on a proxy: "L7STS/400: …"; undefined where it has none. */
function checkOf(
  name: string,
  service: ServiceStatus,
  host: HostName,
  { watcher }: MeshView,
): string | undefined {
  const member = watcher.get(host);
  if (member?.is !== "seen" || "unreachable" in member.facts.haproxy) return undefined;
  const found = member.facts.haproxy.servers.find(
    (server) => server.backend === service.name && server.name === name,
  );
  return found && checkWords(found);
}

function inBrackets(words: string | undefined): string {
  return words === undefined ? "" : ` (${words})`;
}

function downWords(names: readonly string[], service: ServiceStatus, host: HostName, view: MeshView): string {
  return listed(names.map((name) => `${name}${inBrackets(checkOf(name, service, host, view))}`));
}

/** Why a proxy does not have what is registered, where that is known. */
function evidenceOf(state: ServerState, service: ServiceStatus, host: HostName, view: MeshView): string {
  const row = rowOf(service, host, view);
  if (state !== "down" && row !== undefined && saysMore(row)) return row.because!;
  const isRefused = isCandidateInvalid(host, view) && (state === "missing" || state === "stale");
  const place = service.path ?? service.names?.join(", ");
  const source = place === undefined ? "show stat" : `show stat against ${place}`;
  return isRefused ? `${source}; what Synapse wrote last was not installed` : source;
}

function isCandidateInvalid(host: HostName, { watcher }: MeshView): boolean {
  const member = watcher.get(host);
  return member?.is === "seen" && ["invalid", "refused"].includes(member.facts.install?.outcome ?? "");
}

/** Sends the check's request as HAProxy does, and shows what it gets. */
const ASK = `exec 3<>"/dev/tcp/$1/$2" && printf '%s HTTP/1.0\\r\\n\\r\\n' "$3" >&3 && timeout 5 head -n 20 <&3`;

/**
 * Who listens on the backend's port, asked where it should run; of a host that is none of ours, whether it can be reached. Where
 * the backend answers, and not as the check wants it: what it answers.
 */
function nextForBackend(
  server: string,
  service: ServiceStatus,
  proxy: HostName,
  view: MeshView,
): CommandLine {
  const { hostOf, mesh } = view;
  const [, address = "", port = ""] = /(?:^|_)([^_]*):(\d{1,5})$/.exec(server) ?? [];
  const host = hostOf.get(address);
  const check = mesh.services.find(({ name }) => name === service.name)?.check.http;
  const answers = /^L7(?!OK)/.test(checkOf(server, service, proxy, view) ?? "");
  if (answers && check !== undefined && port !== "" && parseIp(address) !== undefined)
    return commandOn(proxy, "bash", "-c", ASK, "check", address, port, `${check.method} ${check.path}`);
  if (port !== "" && host !== undefined) return commandOn(host, "ss", "-Hltnp", "sport", "=", `:${port}`);
  if (port === "" || parseIp(address) === undefined) return meshctl("verify", proxy, "watcher");
  return commandOn(proxy, "timeout", "5", "bash", "-c", `: </dev/tcp/${address}/${port}`);
}

/** At most three by name. */
function listed(names: readonly string[]): string {
  if (names.length <= 4) return names.join(", ");
  return `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`;
}

/** The same words about several hosts are one problem; its next command is the first host's. */
function merged(problems: readonly Problem[]): readonly Problem[] {
  const byWords = new Map<string, Problem>();
  for (const problem of problems) {
    // Process numbers and times differ from host to host.
    const said = problem.kind === "unreachable" ? "" : problem.evidence.replace(/\d+/g, "0");
    const key = [problem.kind, problem.what, said].join("\n");
    const known = byWords.get(key);
    byWords.set(key, known === undefined ? problem : { ...known, hosts: [...known.hosts, ...problem.hosts] });
  }
  return [...byWords.values()];
}
