import { isFollowed, pathOf, type Service } from "../../contract/mesh.ts";
import type { Layer, Reading } from "../../contract/reading.ts";
import { socketQuestion } from "../../evidence/by-hand.ts";
import { ownershipOf } from "../../evidence/file.ts";
import { type ConfigDifference, compareHaproxyConfig, directiveOf } from "../../haproxy/config.ts";
import { LOADED_RECORD, servedConfig, settingsIn } from "../../haproxy/loaded.ts";
import { mendedHaproxyConfig } from "../../haproxy/mended-config.ts";
import { alteredWords } from "../../haproxy/server-state.ts";
import { ADMIN_SOCKET, descriptionOf, settingsDigest } from "../../haproxy/settings.ts";
import { namedList } from "../../named-list.ts";
import type { Row } from "../../smartstack/program.ts";
import {
  type ServerOnDisk,
  type Skipped,
  serversAlteredOf,
  serversInForce,
  serversOnDisk,
  showServers,
  wantedServers,
  whyUnknown,
} from "./backend-sets.ts";
import type { HaproxyFacts, WatcherFacts } from "./facts.ts";
import { HAPROXY_CONFIG, INSTALL_RESULT, RELOAD_RESULT, WATCHER_UNIT } from "./paths.ts";
import type { Situation } from "./situation.ts";
import { type ToldBy, toldBy } from "./told-by.ts";

const INFO = socketQuestion(ADMIN_SOCKET, "show info");
const STAT = socketQuestion(ADMIN_SOCKET, "show stat");

/** Whether haproxy.cfg is somebody else's, and must not be replaced. */
export function isForeign({ haproxyFile, host }: Situation): boolean {
  return haproxyFile.because === undefined && ownershipOf(haproxyFile, host.manifest) === "foreign";
}

/** What haproxy.cfg means besides its servers, and the settings of the worker that runs. */
export function settingsRow(situation: Situation): Row {
  const { desired, facts, haproxyFile, haproxyConfig, unreadConfig } = situation;
  const wanted = descriptionOf(desired.settings);
  const differences = unreadConfig === undefined ? compareHaproxyConfig(haproxyConfig, desired.settings) : [];
  const described = directiveOf(haproxyConfig, "global", "", "description");
  const loaded = loadedDifferences(situation);
  return {
    setting: "haproxy.cfg",
    want: shortDescription(wanted),
    onDisk:
      unreadConfig !== undefined
        ? { is: "unreadable", source: HAPROXY_CONFIG, because: unreadConfig }
        : haproxyFile.kind === "absent"
          ? { is: "absent", source: HAPROXY_CONFIG }
          : read(
              differences.length > 0
                ? `${differences.length} settings differ`
                : shortDescription(described?.value ?? "no description"),
              described === undefined ? HAPROXY_CONFIG : `${HAPROXY_CONFIG}:${described.line}`,
            ),
    inForce:
      "unreachable" in facts.haproxy
        ? unreachedLayer(facts.haproxy)
        : facts.haproxy.loaded.is === "unreadable"
          ? { ...facts.haproxy.loaded, source: LOADED_RECORD }
          : loaded.length > 0
            ? read(`${loaded.length} settings differ`, LOADED_RECORD)
            : read(shortDescription(facts.haproxy.description || "no description"), INFO),
    blocked:
      isForeign(situation) && !desired.adopt
        ? `${HAPROXY_CONFIG} is neither meshctl's nor the package's default; look at it, then say "adopt: true" for haproxy in the inventory to replace it`
        : undefined,
    because: firstOf(differences) ?? unreachable(situation) ?? loadedWords(loaded),
    diff: diffOf(situation, differences),
    // A HAProxy that is down is the haproxy step's to start, unless it waits for a file that it can start with.
    restartHelps: !("unreachable" in facts.haproxy) || differences.length > 0 || wasReplaced(situation),
  };
}

/**
 * In what the worker was loaded with something else than is wanted although it has the wanted description, as far as
 * that is on record. Where it is not on record the haproxy step says so, and mends it.
 */
function loadedDifferences({ desired, facts: { haproxy } }: Situation): readonly ConfigDifference[] {
  if ("unreachable" in haproxy) return [];
  const served = servedConfig(haproxy.loaded, haproxy.description);
  const isAsDescribed = settingsIn(haproxy.description) === settingsDigest(desired.settings);
  return served.is === "value" && isAsDescribed ? compareHaproxyConfig(served.value, desired.settings) : [];
}

