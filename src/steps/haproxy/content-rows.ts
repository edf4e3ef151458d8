import type { Layer, Reading } from "../../contract/reading.ts";
import { socketQuestion } from "../../evidence/by-hand.ts";
import {
  type ConfigDifference,
  type ConfiguredServer,
  defaultOptions,
  directiveOf,
  type HaproxyConfig,
  meansTheSame,
  serverHostNames,
  serversOf,
} from "../../haproxy/config.ts";
import { whyUnread } from "../../haproxy/config-file.ts";
import { LOADED_RECORD, startedWith } from "../../haproxy/loaded.ts";
import { maxconnWithin } from "../../haproxy/open-files.ts";
import { panicAltered, panicOf, panicWords } from "../../haproxy/panic-state.ts";
import { type Altered, alteredWords, serversAltered } from "../../haproxy/server-state.ts";
import { ADMIN_SOCKET, boundAddresses, type ServiceSettings } from "../../haproxy/settings.ts";
import { isSameIp, parseIp } from "../../ip.ts";
import { counted } from "../../quantity-text.ts";
import { mapAnswer } from "../../reader/answer.ts";
import { CONFIGURATION, closeContent } from "./closing.ts";
import { livingProcesses } from "./facts.ts";
import { boundRow, frontEndRow } from "./front-end-row.ts";
import { infoSource } from "./info-source.ts";
import { fromWorker, onDisk, unreadConfig } from "./layers.ts";
import { limitsAltered } from "./limits-altered.ts";
import { CONFIG, UNIT } from "./paths.ts";
import { lastReload } from "./reload-row.ts";
import { isAsLoaded, loadedDifferences, type ReadConfig, type Situation } from "./situation.ts";
import { startRow } from "./start-row.ts";

const TABLE = socketQuestion(ADMIN_SOCKET, "show stat");
const NOTHING: HaproxyConfig = { sections: [] };

/** When the record was written. A signal sent by hand makes HAProxy read its file, too, and nobody keeps that. */
const SINCE = "as it was at its start or at the last systemctl reload";
const RECORD = `${LOADED_RECORD} (${SINCE})`;

/** What haproxy.cfg holds, and which of it the worker has. */
export function contentRows(situation: Situation): readonly Reading[] {
  const rows = [
    settings(situation),
    adminSocket(situation),
    maxconn(situation),
    ...["connect", "client", "server"].map((side) => directive(situation, `timeout ${side}`)),
    directive(situation, "retries"),
    directive(situation, "option redispatch"),
    ...furtherLines(situation),
  ];
  const close = (reading: Reading) => closeContent(situation, reading);
  return [
    writer(situation),
    startRow(situation),
    ...lastReload(situation),
    ...namesOfServers(situation),
    ...rows.map(close),
    ...situation.desired.settings.services.flatMap((service) => [
      frontEndRow(situation, service),
      ...serviceRows(situation, service).map(close),
    ]),
  ];
}

/** Whose file it is; without a watcher also that it is ours to the byte. */
function writer(situation: Situation): Reading {
  const { desired, facts, configFile, digest, foreign, toAdopt } = situation;
  // Whether it is the watcher's only its text tells.
  const unread = desired.watched ? whyUnread(facts.config) : facts.config.because;
  const want = desired.watched ? "the watcher's" : "meshctl's";
  const found = {
    absent: undefined,
    ours: "an older one of meshctl's",
    edited: "meshctl's, edited",
    default: "the package's default",
    foreign: "somebody else's",
  }[configFile.ownership];
  const adopted = configFile.ownership === "ours" && digest.onDisk === "" ? "not meshctl's, adopted" : found;
  const isWanted = desired.watched ? digest.onDisk !== "" : configFile.agrees;
  const value = isWanted ? want : adopted;
  const reading: Reading = {
    setting: "haproxy.cfg",
    want,
    onDisk:
      unread !== undefined
        ? { is: "unreadable", source: CONFIG, because: unread }
        : value === undefined
          ? { is: "absent", source: CONFIG }
          : { is: "read", value, source: CONFIG },
    inForce: { is: "inapplicable" },
    blocked: foreign,
    warning: unresolvedWords(situation),
    closedBy: desired.watched && !toAdopt ? { step: "watcher" } : { change: CONFIGURATION },
  };
  // A watcher's file differs in every byte and is as wanted; only what would be lost is worth showing.
  const showsDiff = !desired.watched || foreign !== undefined || toAdopt;
  return showsDiff && unread === undefined ? { ...reading, diff: configFile.diff } : reading;
}

