import type { HaproxyConfig } from "../haproxy/config.ts";
import { compareProblems } from "./effect.ts";
import type { Registrar } from "./found.ts";
import { type GivenFile, kindOf } from "./given-file.ts";
import { haproxyPart } from "./haproxy-part.ts";
import type { Living } from "./living.ts";
import { livingPlaces } from "./living-places.ts";
import { placesOf } from "./places.ts";
import { proxiesOf } from "./proxies.ts";
import { type Entry, entryOf, type LeftOut } from "./service.ts";
import type { SynapseFile } from "./synapse.ts";
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
  let haproxy: Entry = {};
  /** The first of several hosts' files, which says what holds for all. */
  let proxied: string | undefined;
  const usual = new Set<string>();
  const say = (path: string, leftOut: readonly LeftOut[]) =>
    notes.push(...leftOut.map(({ what, because }) => `${path}: ${what}: no place, ${because}`));
  for (const file of files) {
    const found = kindOf(file);
    if (found.is === "nerve") {
      nerves.push({ ...found.file, host: file.host });
      members.push(...found.file.members);
      say(file.path, found.file.leftOut);
      continue;
    }
    const config: HaproxyConfig = found.is === "haproxy" ? found.config : found.file.config;
    const synapse: SynapseFile | undefined = found.is === "synapse" ? found.file : undefined;
    members.push(...(synapse?.members ?? []));
    say(file.path, synapse?.leftOut ?? []);
    const part = haproxyPart(config);
    if (proxied !== undefined && JSON.stringify(part.parameters) !== JSON.stringify(haproxy))
      notes.push(`${file.path}: what it says for all is not what ${proxied} says, which is taken`);
    else haproxy = { ...haproxy, ...part.parameters };
    if (file.host !== undefined) proxied ??= file.path;
    say(file.path, part.leftOut);
    for (const line of part.added) usual.add(`global: with "${line}"`);
    const { proxies, alone } = proxiesOf(config);
    for (const name of alone)
      say(file.path, [
        {
          what: `backend ${name}`,
          because: "no front end has it by default: a service is one front end with one back end",
        },
      ]);
    for (const proxy of proxies) {
      if (proxy.servers.length === 0 && !synapse?.paths.has(proxy.name)) continue;
      const { entry, leftOut } = entryOf(proxy, part);
      const path = synapse?.paths.get(proxy.name);
      if (
        entry === undefined ||
        !/^[A-Za-z0-9][\w.-]*$/.test(proxy.name) ||
        (entry.servers === undefined && path === undefined)
      ) {
        const reason = leftOut[0] ?? {
          what: proxy.name,
          because: "its name or its servers are none of meshctl's",
        };
        say(file.path, [{ what: `service ${proxy.name} (${reason.what})`, because: reason.because }]);
        continue;
      }
      const whole = path === undefined ? entry : { path, ...synapse!.discovered.get(proxy.name), ...entry };
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
  const found = { notes, services, haproxy, nerves, members: [...new Set(members)], usual: [...usual] };
  return written(living === undefined ? placesOf(found) : livingPlaces(found, living));
}

/** What meshctl gives services anyway: told once, not at each. */
const USUAL =
  /^(front|back) end: with "(log global|option (httplog|tcplog|dontlognull|redispatch|clitcpka|srvtcpka)|cookie meshctl-probe|ignore-persist .*)"$/;
