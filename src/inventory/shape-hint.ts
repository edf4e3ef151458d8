import { foreignText } from "./foreign-text.ts";
import { formatPath, type Path } from "./path.ts";
import { rangeMeant } from "./pattern.ts";
import { keyMeant, valueMeant } from "./value-hint.ts";

/** A key with nothing behind it; of a key that is not written "nothing" is found. */
export const EMPTY = "an empty value";
/** A secret as sops writes it. */
export const ENCRYPTED = "text that sops encrypted";

/** Where what is missing is told without a schema. */
const SAID_BY_HAND = /^(?:hosts|plays|plays\[\d+\]\.steps|groups\.[^.]+\.hosts)$/;

/** What a map, a list or a version looks like, by the place where one is expected. */
const EXAMPLES: readonly (readonly [place: RegExp, example: string])[] = [
  [
    /^$/,
    "a file begins with `version: 1`; an Ansible inventory becomes one by `meshctl init --from-ansible FILE`",
  ],
  [/^ssh$/, "for example `ssh: { user: ops }`"],
  [/^hosts$/, "each host has a name: `hosts: { kvm-01: { address: 10.0.0.1 } }`"],
  [/^hosts\.[^.]+$/, "for example `kvm-01: { address: 10.0.0.1 }`"],
  [/^groups$/, "for example `groups: { proxies: [kvm-01, kvm-02] }`"],
  [/^groups\.[^.]+$/, "for example `proxies: [kvm-01, kvm-02]`"],
  [/^groups\.[^.]+\.hosts$/, "for example `hosts: [kvm-01, kvm-02]`"],
  [/^mesh$/, "for example `mesh: { ensemble: zookeeper, proxies: proxies, services: … }`"],
  [/^mesh\.services$/, "each service has a name: `services: { user-api: { path: /user-api, port: 8080 } }`"],
  [/^mesh\.services\.[^.]+$/, "for example `user-api: { path: /user-api, port: 8080 }`"],
  [/\.check$/, "for example `check: { http: GET /health }`"],
  [/^version$/, "the format has one version: `version: 1`"],
  [/^plays$/, "each play is an item of a list: `plays: [{ hosts: all, steps: { sysctl: {} } }]`"],
  [/^plays\[\d+\]$/, "for example `{ hosts: all, steps: { sysctl: {} } }`"],
  [/\.steps$/, "each step has its parameters: `steps: { preflight: {}, sysctl: {} }`"],
  [/\.sysctl$/, "for example `sysctl: { net.core.somaxconn: 10240 }`"],
];

/** One sentence on how to mend a value of a wrong kind; undefined where the message says all. `message` as it is shown. */
export function shapeHint(path: Path, message: string): string | undefined {
  const [, expected = "", found = ""] = /^expected (.*), found (.*)$/s.exec(message) ?? [];
  const place = formatPath(path);
  if (expected === "" || (found === "nothing" && place !== "version" && !SAID_BY_HAND.test(place)))
    return undefined;
  const foreign = place === "" && found.startsWith("'") ? foreignText(found.slice(1)) : undefined;
  if (foreign !== undefined) return foreign;
  if (place === "" && found.startsWith("'<"))
    return "this is a page, not an inventory: fetch the file itself, as raw text";
  if (found.includes("{{")) return "meshctl has no templates: write the value itself, or `!env NAME`";
  if (/^'\$\{?[A-Za-z_]\w*\}?'$/.test(found))
    return `the shell's variables are not looked up: \`!env ${found.replace(/\W/g, "")}\` is`;
  if (/^'[“”„‘’«»]/.test(found)) {
    const text = found.slice(1, -1).replace(/[“”„‘’«»]/g, "");
    return `quotes of a word processor are none of YAML's: write "${text}"`;
  }
  if (expected.startsWith("one of strict, accept-new") && /^(?:'(?:no|off|ignore)'|false)$/.test(found))
    return "no mode takes every key: `host_keys: accept-new` adds the key of a host that is new, and refuses one that changed";
  if (found === ENCRYPTED)
    return "`!command [sops, -d, --extract, …]` decrypts it when it is needed, or `!command [PROGRAM, ARGUMENT]` of another store";
  if (found === EMPTY && String(path.at(-1)).includes("="))
    return `a key ends with a colon and a blank: \`${String(path.at(-1)).replace(/\s*=\s*/, ": ")}\``;
  if (expected.startsWith("a name of") && found.includes("["))
    return "a range of hosts goes up, has both ends and stands for 10000 at most: `kvm-[01:20]`";
  const key = keyMeant(expected, found);
  if (key !== undefined) return `write '${key}'`;
  if (expected === "a map of parameters" && path.at(-1) !== "sysctl")
    return `\`${path.at(-1)}: {}\` takes the defaults; docs/keys.md has its parameters`;
  const meant = valueMeant(expected, found);
  if (meant !== undefined && typeof path.at(-1) === "string") return `write \`${path.at(-1)}: ${meant}\``;
  if (meant !== undefined) return `write \`${meant}\``;
  const text = found.slice(1, -1);
  const request = /\.check$/.test(place) ? /^(?:[A-Za-z]+ )?(\/\S*)$/.exec(text) : null;
  if (request !== null) {
    const [, address = ""] = request;
    return `write \`check: { http: ${path.includes("registrar") ? "" : "GET "}${address} }\``;
  }
  if (/\.lines$/.test(place) && found.startsWith("'"))
    return `for example \`lines: { backend: ["${text}"] }\``;
  if (/\.servers(?:\[\d+\])?$/.test(place)) {
    const [, host, port] = /^([\w.-]+):(\d{1,5})$/.exec(text) ?? [];
    if (host !== undefined)
      return `write \`${place.endsWith("]") ? "-" : "servers:"} ${place.endsWith("]") ? "" : "["}{ host: ${host}, port: ${port} }${place.endsWith("]") ? "" : "]"}\``;
  }
  if (/\blist\b/.test(expected) && found.startsWith("'") && place !== "plays") {
    // A line of HAProxy's holds blanks of its own.
    const isLine = /\.(?:listen|frontend|backend|global|defaults)$/.test(place);
    const list = isLine ? `a list stands in brackets: \`["${text}"]\`` : listHint(text);
    if (list !== undefined) return list;
  }
  if (/\b(?:map|list of plays|list of hosts and groups)\b/.test(expected) || place === "version") {
    const isOfNames = /^(?:hosts|groups|mesh\.services|plays)$/.test(place) && !/[:=]/.test(text);
    const colon = place === "version" || isOfNames || request !== null ? undefined : missingColon(text);
    return colon ?? EXAMPLES.find(([at]) => at.test(place))?.[1];
  }
  if (expected === "an IP address" && path.at(-1) === "address") return addressHint(found);
  if (expected === "an IP address" && path.includes("bind")) return bindHint(text);
  if (/^(?:a (?:whole )?number|1–65535)$/.test(expected)) {
    const digits = digitsHint(found.slice(1, -1));
    if (digits !== undefined) return digits;
  }
  if (expected === "1–65535" && /^'[\d.]+:\d+(?::\d+)?'$/.test(found))
    return "one port alone: a service's `port` is where applications call it, and `bind` the address";
  if (/\.sysctl\.[^.]+$/.test(place) && found === "a map")
    return "a kernel setting's name is written whole: `net.core.somaxconn: 10240`";
  if (path.length === 2 && path[0] === "mesh" && expected === "text")
    return "the name of a group: `groups:` says which hosts it has";
  return undefined;
}

