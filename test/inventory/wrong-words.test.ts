import { describe, expect, it } from "vitest";
import { InvalidFiles } from "../../src/inventory/invalid-files.ts";
import { load } from "../playbook/load.ts";

const inventory = `version: 1
ssh:
  user: ops
hosts:
  kvm-01: { address: 10.0.0.1, zookeeper: { id: 1 } }
  kvm-02: { address: 10.0.0.2 }
  db-01: { address: 10.0.0.21 }
groups:
  zookeeper: [kvm-01]
  proxies:
    hosts: [kvm-01, kvm-02]
    haproxy: { maxconn: 20000 }
  databases: [db-01]
mesh:
  ensemble: zookeeper
  proxies: proxies
  services:
    user-api: { path: /services/user-api, port: 8080, check: { http: GET /health } }
    report-db: { mode: tcp, port: 3307, servers: [{ host: 10.0.0.21, port: 3306 }] }
`;
const playbook = "version: 1\nplays:\n  - hosts: all\n    steps: { sysctl: {} }\n";
const sound = { inventory, playbook };

async function said(file: keyof typeof sound, right: string, wrong: string): Promise<readonly string[]> {
  expect(sound[file]).toContain(right);
  const error = await load({ ...sound, [file]: sound[file].replace(right, () => wrong) }).catch(
    (thrown) => thrown,
  );
  expect(error).toBeInstanceOf(InvalidFiles);
  return (error as InvalidFiles).diagnostics.map(
    ({ line, column, message, hint }) =>
      `${line}:${column} ${message}${hint === undefined ? "" : ` | ${hint}`}`,
  );
}