/** HAProxy looks names up once, when it starts, and does not start without one of them. */
function unresolvedWords({ facts: { names }, config }: Situation): string | undefined {
  if (names.is !== "value" || config === undefined) return undefined;
  const lost = serverHostNames(config).flatMap((name) => {
    const why = names.value.get(name);
    return why ? [[name, why] as const] : [];
  });
  if (lost.length === 0) return undefined;
  const words = lost.slice(0, 3).map(([name, why]) => {
    const { backend, server, line } = serverAt(config, name)!;
    return `${name} of ${backend}/${server} (${CONFIG}:${line}): ${why}`;
  });
  const more = lost.length > 3 ? ` and ${lost.length - 3} more` : "";
  return (
    `the next start of HAProxy is refused, for names of servers do not resolve on this host: ${words.join(", ")}${more}. ` +
    "Mend the name service, or what is registered"
  );
}

/** Servers with names go where those led when HAProxy looked them up. Nothing where no server has one. */
function namesOfServers(situation: Situation): readonly Reading[] {
  const { config, facts, active } = situation;
  if (config === undefined || !active || serverHostNames(config).length === 0) return [];
  const { table, leadTo } = facts;
  const want = "sent where they lead";
  const row = { setting: "names of servers", want, onDisk: { is: "inapplicable" } } as const;
  if (table.is !== "value")
    return [
      table.is === "absent"
        ? { ...row, inForce: { is: "absent", source: TABLE } }
        : { ...row, inForce: { is: "unreadable", source: TABLE, because: table.because } },
    ];
  const { names } = facts;
  if (names.is !== "value") {
    const because = names.is === "unreadable" ? names.because : "it was not asked";
    return [{ ...row, inForce: { is: "unreadable", source: "getent ahosts", because } }];
  }
  const started = workersConfig(situation);
  const written = backendsOf(config);
  const inWorker = started && backendsOf(started);
  const elsewhere = table.value.servers.flatMap(({ backend, name, status, address }) => {
    const server = written(backend).servers.get(name);
    const loaded = inWorker?.(backend).servers.get(name);
    // Of a file that is not loaded yet the rows of its service tell, and a reload closes them.
    if (started !== undefined && loaded?.host !== server?.host) return [];
    const known = server && leadTo.get(server.host);
    // Where HAProxy follows the name by itself, or sends nothing, there is nothing to tell.
    if (known === undefined || address === undefined || status.startsWith("MAINT")) return [];
    if (/(?:^| )resolvers /.test(`${written(backend).usual} ${server!.options}`)) return [];
    const ip = address.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
    if (parseIp(ip) === undefined) return [];
    // Of several in /etc/hosts HAProxy takes the first; name servers tell them in turns.
    const ofKind = known.addresses.filter((each) => each.includes(":") === ip.includes(":"));
    const taken = known.hosts === "" ? known.addresses : ofKind.slice(0, 1);
    if (taken.some((each) => isSameIp(each, ip))) return [];
    return [
      {
        words: `${backend}/${name} is sent to ${ip}, and ${server!.host} leads to ${known.addresses.join(", ")}`,
        hosts: known.hosts,
      },
    ];
  });
  if (elsewhere.length === 0) return [{ ...row, inForce: { is: "read", value: want, source: TABLE } }];
  const more = elsewhere.length > 3 ? ` and ${elsewhere.length - 3} more` : "";
  const told = elsewhere
    .slice(0, 3)
    .map(({ words, hosts }) => (hosts === "" ? words : `${words} (${hosts})`));
  const said = `${told.join("; ")}${more}: systemctl reload haproxy if that is right`;
  // Name servers may tell a few of many addresses each time.
  return elsewhere.every(({ hosts }) => hosts === "")
    ? [
        {
          ...row,
          inForce: { is: "read", value: want, source: TABLE },
          warning: `${said}, unless they take turns`,
        },
      ]
    : [
        {
          ...row,
          inForce: { is: "read", value: `${counted(elsewhere.length, "server")} elsewhere`, source: TABLE },
          blocked: `${said}, and mend ${HOSTS_FILE} if not`,
        },
      ];
}

