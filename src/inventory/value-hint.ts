import { countryMeant } from "./country.ts";
import { nearestName } from "./nearest-name.ts";

/** Units as people write them, and as they are written here. */
const TIMES: readonly (readonly [RegExp, unit: string, seconds: number])[] = [
  [/^(?:ms|msecs?|millis|milliseconds?)$/i, "ms", 0.001],
  [/^(?:s|secs?|seconds?)$/i, "s", 1],
  [/^(?:m|mins?|minutes?)$/i, "m", 60],
  [/^(?:h|hrs?|hours?)$/i, "h", 3600],
];
const SIZE = /^(\d+) ?(k|m|g|t)(?:i?b|bytes?|ilobytes?|egabytes?|igabytes?|erabytes?|ig|igs)?$/i;

/** The value as it is written here, as YAML: "30 seconds" is 30s. Undefined where nobody can tell. `found` as it is shown. */
export function valueMeant(expected: string, found: string): string | undefined {
  if (!/^(?:'|[\d.-]+$|true$|false$)/.test(found)) return undefined;
  const text = found.replace(/^'(.*)'$/s, "$1");
  const meant = meantBy(expected, text);
  return meant === text ? undefined : meant;
}

function meantBy(expected: string, text: string): string | undefined {
  if (expected === "true or false" || expected === "true") return booleanMeant(text, expected === "true");
  if (/^(?:a duration|.*\ba time with its unit)/.test(expected)) return timeMeant(text);
  if (/\ba size like\b/.test(expected)) {
    const [, number, unit = ""] = SIZE.exec(text) ?? [];
    return number === undefined ? undefined : `${number}${unit.toUpperCase()}`;
  }
  if (expected.startsWith("text: put quotes")) return `"${text}"`;
  // Of memory, in the place of bytes.
  if (expected === "at least 8M") return shareMeant(text);
  if (expected.startsWith("a country")) return countryMeant(text);
  if (expected.startsWith("an absolute ZooKeeper path")) return znodeMeant(text);
  if (expected.startsWith("one of ")) return nearestName(text, expected.slice("one of ".length).split(", "));
  if (expected.startsWith("a share of the servers")) return shareMeant(text);
  if (expected.startsWith("two ports")) return portsMeant(text);
  if (expected.startsWith("a request like")) return requestMeant(text);
  if (expected.startsWith("a path like /")) return /^[A-Z]+ (\/\S*)$/.exec(text)?.[1];
  if (expected.startsWith("a status like")) return statusMeant(text);
  return undefined;
}

/** A key as it is written here: the name of a service, of a file or of a unit. */
export function keyMeant(expected: string, found: string): string | undefined {
  const text = found.replace(/^'(.*)'$/s, "$1");
  if (expected.startsWith("a name of letters")) {
    const name = text.replace(/[^\w.-]+/g, "-").replace(/^[^A-Za-z0-9]+|-+$/g, "");
    return name === "" || name === text ? undefined : name;
  }
  if (expected.startsWith("an absolute path of a file"))
    return /^[\w.-]+(?:\/[\w.-]+)*$/.test(text) ? `/${text}` : undefined;
  if (expected.startsWith("the name of a systemd unit"))
    return /^[\w@-]+$/.test(text) ? `${text}.service` : undefined;
  return undefined;
}

function booleanMeant(text: string, onlyTrue: boolean): string | undefined {
  if (/^(?:y|yes|on|true|1|enabled?)$/i.test(text)) return "true";
  return !onlyTrue && /^(?:n|no|off|false|0|disabled?|never)$/i.test(text) ? "false" : undefined;
}

function timeMeant(text: string): string | undefined {
  const parts = [...text.matchAll(/(\d+) ?([a-z]+) ?/gi)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join("") !== text) return undefined;
  const times = parts.map(([, number, word = ""]) => ({
    number: Number(number),
    unit: TIMES.find(([words]) => words.test(word)),
  }));
  if (times.some(({ unit }) => unit === undefined)) return undefined;
  if (times.length === 1) return `${times[0]!.number}${times[0]!.unit![1]}`;
  const seconds = times.reduce((sum, { number, unit }) => sum + number * unit![2], 0);
  return Number.isInteger(seconds) ? `${seconds}s` : `${Math.round(seconds * 1000)}ms`;
}

function znodeMeant(text: string): string | undefined {
  const parts = text
    .replace(/^\w+:\/\/[^/]*/, "")
    .split("/")
    .filter((part) => part !== "");
  const isSound =
    parts.length > 0 && parts.every((part) => /^[\w.-]+$/.test(part) && !/^\.{1,2}$/.test(part));
  return isSound ? `/${parts.join("/")}` : undefined;
}

function shareMeant(text: string): string | undefined {
  const number = /^[\d.]+$/.test(text) ? Number(text) : Number.NaN;
  if (number > 0 && number < 1) return `${Math.round(number * 100)}%`;
  return Number.isInteger(number) && number >= 1 && number <= 100 ? `${number}%` : undefined;
}

function portsMeant(text: string): string | undefined {
  const ports = (text.match(/\d+/g) ?? []).map(Number).sort((a, b) => a - b);
  const [low, high] = ports;
  if (ports.length !== 2 || low === high || !ports.every((port) => port >= 1 && port <= 65535))
    return undefined;
  return `"${low} ${high}"`;
}

function requestMeant(text: string): string | undefined {
  const [, method = "GET", path] = /^(?:([a-z]+) +)?(?:https?:\/\/[^/\s]*)?(\/[^\s]*)/i.exec(text) ?? [];
  if (path === undefined) return undefined;
  return `${METHODS.includes(method.toUpperCase()) ? method.toUpperCase() : "GET"} ${path}`;
}

/** Methods that a check may ask by: those of RFC 9110 and 5789, WebDAV's that read, and those that caches know. */
export const METHODS = [
  ...["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT"],
  ...["PROPFIND", "REPORT", "SEARCH", "QUERY", "PURGE", "BAN"],
];

function statusMeant(text: string): string | undefined {
  const [, first] = /^([1-5])xx$/i.exec(text) ?? [];
  if (first !== undefined) return `"rstatus ^${first}"`;
  return /^\w[\w .-]*$/.test(text) && !/^\d+$/.test(text) ? `"string ${text}"` : undefined;
}
