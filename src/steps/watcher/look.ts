import { lookAtUnits, propertiesOf } from "../../daemon/look-at-units.ts";
import type { HaproxyConfig } from "../../haproxy/config.ts";
import { lookAtConfig } from "../../haproxy/config-file.ts";
import { loadedOrRead, readLoadedRecord } from "../../haproxy/loaded.ts";
import { lookAtWorker, type Worker } from "../../haproxy/look.ts";
import { HAPROXY_UNIT } from "../../haproxy/paths.ts";
import { type Answer, read, readThere, reasonOf } from "../../reader/answer.ts";
import type { Reader, RegistryReading } from "../../reader/reader.ts";
import { lookAtProgram } from "../../smartstack/look.ts";
import { lookUntilAtRest } from "../../smartstack/look-until-at-rest.ts";
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

/** HAProxy's servers, ZooKeeper's children and what waits for the installer, taken close together. */
interface Effects {
  readonly worker: Worker;
  /** Undefined when no service has a path. */
  readonly registry: Answer<RegistryReading> | undefined;
  readonly waiting: readonly string[];
}

/** Synapse, its files, and what it brings about. Throws NotRead. */
export async function lookAtWatcher(reader: Reader, desired: WatcherDesired): Promise<WatcherFacts> {
  const kept = reader.longText(KEPT).then((text) => keptBackends(read(text, KEPT) ?? ""));
  const [program, replaced, config, install, reload, [effects, backends], record, haproxyUnit] =
    await Promise.all([
      lookAtProgram(reader, SYNAPSE, {
        units: [INSTALLER_UNIT, INSTALLER_PATH_UNIT],
        files: watcherFiles(desired, ""),
        clientPort: desired.clientPort,
      }),
      lookAtUnits(reader, desired.replaces),
      lookAtConfig(reader),
      reader.text(INSTALL_RESULT),
      reader.text(RELOAD_RESULT),
      lookUntilAtRest(
        reader,
        WATCHER_UNIT,
        (asking) => Promise.all([effectsOf(asking, desired), kept]),
        ([found, known]) => isAtRest(found, desired, known),
      ),
      readLoadedRecord(reader),
      propertiesOf(reader, HAPROXY_UNIT),
    ]);
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
  };
}

async function effectsOf(reader: Reader, { members, services }: WatcherDesired): Promise<Effects> {
  const paths = services.flatMap(({ path }) => path ?? []);
  const pattern = `^(?:${WAITING.map((name) => name.replaceAll(".", "\\.")).join("|")})$`;
  const [worker, registry, entries] = await Promise.all([
    lookAtWorker(reader),
    paths.length === 0 ? undefined : reader.registry(members, [...new Set(paths)]),
    reader.list(STATE_DIRECTORY, pattern),
  ]);
  const found = read(entries, STATE_DIRECTORY) ?? [];
  const names = new Set(found.filter(({ targetKind }) => targetKind !== "").map(({ name }) => name));
  return { worker, registry, waiting: WAITING.filter((name) => names.has(name)) };
}

/** Whether waiting would show nothing else, or cannot help. */
function isAtRest(
  { worker, registry, waiting }: Effects,
  desired: WatcherDesired,
  kept: WatcherFacts["kept"],
) {
  const facts = registryFacts(registry, desired);
  if (worker.info.is !== "value" || worker.table.is !== "value" || facts === undefined) return true;
  if ("unreachable" in facts) return true;
  if (waiting.length > 0) return false;
  const { servers } = worker.table.value;
  return desired.services.every((service) => {
    const wanted = wantedServers(service, desired, { registry: facts, kept });
    const inForce = serversInForce({ servers }, service.name).map(({ name }) => name);
    return service.path === undefined || wanted?.names.join("\n") === inForce.join("\n");
  });
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
      services.flatMap(({ name, path }) => {
        if (path === undefined) return [];
        const nodes = children.get(path);
        return [[name, nodes && new Map(nodes.map((node) => [node.name, node.data.toString()]))] as const];
      }),
    ),
  };
}