/** The line as it is written with a colon that YAML sees; undefined where the line looks like no key and its value. */
export function missingColon(line: string): string | undefined {
  // A blank that only looks like one, or none, or "=": the key is a part of the word.
  const [, key, sign = "", value = ""] =
    /^([A-Za-z_][\w-]*)([:\uff1a][\s\u00a0]*|\s*=\s*|[\s\u00a0]+)(\S+)$/.exec(line) ?? [];
  if (key === undefined || (sign.startsWith(":") && value.startsWith("/"))) return undefined;
  const blank = /\u00a0/.test(sign) ? "the blank behind the colon is a no-break space (U+00A0): " : "";
  const wide = sign.startsWith("\uff1a") ? "this colon is a wide one (U+FF1A): " : "";
  return `${blank}${wide}a key ends with a colon and a blank: \`${key}: ${value}\``;
}

/** Where a front end listens. */
function bindHint(found: string): string | undefined {
  const [, address] = /^([\d.]+|\*|localhost)(?::\d+)?$/.exec(found) ?? [];
  if (address === undefined) return undefined;
  const own = address === "*" ? "0.0.0.0" : address === "localhost" ? "127.0.0.1" : address;
  return `write \`bind: ${own}\`${found.includes(":") ? ", and the port as `port`" : ""}`;
}

function listHint(found: string): string | undefined {
  const range = rangeMeant(found);
  if (range !== undefined) return `a range in a list is written \`["${range}"]\``;
  if (/^-\S/.test(found)) return "a blank stands behind the dash of a list's item: `- kvm-01`";
  const names = found.split(/[\s,;]+/).filter((name) => name !== "");
  const isPlain = names.every((name) => /^[\w./:-]+$/.test(name) && !/:$|^\//.test(name));
  return names.length > 0 && isPlain ? `a list stands in brackets: \`[${names.join(", ")}]\`` : undefined;
}

/** Of a number with a unit behind it, or with its thousands set apart. */
function digitsHint(found: string): string | undefined {
  const [, number, unit = ""] = /^(\d{1,9}(?:[_,]\d{3})*) ?([a-z]{0,3})$/i.exec(found) ?? [];
  if (number === undefined || (unit === "" && /^\d+$/.test(number))) return undefined;
  const digits = Number(number.replace(/\D/g, ""));
  if (unit.toLowerCase() === "k") return `digits alone: \`${digits * 1000}\``;
  return `digits alone${unit === "" ? "" : ", without a unit"}: \`${digits}\``;
}

function addressHint(found: string): string {
  const [, inBrackets] = /^'\[([\da-f:.]+)\](?::\d+)?'$/i.exec(found) ?? [];
  if (inBrackets !== undefined) return `an address stands without brackets: \`"${inBrackets}"\``;
  if (/^'fe80:.*%/i.test(found))
    return "a link-local address is of one interface alone: take one that all hosts of the mesh reach";
  if (found === "a list") return "a host has one address, and no list: `address: 10.0.0.1`";
  if (/^'[\d.]+\/\d+'$/.test(found)) return "leave the length of the network out";
  if (/^'[\d.]+:\d+'$/.test(found)) return "SSH's port is `ssh: { port: … }` of the host";
  if (/^'[\d.]+'$/.test(found)) return "an IPv4 address has four numbers from 0 to 255: `10.0.0.1`";
  return "the other hosts reach it by this; a name to connect to is `ssh: { host: … }` of the host";
}