function loadedWords(differences: readonly ConfigDifference[]): string | undefined {
  const first = firstOf(differences);
  return first && `HAProxy was loaded with another haproxy.cfg: ${first}`;
}

function firstOf([first, ...more]: readonly ConfigDifference[]): string | undefined {
  if (first === undefined) return undefined;
  return (
    `${first.setting}: ${first.found ?? "nothing"} where ${first.want || "nothing"} is wanted` +
    (more.length > 0 ? `, and ${more.length} more` : "")
  );
}

/** What was changed in a file of the watcher's. Of anybody else's the haproxy step shows what would be lost. */
function diffOf(situation: Situation, differences: readonly ConfigDifference[]): Reading["diff"] {
  const { haproxyFile, haproxyConfig } = situation;
  const was = haproxyFile.content;
  const isOurs = directiveOf(haproxyConfig, "global", "", "description")?.value.startsWith("meshctl-");
  if (was === undefined || !isOurs || differences.length === 0) return undefined;
  return { path: HAPROXY_CONFIG, was, want: mendedHaproxyConfig(was, haproxyConfig, differences) };
}

/** "meshctl-0123456789ab" of "meshctl-<64 hex>-<16 hex>": the settings a file or a worker has. */
function shortDescription(description: string): string {
  return /^meshctl-[0-9a-f]{64}/.test(description) ? description.slice(0, 20) : description;
}

/** Whether haproxy.cfg is not what the installer put there last. */
function wasReplaced({ facts: { install }, haproxyFile }: Situation): boolean {
  return (
    haproxyFile.because === undefined && install?.outcome === "ok" && install.digest !== haproxyFile.sha256
  );
}

/** A worker that was started since read the file as it was then: a failure of before is none any more. */
export function isReloadPast({ haproxy, reload }: WatcherFacts): boolean {
  return !("unreachable" in haproxy) && reload !== undefined && reload.worker !== haproxy.pid;
}

/** The installer's note is gone. A file that it wrote says so itself, and HAProxy runs it. */
function withoutResult(described: string | undefined, isRun: boolean): Layer {
  if (isRun && /^meshctl-[0-9a-f]{64}-[0-9a-f]{16}$/.test(described ?? ""))
    return { is: "inferred", value: "installed", source: `${HAPROXY_CONFIG} (its description)` };
  return { is: "absent", source: INSTALL_RESULT };
}

/** Whether all that Synapse wrote is installed, and every reload it asked for is done. */
export function installationRow(situation: Situation): Row {
  const { facts, haproxyFile, haproxyConfig } = situation;
  const { install, reload, waiting, haproxy } = facts;
  const described = directiveOf(haproxyConfig, "global", "", "description")?.value;
  const runsTheFile = !("unreachable" in haproxy) && haproxy.description === described;
  const restarted = isReloadPast(facts);
  const onDisk: Layer =
    waiting.length > 0
      ? read(`${waiting[0]} waits`, "ls /var/lib/meshctl-watcher")
      : haproxyFile.because !== undefined
        ? { is: "unreadable", source: HAPROXY_CONFIG, because: haproxyFile.because }
        : install === undefined
          ? withoutResult(described, runsTheFile)
          : install.outcome !== "ok"
            ? read(install.outcome, INSTALL_RESULT)
            : read(wasReplaced(situation) ? "replaced since" : "installed", HAPROXY_CONFIG);
  const unread = "unreachable" in haproxy && haproxy.isUnread === true;
  const inForce: Layer = unread
    ? unreachedLayer(haproxy)
    : runsTheFile
      ? read("reloaded", INFO)
      : reload === undefined
        ? { is: "absent", source: RELOAD_RESULT }
        : restarted
          ? read("reloaded", `${INFO} (a worker started since the last reload)`)
          : read(reload.outcome === "ok" ? "reloaded" : `reload ${reload.outcome}`, RELOAD_RESULT);
  const failed = [install, restarted ? undefined : reload].find(
    (result) => result !== undefined && result.outcome !== "ok",
  );
  const message = failed?.message;
  return {
    setting: "Synapse's last candidate",
    want: "installed, reloaded",
    onDisk,
    inForce,
    accepts: (value, layer) => value === (layer === "onDisk" ? "installed" : "reloaded"),
    warning:
      install?.outcome === "ok" && /\b(without|although)\b/.test(install.message)
        ? install.message
        : undefined,
    urgent: install?.outcome === "invalid",
    because:
      message ??
      (onDisk.is === "read" && onDisk.value === "replaced since"
        ? `something else than the watcher's installer wrote ${HAPROXY_CONFIG}`
        : undefined),
    // What HAProxy refuses once it refuses again.
    restartHelps: install === undefined || !["invalid", "refused"].includes(install.outcome),
  };
}

