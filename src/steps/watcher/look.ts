import { isFollowed, pathOf, type Service } from "../../contract/mesh.ts";
import { lookAtUnits, propertiesOf } from "../../daemon/look-at-units.ts";
import type { FileFact } from "../../evidence/file.ts";
import type { HaproxyConfig } from "../../haproxy/config.ts";
import { lookAtConfig } from "../../haproxy/config-file.ts";
import { loadedOrRead, readLoadedRecord } from "../../haproxy/loaded.ts";
import { lookAtWorker, type Worker } from "../../haproxy/look.ts";
import { HAPROXY_UNIT } from "../../haproxy/paths.ts";
import { type Answer, read, readThere, reasonOf } from "../../reader/answer.ts";
import type { Reader, RegistryReading, UnitProperties } from "../../reader/reader.ts";
import { lookAtProgram } from "../../smartstack/look.ts";
import { lookUntilAtRest, SOON_MS } from "../../smartstack/look-until-at-rest.ts";
import { quotable } from "../../terminal-text.ts";
import { serversInForce, wantedServers } from "./backend-sets.ts";
import { keptBackends } from "./backends.ts";
import type { WatcherDesired } from "./desired.ts";
import { installResult, reloadResult, type WatcherFacts } from "./facts.ts";
import { watcherFiles } from "./files.ts";
import {
  INSTALL_RESULT,
  INSTALLER_PATH_UNIT,
  INSTALLER_UNIT,
  RELOAD_RESULT,
  STATE_DIRECTORY,
  WATCHER_UNIT,
} from "./paths.ts";
import { SYNAPSE } from "./program.ts";

const KEPT = `${STATE_DIRECTORY}/backends.json`;
/** What Synapse and its installer leave there while something is to be done. */
const WAITING = ["haproxy.cfg", "haproxy.cfg.taken", "reload-requested", "reload-taken"];

/** HAProxy's servers, what tells them, and what the installer has made of it and has still to do, taken close together. */
interface Effects {
  readonly config: FileFact;
  readonly install: Answer<string>;
  readonly reload: Answer<string>;
  readonly record: Answer<string>;
  readonly haproxyUnit: Answer<UnitProperties>;
  readonly worker: Worker;
  /** Undefined when no service has a path. */
  readonly registry: Answer<RegistryReading> | undefined;
  readonly dns: WatcherFacts["dns"];
  readonly waiting: readonly string[];
}

/** Synapse, its files, and what it brings about. Throws NotRead. */
export async function lookAtWatcher(reader: Reader, desired: WatcherDesired): Promise<WatcherFacts> {
  const kept = reader.longText(KEPT).then((text) => keptBackends(read(text, KEPT) ?? ""));
  const [program, replaced, [effects, backends]] = await Promise.all([
    lookAtProgram(reader, SYNAPSE, {
      units: [INSTALLER_UNIT, INSTALLER_PATH_UNIT],
      files: watcherFiles(desired, ""),
      clientPort: desired.clientPort,
    }),
    lookAtUnits(reader, desired.replaces),
    lookUntilAtRest(
      reader,
      WATCHER_UNIT,
      (asking) => Promise.all([effectsOf(asking, desired), kept]),
      ([found, known]) => restsAfterMs(found, desired, known),
    ),
  ]);
  const { config, install, reload, record, haproxyUnit } = effects;
  const invocation = readThere(haproxyUnit, HAPROXY_UNIT).get("InvocationID")?.[0] || undefined;
  const { info } = effects.worker;
  const loaded = await loadedOrRead(reader, record, invocation, {
    config,
    worker: info.is === "value" ? Number(info.value.get("pid")) || undefined : undefined,
  });
  return {
    ...program,
    replaced,
    files: new Map([...program.files, [config.path, config]]),
    install: installResult(read(install, INSTALL_RESULT)),
    reload: reloadResult(read(reload, RELOAD_RESULT)),
    kept: backends,
    waiting: effects.waiting,
    haproxy: haproxyFacts(effects.worker, loaded),
    registry: registryFacts(effects.registry, desired),
    dns: effects.dns,
  };
}