const I = "inventory";
const P = "playbook";
const cases: readonly (readonly [keyof typeof sound, right: string, wrong: string, said: string])[] = [
  // Values of another kind or unit.
  [
    I,
    "check: { http: GET /health }",
    "check: FETCH /x",
    "18:62 expected false or a map, found 'FETCH /x' | write `check: { http: GET /x }`",
  ],
  [
    I,
    "GET /health",
    "get /health",
    "18:70 expected a request like GET /health, or false for a TCP check, found 'get /health' | write `http: GET /health`",
  ],
  [
    I,
    "GET /health",
    "GTE /health",
    "18:70 expected a request like GET /health, or false for a TCP check, found 'GTE /health' | write `http: GET /health`",
  ],
  [
    I,
    "{ http: GET /health }",
    "{ http: GET /, expect: 2xx }",
    '18:85 expected a status like 200, or words like "string ok", "rstatus ^[23]" or "! status 500", found \'2xx\' | write `expect: "rstatus ^2"`',
  ],
  [
    I,
    "{ http: GET /health }",
    "{ inter: 1m30s }",
    "18:71 expected a duration like 500ms, 2s or 2000 (milliseconds), found '1m30s' | write `inter: 90s`",
  ],
  [
    I,
    "mode: tcp",
    "mode: tcp, fail_fast: yes",
    "19:40 expected true or false, found 'yes' | write `fail_fast: true`",
  ],
  [I, "mode: tcp", "mode: TCP", "19:24 expected one of http, tcp, found 'TCP' | write `mode: tcp`"],
  [
    I,
    "mode: tcp",
    "mode: tcp, panic_threshold: 0.5",
    "19:46 expected a share of the servers, from 0% to 100%, found 0.5 | write `panic_threshold: 50%`",
  ],
  [
    I,
    "mode: tcp",
    'mode: tcp, bind: "127.0.0.1:3307"',
    "19:35 expected an IP address, found '127.0.0.1:3307' | write `bind: 127.0.0.1`, and the port as `port`",
  ],
  [
    I,
    "mode: tcp",
    "mode: tcp, lines: option forwardfor",
    "19:36 expected a map, found 'option forwardfor' | for example `lines: { backend: [\"option forwardfor\"] }`",
  ],
  [
    I,
    "[{ host: 10.0.0.21, port: 3306 }]",
    "10.0.0.21:3306",
    "19:50 expected a list, found '10.0.0.21:3306' | write `servers: [{ host: 10.0.0.21, port: 3306 }]`",
  ],
  [
    I,
    "port: 8080",
    "port: 8080-8090",
    "18:49 expected 1–65535, found '8080-8090' | for example `port: 8080`",
  ],
  [
    I,
    "/services/user-api",
    "services/user-api",
    "18:23 expected an absolute ZooKeeper path like /services/user-api, found 'services/user-api' | write `path: /services/user-api`",
  ],
  [
    I,
    "10.0.0.21 }\ngroups",
    "10.0.0.21, country: Germany }\ngroups",
    "7:41 expected a country of ISO 3166-1 like DE or GB, found 'Germany' | write `country: DE`",
  ],
  [
    I,
    "10.0.0.21 }\ngroups",
    "10.0.0.21, country: uk }\ngroups",
    "7:41 expected a country of ISO 3166-1 like DE or GB, found 'uk' | write `country: GB`",
  ],
  [
    I,
    "user: ops",
    "password: secret",
    "3:13 expected a reference: !env NAME, !file PATH or !command [PROGRAM, ARGUMENT], found plain text | for example `password: !env SSH_PASSWORD`",
  ],
  [
    I,
    "user: ops",
    "password: !ENV X",
    "3:13 '!ENV' without quotes is a YAML tag, and only !env, !file and !command are known | write it in small letters: `!env`",
  ],
  [
    I,
    "user: ops",
    "password: !env NOT_THERE",
    "3:13 environment variable NOT_THERE is not set | set it before meshctl runs: `export NOT_THERE=…`",
  ],
  // Names and shapes.
  [
    I,
    "databases: [db-01]",
    "databases: [db-01, others]\n  others: [databases]",
    "14:12 groups hold each other: databases → others → databases | take 'databases' out of this list, or name its hosts instead",
  ],
  [
    I,
    "databases: [db-01]",
    "databases: { db-01: {} }",
    "13:14 expected a list of hosts and groups, found a map of them | names stand in a list: `databases: [db-01]`",
  ],
  [
    I,
    "databases: [db-01]",
    "databases: { children: [proxies] }",
    "13:16 unknown key; a group's list may hold groups: `hosts: [other-group]`",
  ],
  [
    I,
    "databases: [db-01]",
    "databases: [db-*]",
    "13:15 no host or group is named 'db-*' | a group's list holds names and ranges; a play's `hosts` may be a pattern",
  ],
  [
    I,
    "report-db:",
    "report db:",
    "19:5 expected a name of letters, digits, '-', '_' and '.', beginning with a letter or digit, found 'report db' | write 'report-db'",
  ],
  [I, "host: 10.0.0.21, port", "address: 10.0.0.21, port", "19:53 unknown key; did you mean 'host'?"],
  [
    I,
    "{ address: 10.0.0.21 }",
    "{ address=10.0.0.21 }",
    "7:12 unknown key; a key ends with a colon and a blank: `address: 10.0.0.21`",
  ],
  [
    I,
    "db-01: {",
    '"db-{01..02}": {',
    `7:3 expected a name of a–z, 0–9, '-' and '.', beginning with a letter or digit, found 'db-{01..02}' | a range is written \`"db-[01:02]"\``,
  ],
  [I, "groups:", "group:", "8:1 unknown key; did you mean 'groups'?"],
  [I, "user: ops", "ForwardAgent: yes", "3:3 unknown key; meshctl forwards no agent: leave it out"],
  [
    I,
    "user: ops",
    "user: ops\n<<<<<<< HEAD",
    "4:1 expected YAML, found a mark of a conflict that Git left | keep one of the two sides, and leave the lines with <<<<<<<, ======= and >>>>>>> out",
  ],
  [
    I,
    inventory,
    inventory.replaceAll("\n", "\r"),
    "1:11 this line ends with a carriage return (CR) alone, which ends no line of YAML | save the file with line ends of Unix (LF) or Windows (CR LF); `tr '\\r' '\\n' <OLD >NEW` makes them",
  ],
  [I, "user: ops", "user: o\0ps", "3:1 expected text, found a NUL character in this line: take it out"],
  // Files of others.
  [
    I,
    inventory,
    "service: hey\nimage: a/b\nservers: { web: [10.0.0.1] }\n",
    "1:1 unknown key; this is kamal's form, and meshctl starts no containers: `meshctl init` writes an inventory",
  ],
  [
    I,
    inventory,
    "global: { user: x }\npd_servers: []\n",
    "1:1 unknown key; this is the form of tiup: `meshctl init` writes an inventory",
  ],
  [
    I,
    inventory,
    "zookeeper:\n  hosts:\n    kvm-01:\n",
    "1:1 unknown key; this is Ansible's form: `meshctl init prod.yaml --from-ansible FILE` makes an inventory of it",
  ],
  [
    I,
    inventory,
    "instance_id: a\nservices: {}\n",
    "1:1 unknown key; this is Nerve's form: `meshctl import FILE` makes an inventory of it",
  ],
  [
    I,
    inventory,
    "global\n  maxconn 4096\n",
    "1:1 expected a map, found 'global maxconn 4096' | this is haproxy.cfg: `meshctl import FILE` makes an inventory of it",
  ],
  [
    I,
    inventory,
    "Host kvm-01\n  User ops\n",
    "1:1 expected a map, found 'Host kvm-01 User ops' | this is an ssh_config: `meshctl init prod.yaml --from-ssh-config 'kvm-*'` takes hosts of it",
  ],
  // Of a playbook.
  [P, "hosts: all", "hosts: all\n    before: { cmd: ls }", "4:15 unknown key; did you mean 'run'?"],
  [
    P,
    "hosts: all",
    "hosts: all\n    handlers: []",
    "4:5 unknown key; a service restarts when what it runs with has changed: leave it out",
  ],
  [
    P,
    "hosts: all",
    "hosts: all\n    serial: [1, x]",
    "4:17 expected hosts of a wave as a number or a share of all, for example 1 or 25%, found 'x' | for example `- 1`",
  ],
  [
    P,
    "steps: { sysctl: {} }",
    "roles: [sysctl]",
    "4:5 unknown key; here `steps: { sysctl: {}, haproxy: {} }`",
  ],
  [
    P,
    "sysctl: {}",
    "ansible.builtin.apt: {}",
    "4:14 unknown step; known are preflight, sysctl, zookeeper, haproxy, watcher, mysql | `files: { packages: [NAME] }` installs Debian packages",
  ],
  [
    P,
    "sysctl: {}",
    "sysctl: on",
    "4:22 expected a map of parameters, found 'on' | for example `sysctl: { net.core.somaxconn: 10240 }`",
  ],
  [
    I,
    "ssh:\n  user: ops",
    "ssh:\n  host_keys: no",
    "3:14 expected one of strict, accept-new, ask, found 'no' | no mode takes every key: `host_keys: accept-new` adds the key of a host that is new, and refuses one that changed",
  ],
  [
    I,
    "zookeeper: [kvm-01]",
    'zookeeper: ["kvm-[01-02]"]',
    "9:15 no host or group is named 'kvm-[01-02]' | a range is written \"kvm-[01:02]\"",
  ],
  [
    I,
    "hosts: [kvm-01, kvm-02]",
    "hosts: kvm-{01..02}",
    "11:12 expected a list of hosts and groups, found 'kvm-{01..02}' | a range in a list is written `[\"kvm-[01:02]\"]`",
  ],
  [P, "hosts: all", 'hosts: "kvm-[01-02]"', "3:12 'kvm-[01-02]' is no range: write 'kvm-[01:02]'"],
  [
    P,
    "hosts: all",
    'hosts: "kvm-[01-02]"\n    optional: true',
    "3:12 'kvm-[01-02]' is no range: write 'kvm-[01:02]'",
  ],
  [
    I,
    "  databases: [db-01]",
    "  mysql: { buffer_pool_size: 1G }",
    "13:3 expected a list of hosts and groups, found nothing | settings of a step stand in a group that has hosts: `mysql-hosts: { hosts: [kvm-01], mysql: { … } }`",
  ],
  [
    I,
    "haproxy: { maxconn: 20000 }",
    "groups: [databases]",
    "12:5 unknown key; a group's list may hold groups: `hosts: [other-group]`",
  ],
  [
    I,
    "version: 1",
    "version: 1\nmetadata: { name: x }",
    "2:1 unknown key; leave it out: an inventory has no name and no labels",
  ],
  [P, "plays:", "tasks:", "2:1 unknown key; here `plays: [{ hosts: all, steps: { sysctl: {} } }]`"],
];

describe("a wrong file", () => {
  it.each(cases)(
    "of %s with %j as %j names its cause once, and what to write",
    async (file, right, wrong, words) => {
      expect(await said(file, right, wrong)).toEqual([words]);
    },
  );

  it("may have a line end of Windows, a request of WebDAV and a network as it is", async () => {
    const sane = inventory.replace("GET /health", "PROPFIND /").replaceAll("\n", "\r\n");
    await expect(load({ ...sound, inventory: sane })).resolves.toBeDefined();
  });

  it("may have a group by the name of a key", async () => {
    const groups = "groups:\n  hosts: [kvm-01]\n  country: { hosts: [kvm-01], country: DE }";
    await expect(load({ ...sound, inventory: inventory.replace("groups:", groups) })).resolves.toBeDefined();
  });
});
