import type { HaproxyConfig } from "../haproxy/config.ts";
import { serviceEntry } from "../inventory/schema.ts";
import { compareProblems } from "./effect.ts";
import type { Registrar } from "./found.ts";
import { type GivenFile, kindOf } from "./given-file.ts";
import { haproxyPart } from "./haproxy-part.ts";
import type { Living } from "./living.ts";
import { livingPlaces } from "./living-places.ts";
import { mayBeOne } from "./members.ts";
import { placesOf } from "./places.ts";
import { proxiesOf } from "./proxies.ts";
import { type Entry, entryOf, type LeftOut } from "./service.ts";
import type { SynapseFile } from "./synapse.ts";
import { takenOf } from "./taken.ts";
import { written } from "./written.ts";

/**
 * A commented inventory of what the files hold: what was taken, what has no place and why, what it would change. Pure; no
 * file is silently another one. Throws SyntaxError where one that looks like JSON is none.
 */
export function imported(files: readonly GivenFile[], living?: Living): string {
  const notes: string[] = [];
  const services = new Map<string, { entry: Entry; notes: string[] }>();
  const nerves: Registrar[] = [];
  const members: string[] = [];
  const join = (path: string, more: readonly string[]) => {
    if (!mayBeOne(members, more))
      notes.push(
        `${path}: its ZooKeeper ${more.join(", ")}: no place, the files before have ${members.join(", ")}, and a mesh has one ensemble: all are its members here`,
      );
    members.push(...more);
  };
  let haproxy: Entry = {};
  /** The first of Synapse's that does not go by Nerve's weights. */
  let unweighed: string | undefined;
  /** The first of several hosts' files, which says what holds for all. */
  let proxied: string | undefined;
  const usual = new Set<string>();
  const say = (path: string, leftOut: readonly LeftOut[]) =>
    notes.push(...leftOut.map(({ what, because }) => `${path}: ${what}: no place, ${because}`));
  for (const file of files) {
    const found = kindOf(file);
    if (found.is === "nerve") {
      nerves.push({ ...found.file, host: file.host });
      join(file.path, found.file.members);
      say(file.path, found.file.leftOut);
      continue;
    }
    const config: HaproxyConfig = found.is === "haproxy" ? found.config : found.file.config;
    const synapse: SynapseFile | undefined = found.is === "synapse" ? found.file : undefined;
    join(file.path, synapse?.members ?? []);
    if (synapse?.weighs === false) unweighed ??= file.path;
    say(file.path, found.is === "haproxy" ? found.leftOut : found.file.leftOut);
    const part = haproxyPart(config);
    if (proxied !== undefined && JSON.stringify(part.parameters) !== JSON.stringify(haproxy))
      notes.push(
        `${file.path}: its settings for all services differ from those of ${proxied}, which are taken`,
      );
    else haproxy = { ...haproxy, ...part.parameters };
    if (file.host !== undefined) proxied ??= file.path;
    say(file.path, part.leftOut);
    for (const line of part.added) usual.add(`global: with "${line}"`);
    const { proxies, alone, headless } = proxiesOf(config);
    for (const [name, because] of headless) say(file.path, [{ what: `front end ${name}`, because }]);
    for (const name of alone)
      say(file.path, [
        {
          what: `backend ${name}`,
          because: "no front end has it by default: a service is one front end with one back end",
        },
      ]);
    for (const proxy of proxies) {
      if (proxy.servers.length === 0 && !synapse?.discovered.has(proxy.name)) {
        const other = proxy.backend.find((line) =>
          /^(server-template|dispatch|option transparent)\b/.test(line),
        );
        const because = "a service has servers, or a path in ZooKeeper or names in DNS that tell them";
        say(file.path, [{ what: `service ${proxy.name} (${other ?? "no server"})`, because }]);
        continue;
      }
      const discovered = synapse?.discovered.get(proxy.name);
      const made = entryOf(proxy, part);
      const { entry, refused } =
        made.entry === undefined ? { ...made, refused: [] } : fitting(made.entry, discovered ?? {});
      const leftOut = [...made.leftOut, ...refused];
      if (
        entry === undefined ||
        !/^[A-Za-z0-9][\w.-]*$/.test(proxy.name) ||
        (entry.servers === undefined && discovered === undefined)
      ) {
        // What cost it its place, before what else of it has none.
        const reason = refused.find(({ what }) => ESSENTIAL.includes(what.split(/[ .]/)[0]!)) ??
          made.leftOut.at(-1) ?? {
            what: proxy.name,
            because: "its name or its servers are none of meshctl's",
          };
        const { backendName } = proxy;
        const back = backendName === proxy.name ? "" : ` with back end ${backendName}`;
        say(file.path, [{ what: `service ${proxy.name}${back} (${reason.what})`, because: reason.because }]);
        continue;
      }
      const whole = { ...discovered, ...entry };
      const known = services.get(proxy.name);
      if (known !== undefined) {
        // Each proxy has a file of its own that says the same.
        if (file.host !== undefined && JSON.stringify(known.entry) === JSON.stringify(whole)) continue;
        say(file.path, [
          {
            what: `service ${proxy.name}`,
            because: `${file.host === undefined ? "another file has" : "another host's file says otherwise, and had"} one of that name`,
          },
        ]);
        continue;
      }
      services.set(proxy.name, {
        entry: whole,
        notes: [
          ...leftOut.map(({ what, because }) => `no place: ${what}: ${because}`),
          ...compareProblems(proxy, proxy.name, whole, part.parameters).flatMap((each) => {
            if (!USUAL.test(each)) return [`changes: ${each}`];
            usual.add(each);
            return [];
          }),
        ],
      });
    }
  }
  if (unweighed !== undefined && nerves.some(({ weighs }) => weighs))
    notes.push(
      `${unweighed}: without use_nerve_weights: no place, the weights that Nerve registers count here`,
    );
  const found = { notes, services, haproxy, nerves, members: [...new Set(members)], usual: [...usual] };
  return written(living === undefined ? placesOf(found) : livingPlaces(found, living));
}

/** What a service is without which it would be another one. */
const ESSENTIAL = ["port", "bind", "bind_options", "mode", "servers", "check", "path", "dns"];

/** What the inventory takes of an entry; undefined where it takes none of what makes the service. */
function fitting(entry: Entry, more: Entry) {
  const { taken, refused: sentences } = takenOf(serviceEntry, { ...more, ...entry });
  const refused = sentences.map((what): LeftOut => ({ what, because: "it has no place in an inventory" }));
  if (taken === undefined || ESSENTIAL.some((key) => !(key in taken) && (key in entry || key in more)))
    return { entry: undefined, refused };
  for (const key of Object.keys(more)) delete taken[key];
  return { entry: taken, refused };
}

/** What meshctl gives services anyway: told once, not at each. */
const USUAL =
  /^(front|back) end: with "(log global|option (httplog|tcplog|dontlognull|redispatch|clitcpka|srvtcpka)|cookie meshctl-probe|ignore-persist .*)"$/;
