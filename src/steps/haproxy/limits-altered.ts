import { type Altered, connections } from "../../haproxy/server-state.ts";
import { isAsLoaded, type Situation } from "./situation.ts";

const RATES = {
  connratelimit: ["connections", "new connections"],
  sessratelimit: ["sessions", "new sessions"],
  sslratelimit: ["ssl-sessions", "new TLS sessions"],
} as const;

/** Limits of the whole process that somebody gave it over its socket. What it was started with it shows beside. */
export function limitsAltered(situation: Situation): readonly Altered[] {
  const { info } = situation.facts;
  if (!isAsLoaded(situation)) return [];
  const [now, atStart] = [info.get("maxconn"), info.get("hard_maxconn")];
  const limits = Object.entries(RATES).flatMap(([key, [name, what]]): Altered[] => {
    const rate = Number(info.get(key) ?? 0);
    if (rate === 0) return [];
    return [
      { name: "HAProxy", how: `takes ${rate} ${what} a second`, undo: `set rate-limit ${name} global 0` },
    ];
  });
  return now === undefined || atStart === undefined || now === atStart
    ? limits
    : [
        {
          name: "HAProxy",
          how: `takes ${connections(Number(now))} at most`,
          undo: `set maxconn global ${atStart}`,
        },
        ...limits,
      ];
}