const HOSTS_FILE = "/etc/hosts";

/** Servers of a back end by name, and what its `default-server` says; each back end is read once. */
function backendsOf(config: HaproxyConfig) {
  const known = new Map<
    string,
    { readonly servers: ReadonlyMap<string, ConfiguredServer>; readonly usual: string }
  >();
  return (backend: string) => {
    const found = known.get(backend) ?? {
      servers: new Map(serversOf(config, backend).map((server) => [server.name, server])),
      usual: defaultOptions(config, backend),
    };
    known.set(backend, found);
    return found;
  };
}

/** The first server with that host. */
function serverAt(config: HaproxyConfig, host: string) {
  for (const { kind, name: backend } of config.sections) {
    const found = kind === "backend" && serversOf(config, backend).find((server) => server.host === host);
    if (found) return { backend, server: found.name, line: found.line };
  }
  return undefined;
}

/** The whole configuration by its digest: the worker names the one that it was started with. */
function settings(situation: Situation): Reading {
  const { config, differences, digest, facts, loaded } = situation;
  const loadedOtherwise = loadedDifferences(situation);
  const onDisk: Layer =
    config === undefined
      ? unreadConfig(situation)
      : {
          is: "read",
          value:
            differences.length > 0 ? `${counted(differences.length, "difference")}` : short(digest.onDisk),
          source: differences.length > 0 ? place(CONFIG, differences[0]!) : CONFIG,
        };
  return {
    setting: "settings",
    want: short(digest.want),
    onDisk,
    inForce: fromWorker(situation, () => {
      const info = infoSource(facts);
      if (digest.inForce !== digest.want)
        return { is: "read", value: short(digest.inForce), source: `${info} (its description)` };
      if (loaded.is !== "value") return { ...loaded, source: RECORD };
      return loadedOtherwise.length > 0
        ? {
            is: "read",
            value: counted(loadedOtherwise.length, "difference"),
            source: place(LOADED_RECORD, loadedOtherwise[0]!),
          }
        : {
            is: "read",
            value: short(digest.inForce),
            source: `${info} (its description, and ${LOADED_RECORD} ${SINCE})`,
          };
    }),
    because:
      differences.length > 0
        ? `${CONFIG} differs: ${sayDifferences(differences)}`
        : loadedOtherwise.length > 0 && digest.inForce === digest.want
          ? `the worker was loaded with another haproxy.cfg: ${sayDifferences(loadedOtherwise)}`
          : undefined,
    blocked: otherWorker(situation),
  };
}

/** Whoever binds the socket last is the one that answers, also when the service did not start it. */
function otherWorker({ facts, active }: Situation): string | undefined {
  const { processes, info, infoFrom } = facts;
  const pid = info.get("pid");
  if (!active || processes.is !== "value" || pid === undefined || infoFrom !== ADMIN_SOCKET) return undefined;
  if (livingProcesses(facts).includes(Number(pid))) return undefined;
  return `process ${pid} answers on ${ADMIN_SOCKET} and is no worker of ${UNIT}: stop it`;
}

