import type { Layer, Reading } from "../../contract/reading.ts";
import { socketQuestion } from "../../evidence/by-hand.ts";
import { type Item, itemsOfSave, spelledOut } from "../../evidence/iptables.ts";
import type { HaproxyConfig } from "../../haproxy/config.ts";
import { panicOf } from "../../haproxy/panic-state.ts";
import { itemsOfListing, redirectsOf } from "../../haproxy/redirects.ts";
import { requestTo, WILDCARDS } from "../../haproxy/served.ts";
import { type Altered, alteredWords, connections } from "../../haproxy/server-state.ts";
import { ADMIN_SOCKET, type Bound, type ServiceSettings } from "../../haproxy/settings.ts";
import { closeContent } from "./closing.ts";
import type { HaproxyFacts } from "./facts.ts";
import { onDisk } from "./layers.ts";
import { holderOf } from "./listeners.ts";
import { UNIT } from "./paths.ts";
import { isAsLoaded, type Situation, stoppedFrontEnds } from "./situation.ts";

const LISTENING = "ss -ltn";
const TABLE = socketQuestion(ADMIN_SOCKET, "show stat");

/** A front end listens, nobody else takes its requests, and one request of this host's own gets through it. */
export function frontEndRow(situation: Situation, service: ServiceSettings): Reading {
  const { config, active } = situation;
  const { name, bind, port } = service;
  const found = inForce(situation, service);
  const away = redirected(situation, service);
  const warning = [found.warning, away.perhaps].filter((said) => said !== undefined).join("; ");
  const reading = {
    setting: `${name} front end`,
    want: `${bind}:${port}`,
    onDisk: onDisk(situation, config && bindIn(config, { kind: "frontend", name, at: `${bind}:${port}` })),
    ...found,
    ...(away.unread !== undefined && found.inForce.is === "read" && found.because === undefined
      ? { inForce: { is: "unreadable", ...away.unread } as const }
      : {}),
    warning: warning === "" ? undefined : warning,
    blocked:
      strangerWords(situation, service) ??
      away.surely ??
      alteredWords(altered(situation, service), ADMIN_SOCKET),
  };
  // A reload mends neither what keeps requests away nor what answers late.
  const isInPlace =
    reading.onDisk.is === "read" &&
    reading.onDisk.value === reading.want &&
    active &&
    isOurs(situation, service);
  return isInPlace && !stoppedFrontEnds(situation).includes(name)
    ? reading
    : closeContent(situation, reading);
}

/** How rules that send packets elsewhere are listed. */
const LISTINGS = [
  {
    of: "ruleset",
    itemsOf: listedItems,
    rules: "nftables",
    list: "nft list ruleset",
    show: "nft -a list ruleset",
  },
  { of: "iptables", itemsOf: itemsOfSave, rules: "iptables", list: "iptables-save", show: "iptables-save" },
] as const;

function listedItems(listing: string, { iptables }: HaproxyFacts): readonly Item[] | undefined {
  const items = itemsOfListing(listing);
  return items && iptables.is === "value" ? spelledOut(items, iptables.value) : items;
}

interface SentElsewhere {
  readonly surely?: string;
  readonly perhaps?: string;
  readonly unread?: { readonly source: string; readonly because: string };
}

/** Who sends a front end's connections elsewhere, in words. */
function redirected({ facts }: Situation, { bind, port }: ServiceSettings): SentElsewhere {
  const address = WILDCARDS[bind] ?? bind;
  const found = LISTINGS.map(({ of, itemsOf, rules, list, show }): SentElsewhere => {
    const answer = facts[of];
    if (answer.is === "absent") return {};
    if (answer.is === "unreadable") return { unread: { source: list, because: answer.because } };
    const items = itemsOf(answer.value, facts);
    if (items === undefined)
      return {
        perhaps: `a rule of ${rules} may send ${bind}:${port} elsewhere: ${list}`,
      };
    const [first] = redirectsOf(items, address, port).toSorted(
      (one, other) => Number(other.isSure) - Number(one.isSure),
    );
    if (first === undefined) return {};
    const said = `${first.place}, has a ${first.how} for port ${port}`;
    return first.isSure
      ? {
          surely: `${said}: requests of this host to ${bind}:${port} do not reach HAProxy. ${show} shows the rule`,
        }
      : { perhaps: `${said}, and HAProxy may not get all that is sent to ${bind}:${port}: ${list}` };
  });
  return Object.assign({}, ...found.toReversed());
}

/** An address that HAProxy is to listen on beside the first one of a service. */
export function boundRow(situation: Situation, bound: Bound): Reading {
  const { config, facts } = situation;
  const { address, port, at: want } = bound;
  const place = { bind: address, port };
  return {
    setting: bound.what,
    want,
    onDisk: onDisk(situation, config && bindIn(config, bound)),
    ...(facts.strangers.is === "unreadable"
      ? { inForce: { is: "unreadable", source: "ss -ltnp", because: facts.strangers.because } }
      : (heldByOthers(situation, place) ?? { inForce: { is: "read", value: want, source: LISTENING } })),
    blocked: strangerWords(situation, place),
  };
}

/** The address as the section has it; another of the same section where it does not. */
function bindIn(
  config: HaproxyConfig,
  { kind, name, at }: Pick<Bound, "kind" | "name" | "at">,
): { readonly value: string; readonly line: number } | undefined {
  const lines = config.sections
    .filter((section) => section.kind === kind && section.name === name)
    .flatMap((section) => section.lines)
    .flatMap(({ text, line }) => {
      const [word, list = ""] = text.split(" ");
      return word === "bind" ? list.split(",").map((value) => ({ value, line })) : [];
    });
  return lines.find(({ value }) => value === at) ?? lines[0];
}

