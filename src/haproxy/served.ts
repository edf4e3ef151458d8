import { type Answer, mapAnswer, NotUnderstood } from "../reader/answer.ts";
import type { Reader } from "../reader/reader.ts";
import { quotable } from "../terminal-text.ts";
import type { ServiceSettings } from "./settings.ts";

/** What came of one request, or of a connection where the health check makes no more. */
export type Served =
  | { readonly is: "answered"; readonly status: number }
  | { readonly is: "connected" }
  /** No connection, or an end without an answer. */
  | { readonly is: "failed"; readonly because: string }
  /** It took the request, and said nothing in time. */
  | { readonly is: "late"; readonly because: string };

/** By service. */
export type ServedServices = ReadonlyMap<string, Served>;

/** Others might do something. */
const ASKED = new Set(["GET", "HEAD", "OPTIONS"]);
/** Where this host reaches what listens everywhere. */
export const WILDCARDS: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };
const MOST_SECONDS = 9;

/**
 * One request through each front end, from the host itself: the health check's own, so that a server sees nothing that
 * HAProxy's checks do not send it. `timeoutMs` is what HAProxy gives a server before it answers by itself.
 */
export async function lookAtServed(
  reader: Reader,
  services: readonly ServiceSettings[],
  timeoutMs: number,
): Promise<Answer<ServedServices>> {
  if (services.length === 0) return { is: "value", value: new Map() };
  const seconds = Math.min(MOST_SECONDS, Math.ceil(timeoutMs / 1000) + 2);
  const asked = services.flatMap((service) => {
    const request = requestTo(service);
    const address = WILDCARDS[service.bind] ?? service.bind;
    return [address, `${service.port}`, request?.method ?? "", request?.path ?? ""];
  });
  const answer = await reader.groupsOf(2, "serving", `${seconds}`, ...asked);
  return mapAnswer(answer, (rows) => {
    if (rows.length !== services.length) throw new NotUnderstood("front ends were left out");
    return new Map(services.map(({ name }, index) => [name, servedIn(rows[index]!)] as const));
  });
}

/** A front end may hang up on whom its own lines do not let in, and TLS is none of a plain request's. */
const HANGS_UP = /\b(?:reject|silent-drop|tarpit)\b/;

/** What a front end is sent; undefined where it is only connected to. */
export function requestTo({ mode, check, bindOptions, frontend }: ServiceSettings): ServiceSettings["check"] {
  const isPlain = bindOptions === undefined && !frontend.some((line) => HANGS_UP.test(line));
  return mode === "http" && check !== undefined && ASKED.has(check.method) && isPlain ? check : undefined;
}

function servedIn([is = "", words = ""]: readonly string[]): Served {
  if (is === "answered") return { is, status: Number(words) };
  if (is === "connected") return { is };
  return { is: is === "late" ? is : "failed", because: quotable(words) };
}