function short(digest: string): string {
  return digest === "" ? "no digest" : `meshctl-${digest.slice(0, 12)}`;
}

function place(path: string, { line }: ConfigDifference): string {
  return line === undefined ? path : `${path}:${line}`;
}

function sayDifferences(differences: readonly ConfigDifference[]): string {
  return differences.slice(0, 3).map(sayDifference).join("; ") + (differences.length > 3 ? " …" : "");
}

function sayDifference({ setting, want, found }: ConfigDifference): string {
  if (found === undefined) return `${setting} is missing`;
  return want === "" ? `${setting} is too much` : `${setting}: "${found}" where "${want}" is wanted`;
}

/** What haproxy.cfg says of a setting that HAProxy cannot be asked for, and what the worker was loaded with. */
function layers(
  situation: Situation,
  read: (of: ReadConfig) => Layer,
): { readonly onDisk: Layer; readonly inForce: Layer } {
  const { config, differences, digest, facts, loaded } = situation;
  return {
    onDisk: config === undefined ? unreadConfig(situation) : read({ path: CONFIG, config, differences }),
    inForce: fromWorker(situation, () => {
      if (loaded.is === "unreadable") return { ...loaded, source: RECORD };
      if (loaded.is === "value") {
        const layer = read(loaded.value);
        return layer.is === "read"
          ? { ...layer, is: "inferred", source: `${layer.source} (${SINCE})` }
          : layer;
      }
      if (digest.inForce === digest.want) return { is: "absent", source: RECORD };
      const source = `${infoSource(facts)} (its description)`;
      return { is: "inferred", value: "another configuration", source };
    }),
  };
}

function adminSocket(situation: Situation): Reading {
  const { config, facts } = situation;
  const { socket } = facts;
  const line = config && directiveOf(config, "global", "", "stats socket");
  return {
    setting: "admin socket",
    want: ADMIN_SOCKET,
    onDisk: onDisk(situation, line && { ...line, value: line.value.split(" ")[0]! }),
    inForce: !situation.active
      ? { is: "absent", source: UNIT }
      : socket.is === "answered"
        ? { is: "read", value: ADMIN_SOCKET, source: infoSource(facts) }
        : socket.is === "lost"
          ? { is: "absent", source: `${ADMIN_SOCKET}: ${socket.because}` }
          : { is: "unreadable", source: ADMIN_SOCKET, because: socket.because },
  };
}

/** HAProxy before 2.3 serves on with too few open files, and shows the maxconn that it cannot have all the same. */
function maxconn(situation: Situation): Reading {
  const { config, facts, desired, host, openFilesNeeded } = situation;
  const want = String(desired.parameters.maxconn);
  const shown = facts.info.get("maxconn");
  const worker = facts.worker.is === "value" ? facts.worker.value : undefined;
  const isShort = worker !== undefined && worker.hardOpenFiles < openFilesNeeded;
  const found =
    shown === undefined || !isShort
      ? shown
      : String(Math.min(Number(shown), maxconnWithin(worker.hardOpenFiles, host.cpus)));
  const source = isShort ? `${infoSource(facts)}; cat /proc/${worker.pid}/limits` : infoSource(facts);
  return {
    setting: "maxconn",
    want,
    onDisk: onDisk(situation, config && directiveOf(config, "global", "", "maxconn")),
    inForce: fromWorker(situation, () =>
      found === undefined ? { is: "absent", source } : { is: "read", value: found, source },
    ),
    // The right configuration and yet another value: it lacks open files.
    cause: isAsLoaded(situation) && Number(found) < Number(want) ? "clamped" : undefined,
    blocked: alteredWords(limitsAltered(situation), ADMIN_SOCKET),
  };
}