function inForce(
  situation: Situation,
  service: ServiceSettings,
): Pick<Reading, "because" | "warning"> & { readonly inForce: Layer } {
  const { facts } = situation;
  const { name, bind, port } = service;
  const want = `${bind}:${port}`;
  if (facts.strangers.is === "unreadable")
    return { inForce: { is: "unreadable", source: "ss -ltnp", because: facts.strangers.because } };
  const { table, served, info } = facts;
  // Its socket may be open all the same: the master keeps it for the next worker.
  if (stoppedFrontEnds(situation).includes(name))
    return {
      inForce: { is: "absent", source: TABLE },
      because: `changed by hand: the worker has shut the front end ${name} down, and a reload brings it back`,
    };
  const held = heldByOthers(situation, service);
  if (held !== undefined) return held;
  if (table.is === "unreadable" && info.size > 0)
    return { inForce: { is: "unreadable", source: TABLE, because: table.because } };
  const request = requestTo(service);
  const how =
    request === undefined ? `a connection to ${want}` : `${request.method} ${request.path} of ${want}`;
  if (served.is !== "value")
    return {
      inForce:
        served.is === "absent"
          ? { is: "absent", source: how }
          : { is: "unreadable", source: how, because: served.because },
    };
  const result = served.value.get(name);
  switch (result?.is) {
    case "answered":
      return {
        inForce: { is: "read", value: want, source: `${LISTENING}; ${how}: status ${result.status}` },
        warning: answerWords(situation, service, result.status),
      };
    case "connected":
      return { inForce: { is: "read", value: want, source: `${LISTENING}; ${how}` } };
    case "failed":
      return {
        inForce: { is: "read", value: `no answer (${result.because})`, source: how },
        because:
          `HAProxy listens on ${want}, and ${how} fails on this host itself: ${result.because}. ` +
          "A packet filter or a routing rule may be in the way: nft list ruleset; ip rule",
      };
    default:
      return { inForce: { is: "unreadable", source: how, because: result?.because ?? "it was not asked" } };
  }
}

/** Where HAProxy does not listen there: who does, or nobody. */
function heldByOthers(
  situation: Situation,
  place: Pick<ServiceSettings, "bind" | "port">,
): (Pick<Reading, "because"> & { readonly inForce: Layer }) | undefined {
  const holder = holderOf(situation.host.listeners, place.bind, place.port);
  if (holder === undefined) return { inForce: { is: "absent", source: LISTENING } };
  if (situation.active && isOurs(situation, place)) return undefined;
  const listens = `${holder.address}:${place.port}`;
  return {
    inForce: { is: "read", value: `${listens} of ${holder.process || "unknown"}`, source: LISTENING },
    because: `${holder.process || "another process"} listens on ${listens}: stop it, or give the service another port`,
  };
}

function isOurs({ host }: Situation, { bind, port }: Pick<ServiceSettings, "bind" | "port">): boolean {
  return holderOf(host.listeners, bind, port)?.process === "haproxy";
}

/** Of an answer that no check of HAProxy's would take, although servers are up by just that. */
function answerWords(
  { facts: { table } }: Situation,
  service: ServiceSettings,
  status: number,
): string | undefined {
  if (status < 400 || table.is !== "value") return undefined;
  // It went to any of them, and a row of its own says so.
  if (service.panic && panicOf(table.value.servers, service.name, service.panic)) return undefined;
  const up = table.value.servers.filter(
    (server) => server.backend === service.name && server.status.startsWith("UP") && server.weight > 0,
  );
  const { method, path } = service.check!;
  return up.length === 0
    ? undefined
    : `${method} ${path} gets status ${status} through it, although ${up.length} of its servers are UP by that request`;
}

function strangerWords(
  { facts, active }: Situation,
  { bind, port }: Pick<ServiceSettings, "bind" | "port">,
): string | undefined {
  const strangers = facts.strangers.is === "value" ? facts.strangers.value : [];
  const stranger = strangers.find((listener) => holderOf([listener], bind, port));
  if (stranger === undefined) return undefined;
  const who = stranger.process === "haproxy" ? "a HAProxy" : stranger.process || "a program";
  return (
    `process ${stranger.pid}, ${who} that ${UNIT} did not start, takes requests on ${stranger.address}:${port}` +
    `${active ? " too" : ""}: stop it, or give the service another port`
  );
}

/** What somebody told the worker of a front end over its socket. */
function altered(situation: Situation, { name, frontend }: ServiceSettings): readonly Altered[] {
  const { facts, desired } = situation;
  const state =
    facts.table.is === "value" ? facts.table.value.frontEnds.find((each) => each.name === name) : undefined;
  if (state === undefined || !isAsLoaded(situation)) return [];
  if (state.status === "PAUSED")
    return [{ name: `front end ${name}`, how: "is disabled", undo: `enable frontend ${name}` }];
  const own = frontend.map((line) => /^maxconn (\d+)$/.exec(line)?.[1]).find((limit) => limit !== undefined);
  const maxconn = own === undefined ? desired.parameters.maxconn : Number(own);
  if (state.limit === maxconn || state.status === "STOP") return [];
  const how = `takes ${connections(state.limit)} at most`;
  return [{ name: `front end ${name}`, how, undo: `set maxconn frontend ${name} ${maxconn}` }];
}