async function effectsOf(reader: Reader, { members, services }: WatcherDesired): Promise<Effects> {
  const paths = services.flatMap((service) => pathOf(service) ?? []);
  const pattern = `^(?:${WAITING.map((name) => name.replaceAll(".", "\\.")).join("|")})$`;
  const [config, install, reload, record, haproxyUnit, worker, registry, dns, entries] = await Promise.all([
    lookAtConfig(reader),
    reader.text(INSTALL_RESULT),
    reader.text(RELOAD_RESULT),
    readLoadedRecord(reader),
    propertiesOf(reader, HAPROXY_UNIT),
    lookAtWorker(reader),
    paths.length === 0 ? undefined : reader.registry(members, [...new Set(paths)]),
    namesIn(reader, services),
    reader.list(STATE_DIRECTORY, pattern),
  ]);
  const found = read(entries, STATE_DIRECTORY) ?? [];
  const names = new Set(found.filter(({ targetKind }) => targetKind !== "").map(({ name }) => name));
  const waiting = WAITING.filter((name) => names.has(name));
  return { config, install, reload, record, haproxyUnit, worker, registry, dns, waiting };
}

/** What DNS says of each service's names. A server is asked for all of them at once. */
async function namesIn(reader: Reader, services: readonly Service[]): Promise<WatcherFacts["dns"]> {
  const told = services.flatMap(({ name, discovery }) =>
    discovery.by === "dns" ? [{ name, ...discovery }] : [],
  );
  const hosts = (of: typeof told) => [...new Set(of.flatMap(({ names }) => names.map(({ host }) => host)))];
  const servers = [...new Set(told.map(({ nameserver }) => nameserver))];
  const answers = new Map(
    await Promise.all(
      servers.map(async (server) => {
        const asked = hosts(told.filter(({ nameserver }) => nameserver === server));
        return [server, await reader.namesInDns(server, asked)] as const;
      }),
    ),
  );
  return new Map(told.map(({ name, nameserver }) => [name, answers.get(nameserver)!]));
}

/** How long to look again: 0 where waiting would show nothing else, or cannot help. */
function restsAfterMs(
  { worker, registry, dns, waiting }: Effects,
  desired: WatcherDesired,
  kept: WatcherFacts["kept"],
): number {
  const facts = { registry: registryFacts(registry, desired), dns, kept };
  if (worker.info.is !== "value" || worker.table.is !== "value") return 0;
  const { servers } = worker.table.value;
  const followed = desired.services.flatMap((service) => {
    const wanted = isFollowed(service) ? wantedServers(service, desired, facts) : undefined;
    return wanted === undefined ? [] : [{ service, wanted }];
  });
  // What nothing tells does not come to rest either.
  if (followed.length === 0) return 0;
  const moving = followed.filter(({ service, wanted }) => {
    const inForce = serversInForce({ servers }, service.name).map(({ name }) => name);
    return wanted.names.join("\n") !== inForce.join("\n");
  });
  return Math.max(
    waiting.length > 0 ? SOON_MS : 0,
    // DNS tells nobody of a change: Synapse hears of it when it asks next.
    ...moving.map(({ service: { discovery } }) =>
      discovery.by === "dns" ? discovery.intervalMs + SOON_MS : SOON_MS,
    ),
  );
}

function haproxyFacts(
  { info, table, socket }: Worker,
  loaded: Answer<HaproxyConfig>,
): WatcherFacts["haproxy"] {
  if (info.is === "value" && table.is === "value") {
    return {
      pid: Number(info.value.get("pid")),
      description: info.value.get("description") ?? "",
      servers: table.value.servers,
      loaded,
    };
  }
  if (socket.is === "lost") return { unreachable: socket.because };
  const unread = [info, table].find((answer) => answer.is === "unreadable");
  return { unreachable: unread?.because ?? "it ended meanwhile", isUnread: true };
}

function registryFacts(
  registry: Effects["registry"],
  { services }: WatcherDesired,
): WatcherFacts["registry"] {
  if (registry === undefined) return undefined;
  if (registry.is !== "value") return { unreachable: quotable(reasonOf(registry)) };
  const { member, children } = registry.value;
  return {
    member,
    children: new Map(
      services.flatMap((service) => {
        const { name } = service;
        const path = pathOf(service);
        if (path === undefined) return [];
        const nodes = children.get(path);
        return [[name, nodes && new Map(nodes.map((node) => [node.name, node.data.toString()]))] as const];
      }),
    ),
  };
}
