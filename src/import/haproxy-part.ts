import {
  type ConfigSection,
  defaultLines,
  directiveIn,
  type HaproxyConfig,
  meaningOf,
} from "../haproxy/config.ts";
import { haproxyParameters } from "../haproxy/parameters.ts";
import { linesOf, sectionLines } from "../haproxy-lines.ts";
import { writtenDuration } from "../quantity-text.ts";
import { numberOr } from "./number-or.ts";
import { effective, isBeside, isFrontLine } from "./proxies.ts";
import type { Common, Entry, LeftOut } from "./service.ts";
import { reasonIn, takenOf } from "./taken.ts";

export interface HaproxyPart {
  /** Of the haproxy step. */
  readonly parameters: Entry;
  /** Lines of `haproxy.defaults`, which services need not say. */
  readonly defaults: readonly string[];
  readonly common: Common;
  readonly maxconn: number;
  readonly leftOut: readonly LeftOut[];
  /** Lines of `global` that meshctl has always and the file has not. */
  readonly added: readonly string[];
}

/** Lines that meshctl writes anyway, and `daemon`, which means nothing under systemd. */
const OURS =
  /^(log global|option (httplog|tcplog|dontlognull|redispatch)|user haproxy|group haproxy|chroot \/var\/lib\/haproxy|log \/dev\/log local0|stats timeout 30s|daemon|stats socket \/run\/haproxy\/admin\.sock .*)$/;
const ALWAYS = [
  "user haproxy",
  "group haproxy",
  "chroot /var/lib/haproxy",
  "log /dev/log local0",
  "stats socket /run/haproxy/admin.sock mode 660 level admin group haproxy",
  "stats timeout 30s",
];

/** Said by each service, so that it may stand above it. */
const BY_SERVICE = /^(mode|balance|retries|maxconn|timeout (connect|client|server|queue|tunnel))\b/;

/** What a configuration says for all: `global`, `defaults`, sections beside the services. */
export function haproxyPart(config: HaproxyConfig): HaproxyPart {
  const { sections } = config;
  const leftOut: LeftOut[] = [];
  const parameters: Entry = {};
  const several = sections.filter(({ kind }) => kind === "defaults").length > 1;
  const taken = { global: [] as string[], defaults: [] as string[] };
  let maxconn = 50_000;
  const timeouts: Record<string, number> = {};
  for (const { kind, lines } of sections) {
    if (kind !== "global" && kind !== "defaults") continue;
    for (const { text } of lines) {
      const line = meaningOf(text);
      const [, value = ""] = line.split(" ");
      // Of default-server each server's own options are made.
      if (OURS.test(line) || (kind === "defaults" && text.startsWith("default-server "))) continue;
      if (kind === "defaults" && !several && directiveIn(line) === "retry-on") {
        parameters.retry_on = line.split(" ").slice(1);
      } else if (kind === "global" && directiveIn(line) === "maxconn") {
        parameters.maxconn = numberOr(value);
        if (typeof parameters.maxconn === "number") maxconn = parameters.maxconn;
      } else if (kind === "global" && /^hard-stop-after \d+$/.test(line)) {
        parameters.hard_stop_after = writtenDuration(Number(value));
      } else if (kind === "defaults" && BY_SERVICE.test(line)) {
        const [, side, time] = /^timeout (connect|client|server) (\d+)$/.exec(line) ?? [];
        if (side !== undefined && !several) timeouts[side] = Number(time);
      } else if (kind === "defaults" && several) {
        // Each service says for itself what its own `defaults` say.
      } else {
        const read = linesOf(kind).safeParse([text]);
        if (read.success) taken[kind].push(...read.data);
        else
          leftOut.push({
            what: `${kind}: ${text}`,
            because: `it is otherwise here: ${read.error.issues[0]!.message}`,
          });
      }
    }
  }
  const written = new Set(
    sections.filter(({ kind }) => kind === "global").flatMap(({ lines }) => lines.map(({ text }) => text)),
  );
  const added = ALWAYS.filter((line) => !written.has(line));
  for (const [side, ms] of Object.entries(timeouts)) parameters[`timeout_${side}`] = writtenDuration(ms);
  if (taken.global.length > 0) parameters.global = taken.global;
  if (taken.defaults.length > 0) parameters.defaults = taken.defaults;
  const more: Record<string, readonly string[]> = {};
  for (const section of sections.filter(isBeside)) {
    const { kind, name, lines } = section;
    const [id, address] = name.split(" ");
    const title = `${kind} ${id}`.trim();
    const own = [
      ...(address === undefined ? [] : [`bind ${address}`]),
      ...(["listen", "frontend"].includes(kind)
        ? inherited(config, section, [
            ...taken.defaults,
            `maxconn ${maxconn}`,
            ...Object.entries(timeouts).map(([side, ms]) => `timeout ${side} ${ms}`),
          ])
        : []),
      ...lines.map(({ text }) => text),
    ];
    const read = sectionLines.safeParse({ [title]: own });
    if (read.success) Object.assign(more, read.data);
    else leftOut.push({ what: `section ${title}`, because: reasonIn(read.error) });
  }
  if (Object.keys(more).length > 0) parameters.sections = more;
  const fitting = takenOf(haproxyParameters, parameters);
  for (const each of fitting.refused) leftOut.push({ what: `haproxy.${each}`, because: "the default holds" });
  return {
    parameters: fitting.taken ?? {},
    defaults: taken.defaults.map(meaningOf),
    common: { connect: 500, client: 5_000, server: 5_000, tcp: 8 * 3_600_000, ...timeouts },
    maxconn,
    leftOut,
    added,
  };
}

/** Lines of a section's own `defaults` that it would not begin with here: of others, and the mode that it does not say. */
function inherited(
  config: HaproxyConfig,
  section: ConfigSection,
  taken: readonly string[],
): readonly string[] {
  const own = section.lines.map(({ text }) => text);
  const begins = defaultLines(config, section).map(({ text }) => text);
  const all = effective(begins, own);
  const mode = all.find((line) => line.startsWith("mode ")) ?? "mode tcp";
  const kept = taken.map(meaningOf);
  return [
    // `defaults` here say http.
    ...(mode === "mode http" || own.includes(mode) ? [] : [mode]),
    ...begins
      .map((line) => meaningOf(line))
      .filter((line) => all.includes(line) && !own.map(meaningOf).includes(line))
      .filter((line) => !kept.includes(line) && !OURS.test(line) && !line.startsWith("mode "))
      .filter((line) => section.kind === "listen" || isFrontLine(line))
      .filter(
        (line) => !/^(balance|retries|default-server|timeout (connect|server|queue|tunnel))\b/.test(line),
      ),
  ];
}
