import { describe, expect, it } from "vitest";
import { problemsOf } from "./load.ts";

const hosts = `version: 1
hosts:
  a: { address: 10.0.0.1 }
  b: { address: 10.0.0.2 }
`;

const cases = [
  {
    title: "hooks that are none",
    playbook: `version: 1
plays:
  - hosts: all
    before: " "
    after: [{ run: x, timeout: 30 }, { run: [], per: step }, 7]
    steps:
      sysctl:
        before: { rum: x }
        after: { run: x, timeout: 2h }
`,
    problems: [
      "p.yaml:4:13 plays[0].before: expected a command or a map or a list, found ' '",
      "p.yaml:5:32 plays[0].after[0].timeout: expected a time with its unit, like 30s or 5m, from 1s to 1h, found 30",
      "p.yaml:5:45 plays[0].after[1].run: expected a command or a program and its arguments, found an empty list",
      "p.yaml:5:54 plays[0].after[1].per: expected one of host, wave, found 'step'",
      "p.yaml:5:62 plays[0].after[2]: expected a command or a map, found 7",
      "p.yaml:8:19 plays[0].steps.sysctl.before.rum: unknown key; did you mean 'run'?",
      "p.yaml:9:35 plays[0].steps.sysctl.after.timeout: expected a time with its unit, like 30s or 5m, from 1s to 1h, found '2h'",
    ],
  },
  {
    title: "an empty file",
    playbook: ``,
    problems: ["p.yaml:1:1: the playbook is empty: expected 'version' and 'plays'"],
  },
  {
    title: "a list instead of a map",
    playbook: `- hosts: all
`,
    problems: ["p.yaml:1:1: expected a map, found a list"],
  },
  {
    title: "another version and no plays",
    playbook: `version: 3
plays: []
`,
    problems: [
      "p.yaml:1:10 version: expected 1, found 3",
      "p.yaml:2:8 plays: expected at least one play, found none",
    ],
  },
  {
    title: "no plays",
    playbook: `version: 1
`,
    problems: ["p.yaml:1:1 plays: expected a list of plays, found nothing"],
  },
  {
    title: "a mistyped key for the plays",
    playbook: `version: 1
play: []
`,
    problems: ["p.yaml:2:1 play: unknown key; did you mean 'plays'?"],
  },
  {
    title: "a word as play",
    playbook: `version: 1
plays:
  - all
`,
    problems: ["p.yaml:3:5 plays[0]: expected a map, found 'all'"],
  },
  {
    title: "a play without hosts",
    playbook: `version: 1
plays:
  - steps: { sysctl: {} }
`,
    problems: ["p.yaml:3:5 plays[0].hosts: expected text or a list, found nothing"],
  },
  {
    title: "a mistyped key of a play",
    playbook: `version: 1
plays:
  - host: all
    steps: { sysctl: {} }
`,
    problems: ["p.yaml:3:5 plays[0].host: unknown key; did you mean 'hosts'?"],
  },
  {
    title: "a play without steps",
    playbook: `version: 1
plays:
  - hosts: all
`,
    problems: ["p.yaml:3:5 plays[0].steps: expected a map, found nothing"],
  },
  {
    title: "a play with no step",
    playbook: `version: 1
plays:
  - hosts: all
    steps: {}
`,
    problems: ["p.yaml:4:12 plays[0].steps: expected at least one step, found none"],
  },
  {
    title: "a list of steps",
    playbook: `version: 1
plays:
  - hosts: all
    steps: [sysctl]
`,
    problems: ["p.yaml:4:12 plays[0].steps: expected a map, found a list"],
  },
  {
    title: "unknown steps",
    playbook: `version: 1
plays:
  - hosts: all
    steps: { sysctrl: {}, nginx: {} }
`,
    problems: [
      "p.yaml:4:14 plays[0].steps.sysctrl: unknown step; did you mean 'sysctl'?",
      "p.yaml:4:27 plays[0].steps.nginx: unknown step; known are preflight, sysctl, zookeeper, haproxy, watcher, mysql",
    ],
  },
  {
    title: "an exclusion without quotes in a list",
    playbook: `version: 1
plays:
  - hosts: [all, !a]
    steps: { sysctl: {} }
`,
    problems: [
      "p.yaml:3:18 plays[0].hosts[1]: '!a' without quotes is a YAML tag, and only !env, !file and !command are known",
    ],
  },
  {
    title: "an exclusion without quotes before a comma",
    playbook: `version: 1
plays:
  - hosts: !a,b
    steps: { sysctl: {} }
`,
    problems: ["p.yaml:3:12: '!a,b' without quotes is a YAML tag"],
  },
  {
    title: "an exclusion without quotes",
    playbook: `version: 1
plays:
  - hosts: !a
    steps: { sysctl: {} }
`,
    problems: [
      "p.yaml:3:12 plays[0].hosts: '!a' without quotes is a YAML tag, and only !env, !file and !command are known",
    ],
  },
  {
    title: "a star without quotes",
    playbook: `version: 1
plays:
  - hosts: *
    steps: { sysctl: {} }
`,
    problems: ["p.yaml:3:12: '*' without quotes begins a YAML alias"],
  },
  {
    title: "a glob without quotes",
    playbook: `version: 1
plays:
  - hosts: *b
    steps: { sysctl: {} }
`,
    problems: ["p.yaml:3:12 plays[0].hosts: '*b' without quotes is a YAML alias"],
  },
  {
    title: "a mistyped group",
    playbook: `version: 1
plays:
  - hosts: proxie
    steps: { sysctl: {} }
`,
    problems: ["p.yaml:3:12 plays[0].hosts: no host or group is named 'proxie'; did you mean 'proxies'?"],
  },
  {
    title: "a glob and an exclusion that name nothing",
    playbook: `version: 1
plays:
  - hosts: "kvm-*,!x"
    steps: { sysctl: {} }
`,
    problems: [
      "p.yaml:3:12 plays[0].hosts: no host or group matches 'kvm-*'; no host or group is named 'x' (groups: zookeeper, proxies)",
    ],
  },
  {
    title: "an exclusion of everything",
    playbook: `version: 1
plays:
  - hosts: "a,!a"
    steps: { sysctl: {} }
`,
    problems: ["p.yaml:3:12 plays[0].hosts: pattern 'a,!a' matches no host"],
  },
  {
    title: "a comma too many",
    playbook: `version: 1
plays:
  - hosts: "a,"
    steps: { sysctl: {} }
`,
    problems: [
      "p.yaml:3:12 plays[0].hosts: expected a host, a group or a glob between the commas, found nothing",
    ],
  },
  {
    title: "a number as pattern",
    playbook: `version: 1
plays:
  - hosts: 3
    steps: { sysctl: {} }
`,
    problems: ["p.yaml:3:12 plays[0].hosts: expected text or a list, found 3"],
  },
  {
    title: "an empty list as pattern",
    playbook: `version: 1
plays:
  - hosts: []
    steps: { sysctl: {} }
`,
    problems: ["p.yaml:3:12 plays[0].hosts: expected at least one entry, found an empty list"],
  },
  {
    title: "a mistyped group, also when the play is optional",
    playbook: `version: 1
plays:
  - hosts: proxie
    optional: true
    steps: { sysctl: {} }
`,
    problems: ["p.yaml:3:12 plays[0].hosts: no host or group is named 'proxie'; did you mean 'proxies'?"],
  },
  {
    title: "an optional play that finds nobody for what the inventory says of its step",
    inventory: `version: 1
hosts:
  a: { address: 10.0.0.1, zookeeper: { id: 1 } }
  b: { address: 10.0.0.2, zookeeper: { id: 2 } }
groups:
  keepers: [a]
  data: { hosts: [b], mysql: { buffer_pool_size: 1G } }
`,
    playbook: `version: 1
plays:
  - { hosts: zookeeper, optional: true, steps: { zookeeper: {} } }
  - { hosts: databases, optional: true, steps: { mysql: {} } }
  - { hosts: backends, optional: true, steps: { watcher: {} } }
  - { hosts: all, steps: { sysctl: {} } }
`,
    problems: [
      "p.yaml:3:14 plays[0].hosts: no host or group is named 'zookeeper' (groups: keepers, data), and the inventory says what 'zookeeper' is to be on 'a', 'b' (line 3)",
      "p.yaml:4:14 plays[1].hosts: no host or group is named 'databases' (groups: keepers, data), and the inventory says what 'mysql' is to be on group 'data' (line 7)",
    ],
  },
  {
    title: "a playbook with no host at all",
    playbook: `version: 1
plays:
  - hosts: databases
    optional: true
    steps: { mysql: {} }
`,
    problems: ["p.yaml:2:1 plays: no play has a host in this inventory"],
  },
  {
    title: "a word instead of true",
    playbook: `version: 1
plays:
  - hosts: all
    optional: maybe
    steps: { sysctl: {} }
`,
    problems: ["p.yaml:4:15 plays[0].optional: expected true or false, found 'maybe'"],
  },
  {
    title: "waves of no size, failures that are no number and holds without a unit",
    playbook: `version: 1
plays:
  - hosts: all
    serial: [1, 125%]
    max_fail: -1
    steps: { sysctl: {} }
  - { hosts: a, serial: 0, steps: { preflight: {} } }
  - { hosts: a, hold: 30, steps: { watcher: {} } }
  - { hosts: b, hold: 30d, steps: { haproxy: {} } }
`,
    problems: [
      "p.yaml:4:17 plays[0].serial[1]: expected hosts of a wave as a number or a share of all, for example 1 or 25%, found '125%'",
      "p.yaml:5:15 plays[0].max_fail: expected how many hosts may fail: a whole number, 0 for none, found -1",
      "p.yaml:7:25 plays[1].serial: expected hosts of a wave as a number or a share of all, for example 1 or 25%, found 0",
      "p.yaml:8:23 plays[2].hold: expected how long the mesh is watched after each wave: a time with its unit, like 30s or 5m, at most 24h, found 30",
      "p.yaml:9:23 plays[3].hold: expected how long the mesh is watched after each wave: a time with its unit, like 30s or 5m, at most 24h, found '30d'",
    ],
  },
  {
    title: "wrong parameters at every depth",
    playbook: `version: 1
plays:
  - hosts: all
    steps:
      sysctl: { net.core.somaxconn: lots, net.core.somaxcon: 1 }
      haproxy: { timeout_connect: soon, log: { level: debug, too: x } }
`,
    problems: [
      "p.yaml:5:37 plays[0].steps.sysctl.\"net.core.somaxconn\": expected a number, found 'lots'",
      "p.yaml:5:43 plays[0].steps.sysctl.\"net.core.somaxcon\": unknown key; did you mean 'net.core.somaxconn'?",
      "p.yaml:6:35 plays[0].steps.haproxy.timeout_connect: expected a duration like 500ms, 2s or 2000 (milliseconds), found 'soon'",
      "p.yaml:6:55 plays[0].steps.haproxy.log.level: expected one of info, notice, found 'debug'",
      "p.yaml:6:62 plays[0].steps.haproxy.log.too: unknown key; did you mean 'to'?",
    ],
  },
  {
    title: "a list of parameters",
    playbook: `version: 1
plays:
  - hosts: all
    steps: { sysctl: [a] }
`,
    problems: ["p.yaml:4:22 plays[0].steps.sysctl: expected a map of parameters, found a list"],
  },
  {
    title: "a required parameter that nobody gives",
    playbook: `version: 1
plays:
  - hosts: all
    steps: { mysql: }
`,
    problems: [
      "p.yaml:4:14 plays[0].steps.mysql.buffer_pool_size: expected a size like 512M or 1G or text, found nothing",
    ],
  },
  {
    title: "a value of neither of two forms",
    playbook: `version: 1
plays:
  - hosts: all
    steps: { mysql: { buffer_pool_size: big } }
`,
    problems: [
      "p.yaml:4:41 plays[0].steps.mysql.buffer_pool_size: expected text like /^\\d+%$/, found 'big'",
    ],
  },
  {
    title: "a value of neither of two types",
    playbook: `version: 1
plays:
  - hosts: all
    steps: { mysql: { buffer_pool_size: true } }
`,
    problems: [
      "p.yaml:4:41 plays[0].steps.mysql.buffer_pool_size: expected a size like 512M or 1G or text, found true",
    ],
  },
  {
    title: "a step that reaches a host twice",
    playbook: `version: 1
plays:
  - hosts: all
    steps: { sysctl: {} }
  - hosts: a,b
    steps: { sysctl: {} }
`,
    problems: ["p.yaml:6:14 plays[1].steps.sysctl: a, b have this step from plays[0] already (line 4)"],
  },
  {
    title: "what the step itself finds wrong",
    playbook: `version: 1
plays:
  - hosts: all
    steps: { watcher: { build_host: d } }
`,
    problems: ["p.yaml:4:37 plays[0].steps.watcher.build_host: no host is named 'd'"],
  },
  {
    title: "what the step itself finds wrong on some hosts",
    inventory: `${hosts}groups: { zk: [a] }
mesh: { ensemble: zk }
`,
    playbook: `version: 1
plays:
  - hosts: all
    steps: { zookeeper: {} }
`,
    problems: ["p.yaml:4:25 plays[0].steps.zookeeper: 'b' is not in mesh.ensemble (on b)"],
  },
  {
    title: "a required parameter that some hosts lack",
    inventory: `version: 1
hosts:
  a: { address: 10.0.0.1, mysql: { buffer_pool_size: 1G } }
  b: { address: 10.0.0.2 }
`,
    playbook: `version: 1
plays:
  - hosts: all
    steps: { mysql: {} }
`,
    problems: [
      "p.yaml:4:14 plays[0].steps.mysql.buffer_pool_size: expected a size like 512M or 1G or text, found nothing (on b)",
    ],
  },
  {
    title: "a host's own wrong value over the play's right one",
    inventory: `version: 1
hosts:
  a: { address: 10.0.0.1, haproxy: { maxconn: 0 } }
`,
    playbook: `version: 1
plays:
  - hosts: all
    steps: { haproxy: { maxconn: 5 } }
`,
    problems: ["i.yaml:3:47 hosts.a.haproxy.maxconn: expected at least 1, found 0"],
  },
  {
    title: "a group's wrong value over the play's right one",
    inventory: `${hosts}groups: { g: { hosts: [a], haproxy: { maxconn: 0 } } }
`,
    playbook: `version: 1
plays:
  - hosts: all
    steps: { haproxy: { maxconn: 5 } }
`,
    problems: ["i.yaml:5:48 groups.g.haproxy.maxconn: expected at least 1, found 0"],
  },
  {
    title: "everything that is wrong with both files",
    inventory: `version: 1
hosts:
  a: { address: x }
  b: { address: 10.0.0.2, port: 1 }
`,
    playbook: `version: 1
plays:
  - hosts: c
    steps: { sysctl: { net.core.somaxconn: x } }
  - hosts: b
    steps: { haproxy: { maxconn: -1 } }
`,
    problems: [
      "i.yaml:3:17 hosts.a.address: expected an IP address, found 'x'",
      "i.yaml:4:27 hosts.b.port: unknown key; here `ssh: { port: … }`",
      "p.yaml:3:12 plays[0].hosts: no host or group is named 'c'",
      "p.yaml:4:44 plays[0].steps.sysctl.\"net.core.somaxconn\": expected a number, found 'x'",
      "p.yaml:6:34 plays[1].steps.haproxy.maxconn: expected at least 1, found -1",
    ],
  },
  {
    title: "a mistake in a play that is left out",
    playbook: `version: 1
plays:
  - hosts: all
    steps: { sysctl: {} }
  - hosts: databases
    optional: true
    steps: { mysql: { bufer_pool_size: 1G } }
`,
    problems: [
      "p.yaml:7:23 plays[1].steps.mysql.bufer_pool_size: unknown key; did you mean 'buffer_pool_size'?",
    ],
  },
];

describe("a wrong playbook", () => {
  it.each(cases)("reports $title", async ({ problems, ...texts }) => {
    expect(await problemsOf(texts)).toEqual(problems);
  });
});