const KEPT_ADDRESSES = ". HAProxy keeps the servers that it has until it is told";

/** HAProxy's servers of one service are what ZooKeeper or DNS says: in the file, and in the worker. */
export function serviceRow(situation: Situation, service: Service): Row {
  const { desired, facts, haproxyFile, haproxyConfig, unreadConfig } = situation;
  const wanted = wantedServers(service, desired, facts);
  const { serverOptions } = desired.settings.services.find(({ name }) => name === service.name)!;
  const listed = serversOnDisk(
    haproxyConfig,
    service.name,
    serverOptions,
    isFollowed(service) ? wanted?.backends : undefined,
  );
  const setting = `service ${service.name}`;
  const words = toldBy(service.discovery);
  const onDisk: Layer =
    unreadConfig !== undefined
      ? { is: "unreadable", source: HAPROXY_CONFIG, because: unreadConfig }
      : haproxyConfig.sections.some(({ kind, name }) => kind === "backend" && name === service.name)
        ? read(showServers(listed.map(onDiskWords)), HAPROXY_CONFIG)
        : {
            is: "absent",
            source: haproxyFile.kind === "absent" ? HAPROXY_CONFIG : `${HAPROXY_CONFIG}: no back end`,
          };
  if ("unreachable" in facts.haproxy) {
    return {
      setting,
      want: wanted === undefined ? words.want : showServers(wanted.names),
      onDisk,
      inForce: unreachedLayer(facts.haproxy),
      because: facts.haproxy.isUnread === true ? undefined : "HAProxy does not answer: see haproxy.cfg",
    };
  }
  const servers = serversInForce(facts.haproxy, service.name);
  const altered = serversAlteredOf(facts.haproxy, haproxyConfig, service.name);
  const names = servers.map(({ name }) => name).filter((name) => altered.every((each) => each.name !== name));
  const leftOut = leftOutOf(facts, service, wanted?.names ?? []);
  const down = servers
    .filter(({ up }) => !up)
    .map(({ name, check }) => (check ? `${name} (${check})` : name));
  const known = facts.haproxy.servers.some(({ backend }) => backend === service.name) || onDisk.is === "read";
  if (wanted === undefined) {
    const because = whyUnknown(service, desired, facts);
    return {
      setting,
      want: words.want,
      onDisk,
      inForce:
        facts.process === undefined
          ? { is: "absent", source: STAT }
          : { is: "unreadable", source: words.source, because },
      because: `${words.unknown} are unknown: ${because}${service.discovery.by === "dns" ? KEPT_ADDRESSES : ""}`,
    };
  }
  const warnings = [
    ...(wanted.because === undefined ? [] : [wanted.because]),
    ...(down.length === 0
      ? []
      : [`${words.told}, but DOWN by its health check: ${namedList(down, MOST_NAMED)}`]),
    ...skippedWords(wanted.skipped, service, words),
  ];
  return {
    setting,
    want: showServers(wanted.names),
    onDisk,
    inForce: known
      ? inForceLayer(showServers(names), facts.haproxy, service)
      : { is: "absent", source: STAT },
    warning: warnings.length === 0 ? undefined : warnings.join("; "),
    because:
      facts.process === undefined
        ? `${WATCHER_UNIT} does not run`
        : (alteredWords(altered, ADMIN_SOCKET) ??
          leftOutWords(service, leftOut, facts) ??
          olderWords(listed, service)),
    // Synapse neither undoes what somebody told HAProxy nor makes a name resolve.
    restartHelps: altered.length === 0 && leftOut.size === 0,
  };
}