/** One line of `defaults`. */
function directive(situation: Situation, name: string): Reading {
  const { desired } = situation;
  const line = desired.settings.defaults.find((wanted) => wanted === name || wanted.startsWith(`${name} `))!;
  const want = line.slice(name.length + 1) || "on";
  return {
    setting: name.replace(/^option /, ""),
    want,
    ...layers(situation, ({ path, config }) => {
      const found = directiveOf(config, "defaults", "", name);
      return found === undefined
        ? { is: "absent", source: path }
        : { is: "read", value: found.value || "on", source: `${path}:${found.line}` };
    }),
    accepts: (value) => meansTheSame(`${name} ${value}`, `${name} ${want}`),
  };
}

/** What the parameters say beside what every host has: lines of `global` and `defaults`, sections of their own. */
function furtherLines(situation: Situation): readonly Reading[] {
  const { parameters, settings } = situation.desired;
  return [
    ...(["global", "defaults"] as const).flatMap((kind) =>
      linesRow(situation, `further lines of ${kind}`, kind, parameters[kind]),
    ),
    ...settings.sections.flatMap(({ title, lines }) => linesRow(situation, title, title, lines)),
    ...boundAddresses(settings)
      .filter(({ kind, name }) => settings.sections.some(({ title }) => title === `${kind} ${name}`))
      .map((bound) => boundRow(situation, bound)),
  ];
}

/** Lines of one section, all of them wanted. Nothing where none is. */
function linesRow(
  situation: Situation,
  setting: string,
  title: string,
  lines: readonly string[],
): readonly Reading[] {
  if (lines.length === 0) return [];
  const want = lines.join(", ");
  const layerOf = ({ path, differences }: ReadConfig): Layer => {
    const wrong = differences.filter(
      (each) =>
        each.setting === title ||
        (each.setting.startsWith(`${title} `) && (lines.includes(each.want) || each.want === "")),
    );
    if (wrong[0] === undefined) return { is: "read", value: want, source: path };
    if (wrong[0].setting === title) return { is: "absent", source: path };
    const found = wrong.map((each) => each.found ?? `no ${each.setting.slice(title.length + 1)}`);
    return { is: "read", value: found.join(", "), source: place(path, wrong[0]) };
  };
  return [{ setting, want, ...layers(situation, layerOf) }];
}

/** Lines of a front end that every one of its mode has. */
const USUAL = /^(mode \w+|option tcplog)$/;

/** All but the first address of its front end. */
function serviceRows(situation: Situation, service: ServiceSettings): readonly Reading[] {
  const rules = service.panic?.rules ?? [];
  const own = service.frontend.filter((line) => !USUAL.test(line) && !rules.includes(line));
  return [
    ...boundAddresses(situation.desired.settings)
      .filter(({ kind, name }) => kind === "frontend" && name === service.name)
      .slice(1)
      .map((bound) => boundRow(situation, bound)),
    ...linesRow(situation, `${service.name} front end's lines`, `frontend ${service.name}`, own),
    backEnd(situation, service),
    ...panicRow(situation, service),
    ...(service.discovered ? [] : [servers(situation, service)]),
  ];
}

/** How requests are shared out and servers checked. */
function backEnd(situation: Situation, service: ServiceSettings): Reading {
  const title = `backend ${service.name}`;
  const want = [...service.backend, service.serverOptions].join(", ");
  const layerOf = ({ path, differences }: ReadConfig): Layer => {
    const wrong = differences.filter(
      ({ setting, want: wanted }) =>
        setting === title ||
        (setting.startsWith(`${title} `) &&
          (!setting.startsWith(`${title} server `) || wanted === service.serverOptions)),
    );
    if (wrong[0] === undefined) return { is: "read", value: want, source: path };
    if (wrong[0].setting === title) return { is: "absent", source: path };
    const found = wrong.map((each) => each.found ?? `no ${each.setting.slice(title.length + 1)}`);
    return { is: "read", value: found.join(", "), source: place(path, wrong[0]) };
  };
  return { setting: `${service.name} back end`, want, ...layers(situation, layerOf) };
}

