import { formatPath, type Path } from "./path.ts";

/** What a map looks like, by the place where one is expected. */
const EXAMPLES: readonly (readonly [place: RegExp, example: string])[] = [
  [
    /^$/,
    "a file begins with `version: 1`; an Ansible inventory becomes one by `meshctl init --from-ansible FILE`",
  ],
  [/^ssh$/, "for example `ssh: { user: ops }`"],
  [/^hosts$/, "each host has a name: `hosts: { kvm-01: { address: 10.0.0.1 } }`"],
  [/^hosts\.[^.]+$/, "for example `kvm-01: { address: 10.0.0.1 }`"],
  [/^groups$/, "for example `groups: { proxies: [kvm-01, kvm-02] }`"],
  [/^mesh$/, "for example `mesh: { ensemble: zookeeper, proxies: proxies, services: … }`"],
  [/^mesh\.services$/, "each service has a name: `services: { user-api: { path: /user-api, port: 8080 } }`"],
  [/^mesh\.services\.[^.]+$/, "for example `user-api: { path: /user-api, port: 8080 }`"],
  [/\.check$/, "for example `check: { http: GET /health }`"],
  [/\.steps$/, "each step has its parameters: `steps: { preflight: {}, sysctl: {} }`"],
  [/\.sysctl$/, "for example `sysctl: { net.core.somaxconn: 10240 }`"],
];

/** One sentence on how to mend a value of a wrong kind; undefined where the message says all. `message` as it is shown. */
export function shapeHint(path: Path, message: string): string | undefined {
  const [, expected = "", found = ""] = /^expected (.*), found (.*)$/s.exec(message) ?? [];
  if (expected === "" || found === "nothing") return undefined;
  if (found.includes("{{")) return "meshctl has no templates: write the value itself, or `!env NAME`";
  if (/^'\$\{?[A-Za-z_]\w*\}?'$/.test(found))
    return `the shell's variables are not looked up: \`!env ${found.replace(/\W/g, "")}\` is`;
  if (expected.startsWith("a name of") && found.includes("["))
    return "a range of hosts is closed and has both ends: `kvm-[01:20]`";
  if (/\bmap\b/.test(expected)) {
    // A blank that only looks like one, or none: the colon is a part of the word.
    const line = /^'([A-Za-z_]+)(:?)[\s\u00a0]*(.+)'$/s.exec(found);
    if (line !== null && /[\s\u00a0:]/.test(found.slice(1, -1)) && !found.includes("/")) {
      const blank = /\u00a0/.test(found) ? "the blank behind the colon is a no-break space (U+00A0): " : "";
      return `${blank}a key ends with a colon and a blank: \`${line[1]}: ${line[3]}\``;
    }
    return EXAMPLES.find(([place]) => place.test(formatPath(path)))?.[1];
  }
  if (expected === "an IP address") {
    if (/^'[\d.]+\/\d+'$/.test(found)) return "leave the length of the network out";
    if (/^'[\d.]+:\d+'$/.test(found)) return "SSH's port is `ssh: { port: … }` of the host";
    return "the other hosts reach it by this; a name to connect to is `ssh: { host: … }` of the host";
  }
  if (path.length === 2 && path[0] === "mesh" && expected === "text")
    return "the name of a group: `groups:` says which hosts it has";
  return undefined;
}