/** A registry may hold thousands, and whoever fills it is to fill no screen. */
const MOST_NAMED = 4;

function onDiskWords({ name, differs }: ServerOnDisk): string {
  return differs === undefined ? name : `${name} with ${differs[0]}`;
}

/** A worker that does not tell addresses has those of the file: HAProxy can be told others since it tells them. */
function inForceLayer(value: string, { servers }: HaproxyFacts, { name }: Service): Layer {
  const told = servers.every(({ backend, address }) => backend !== name || address !== undefined);
  return told
    ? read(value, STAT)
    : { is: "inferred", value, source: `${STAT} (this HAProxy shows no addresses: those of its file)` };
}

function olderWords(listed: readonly ServerOnDisk[], service: Service): string | undefined {
  const path = pathOf(service);
  const older = listed.flatMap(({ name, differs }) => (differs === undefined ? [] : [{ name, differs }]));
  if (older.length === 0 || path === undefined) return undefined;
  const words = older.map(
    ({ name, differs: [found, want] }) => `${name} has ${found} where ${want} is registered`,
  );
  return (
    `${namedList(words, MOST_NAMED)}: Synapse hears of backends that come and go, and not of one that changes what it says of ` +
    `itself in ${path}. It reads that when it is started again, or when one comes or goes`
  );
}

/** Who is left out of HAProxy for what it says of itself, and what to do; nothing when nobody is. */
function skippedWords(
  skipped: readonly Skipped[],
  { name }: Service,
  { place, mendOwn }: ToldBy,
): readonly string[] {
  if (skipped.length === 0) return [];
  const shown = skipped.map(({ node, because }) => `${node} (${because})`);
  return [
    `left out of HAProxy: ${namedList(shown, MOST_NAMED)} in ${place}. Mend ${mendOwn}` +
      (skipped.some(({ because }) => because.includes(" is not allowed"))
        ? `, or allow the option in the inventory: mesh.services.${name}.server_options_allowed`
        : ""),
  ];
}

/** Servers of the service that the installer had to leave out of haproxy.cfg, by what it says of them. */
function leftOutOf(
  { install }: WatcherFacts,
  service: Service,
  wanted: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const { server, code } of install?.leftOut ?? []) {
    const name = server.slice(service.name.length + 1);
    if (server !== `${service.name}/${name}` || !wanted.includes(name)) continue;
    found.set(code, [...(found.get(code) ?? []), name]);
  }
  return found;
}

const LEFT_OUT_WORDS: ReadonlyMap<string, string> = new Map([
  [
    "unresolved",
    "the name does not resolve on this host, and HAProxy goes without the server until it does. Mend the name service, or",
  ],
  [
    "outside",
    "the name leads where no backend may be, and HAProxy goes without the server. Mend the name service, or",
  ],
  ["refused", "HAProxy does not take the server, and goes without it. Mend"],
]);

function leftOutWords(
  { discovery }: Service,
  leftOut: ReadonlyMap<string, readonly string[]>,
  { install }: WatcherFacts,
): string | undefined {
  const { mend } = toldBy(discovery);
  const words = [...leftOut].map(([code, names]) => {
    const why = LEFT_OUT_WORDS.get(code) ?? `its own settings are not allowed. Mend`;
    return `${namedList(names, MOST_NAMED)}: ${why} ${mend}`;
  });
  // In the program's own words, where a name alone explains nothing.
  const said = [...leftOut.keys()].some((code) => code !== "unresolved")
    ? `; it was ${install?.message}`
    : "";
  return words.length === 0 ? undefined : `${words.join("; ")}${said}`;
}

/** Of what only HAProxy can tell, where it did not. */
function unreachedLayer(haproxy: { readonly unreachable: string; readonly isUnread?: boolean }): Layer {
  return haproxy.isUnread === true
    ? { is: "unreadable", source: ADMIN_SOCKET, because: haproxy.unreachable }
    : { is: "absent", source: ADMIN_SOCKET };
}

function unreachable({ facts }: Situation): string | undefined {
  if (!("unreachable" in facts.haproxy) || facts.haproxy.isUnread === true) return undefined;
  return `HAProxy does not answer on ${ADMIN_SOCKET} (${facts.haproxy.unreachable}); the haproxy step starts it`;
}

function read(value: string, source: string): Layer {
  return { is: "read", value, source };
}