/** Below which share of its servers requests go to all of them: the rules, and the second back end as it serves. */
function panicRow(situation: Situation, { name, panic, discovered }: ServiceSettings): readonly Reading[] {
  if (panic === undefined) return [];
  const { config, facts } = situation;
  const want = `${panic.percent}%`;
  const layerOf = ({ path, config: of, differences }: ReadConfig): Layer => {
    const title = `backend ${panic.name}`;
    const wrong = differences.filter(
      ({ setting, want: wanted, found }) =>
        setting === title ||
        setting.startsWith(`${title} `) ||
        (setting === `frontend ${name} use_backend` &&
          (panic.rules.includes(wanted) || found?.split(" ")[1] === panic.name)),
    );
    const found = of.sections.find((section) => section.kind === "backend" && section.name === panic.name);
    if (found === undefined) return { is: "absent", source: `${path}: no back end ${panic.name}` };
    if (wrong[0] === undefined) return { is: "read", value: want, source: `${path}:${found.line}` };
    return { is: "read", value: sayDifferences(wrong), source: place(path, wrong[0]) };
  };
  const table = facts.table.is === "value" ? facts.table.value.servers : [];
  const started = workersConfig(situation);
  const altered = panicAltered(table, { started, onDisk: config }, name, panic, discovered);
  const { onDisk, inForce } = layers(situation, layerOf);
  return [
    {
      setting: `${name} panic threshold`,
      want,
      onDisk,
      inForce: asAltered(facts, altered, inForce, () => `${want} of other servers`),
      warning: panicWords(panicOf(table, name, panic), panic),
      blocked: alteredWords(altered, ADMIN_SOCKET),
    },
  ];
}

/** What the worker does with servers: `loaded`, or `value` where somebody told it otherwise over its socket. */
function asAltered(
  { table, info }: Situation["facts"],
  altered: readonly Altered[],
  loaded: Layer,
  value: () => string,
): Layer {
  if (table.is === "unreadable" && info.size > 0)
    return { is: "unreadable", source: TABLE, because: table.because };
  return altered.length === 0 ? loaded : { is: "read", value: value(), source: TABLE };
}

/** The servers that the inventory lists. Those of a registry are the watcher's to prove. */
function servers(situation: Situation, service: ServiceSettings): Reading {
  const { config, facts } = situation;
  const serving = (of: HaproxyConfig) => serversOf(of, service.name).filter(({ disabled }) => !disabled);
  const { onDisk, inForce } = layers(situation, ({ path, config }) => {
    const found = serving(config);
    const line = found[0]?.line;
    return { is: "read", value: listed(found), source: line === undefined ? path : `${path}:${line}` };
  });
  const table = facts.table.is === "value" ? facts.table.value.servers : [];
  const altered = serversAltered(table, workersConfig(situation), service.name, false);
  const kept = serving(config ?? NOTHING).filter(({ name }) => altered.every((each) => each.name !== name));
  return {
    setting: `${service.name} servers`,
    want: listed(service.servers),
    onDisk,
    inForce: asAltered(facts, altered, inForce, () => listed(kept, altered)),
    // HAProxy would forget it with its next reload, and the clients of then would meet what somebody took away.
    blocked: alteredWords(altered, ADMIN_SOCKET),
  };
}

/** What the worker that tells its servers was started with; undefined where that is not known. */
function workersConfig({ facts: { table, info }, loaded, config }: Situation): HaproxyConfig | undefined {
  const record = mapAnswer(loaded, (of) => of.config);
  return table.is === "value" ? startedWith(record, config, info.get("description")) : undefined;
}

function listed(
  servers: readonly { readonly host: string; readonly port: number }[],
  altered: readonly Altered[] = [],
): string {
  return (
    [...servers.map(({ host, port }) => `${host}:${port}`), ...altered.flatMap(({ added }) => added ?? [])]
      .sort()
      .join(", ") || "none"
  );
}
