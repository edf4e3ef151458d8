import { expect, it } from "vitest";
import { parseHaproxyConfig } from "../../src/haproxy/config.ts";
import { alteredWords, checkWords, serversAltered, tableOf } from "../../src/haproxy/server-state.ts";

/** Of a server that is checked, unless it says "" behind the address and the limit. */
const row = (name: string, status: string, weight: string, address = "", limit = "", check = "L7OK") => [
  ...["2", "api", name, status, weight, address, limit],
  ...[check, "200", "OK"],
];

const how = (options: string, record: readonly [string, string, ...string[]], isWatched = false) => {
  const config = parseHaproxyConfig(`backend api\n  server a 10.0.0.2:9001 ${options}\n`);
  const { servers } = tableOf([row("a", ...record)]);
  return serversAltered(servers, config, "api", isWatched).map((each) => each.how);
};

it.each<[string, string, [string, string, ...string[]], string[]]>([
  ["as it is in the file", "check", ["UP", "1", "10.0.0.2:9001"], []],
  ["down by its health check", "check", ["DOWN 1/3", "1", "10.0.0.2:9001"], []],
  ["with the file's weight", "check weight 10", ["UP", "10", "10.0.0.2:9001"], []],
  ["with a weight that has more than digits", "check weight 100%", ["UP", "100", "10.0.0.2:9001"], []],
  ["with another weight", "check", ["UP", "5", "10.0.0.2:9001"], ["has weight 5"]],
  ["of an HAProxy that tells no addresses", "check", ["UP", "1"], []],
  ["sent elsewhere", "check", ["UP", "1", "10.6.6.6:9001"], ["was sent to 10.6.6.6:9001"]],
  ["drained", "check", ["DRAIN", "1", "10.0.0.2:9001"], ["is drained"]],
  ["registered with weight 0", "check weight 0", ["DRAIN", "0", "10.0.0.2:9001"], []],
  ["in maintenance", "check", ["MAINT", "1", "10.0.0.2:9001"], ["is in maintenance"]],
  ["disabled in the file", "check disabled", ["MAINT", "1", "10.0.0.2:9001"], []],
  ["checked no more", "check inter 1s", ["no check", "1", "10.0.0.2:9001", "", ""], ["is not checked"]],
  ["down and checked no more", "check", ["DOWN", "1", "10.0.0.2:9001", "", ""], ["is not checked"]],
  ["never checked", "inter 1s", ["no check", "1", "10.0.0.2:9001", "", ""], []],
  ["with its own limit", "check maxconn 5", ["UP", "1", "10.0.0.2:9001", "5"], []],
  ["with the limit that minconn makes", "check minconn 9 maxconn 5", ["UP", "1", "10.0.0.2:9001", "9"], []],
  ["with another limit", "check", ["UP", "1", "10.0.0.2:9001", "1"], ["takes 1 connection at most"]],
  ["without its limit", "check maxconn 5", ["UP", "1", "10.0.0.2:9001"], ["takes any number of connections"]],
  ["without an address yet", "check", ["MAINT (resolution)", "1", ""], []],
])("a server %s", (_, options, record, altered) => {
  expect(how(options, record)).toEqual(altered);
});

it.each<[string, string, string, string[], (string | undefined)[]]>([
  ["as it is in the file", "10.0.0.2", "check", [], []],
  ["by the name of the file", "db.lab", "check", ["0", "", "", "0", "0", "db.lab"], []],
  ["checked at the port of the file", "10.0.0.2", "check port 80", ["80"], []],
  ["checked at the address of the file", "10.0.0.2", "check addr 10.0.0.9", ["0", "10.0.0.9"], []],
  ["checked at an address that has a name", "10.0.0.2", "check addr b.lab", ["0", "10.0.0.9"], []],
  ["with the agent of the file", "10.0.0.2", "agent-check agent-port 8", ["0", "", "", "8", "23"], []],
  ["with TLS as in the file", "10.0.0.2", "check ssl verify none", ["0", "", "", "", "0", "", "1"], []],
  ["that has a name, of HAProxy before 2.4", "db.lab", "check port 80", ["", "", "", "", "0", "db.lab"], []],
  [
    "whose agent has the check's address",
    "10.0.0.2",
    "check addr 10.0.0.9 agent-check agent-port 8",
    ["0", "10.0.0.9", "10.0.0.9", "8", "23"],
    [],
  ],
  [
    "checked at another port",
    "10.0.0.2",
    "check",
    ["2181"],
    ["is checked at port 2181", "set server api/a check-port 0"],
  ],
  [
    "checked no more at its port",
    "10.0.0.2",
    "check port 80",
    ["0", "", "", "", "0", "db"],
    ["is checked at port 0", "set server api/a check-port 80"],
  ],
  [
    "checked at another address",
    "10.0.0.2",
    "check",
    ["0", "127.0.0.1"],
    ["is checked at 127.0.0.1", undefined],
  ],
  [
    "checked elsewhere",
    "10.0.0.2",
    "check addr 10.0.0.9",
    ["0", "10.6.6.6"],
    ["is checked at 10.6.6.6", "set server api/a check-addr 10.0.0.9"],
  ],
  [
    "whose agent is not asked",
    "10.0.0.2",
    "agent-check agent-port 8",
    ["0", "", "", "8", "19"],
    ["has an agent that is not asked", "enable agent api/a"],
  ],
  [
    "whose agent is elsewhere",
    "10.0.0.2",
    "agent-check agent-port 8",
    ["0", "", "10.6.6.6", "8", "23"],
    ["has its agent at 10.6.6.6", undefined],
  ],
  [
    "whose agent has another port",
    "10.0.0.2",
    "agent-check agent-port 8",
    ["0", "", "", "9", "23"],
    ["has its agent at port 9", "set server api/a agent-port 8"],
  ],
  [
    "by another name",
    "db.lab",
    "check",
    ["0", "", "", "0", "0", "evil.lab"],
    ["goes by the name evil.lab", "set server api/a fqdn db.lab"],
  ],
  [
    "by TLS",
    "10.0.0.2",
    "check",
    ["0", "", "", "0", "0", "", "1"],
    ["is spoken to by TLS", "set server api/a ssl off"],
  ],
])("a server that is set otherwise over the socket: %s", (_, host, options, set, [said, undo]) => {
  const config = parseHaproxyConfig(`backend api\n  server a ${host}:9001 ${options}\n`);
  const told = ["set", "api", "a", ...set, ...Array(7 - set.length).fill("")];
  const { servers } = tableOf([row("a", "UP", "1", "10.0.0.2:9001"), told]);
  expect(serversAltered(servers, config, "api", true).map((each) => [each.how, each.undo])).toEqual(
    said === undefined ? [] : [[said, undo]],
  );
});

it("whose name would be an order of its own to HAProxy's socket is in no order that a person is told to give", () => {
  const name = "a;shutdown_sessions_10.0.0.2:9001";
  const config = parseHaproxyConfig(
    `backend api\n  server ${name} 10.0.0.2:9001\n  server b 10.0.0.3:9001\n`,
  );
  const { servers } = tableOf([name, "b"].map((each, at) => row(each, "UP", "5", `10.0.0.${at + 2}:9001`)));
  const altered = serversAltered(servers, config, "api", false);
  expect(altered.map(({ undo }) => undo)).toEqual([undefined, "set server api/b weight 1"]);
  expect(alteredWords(altered, "/run/x.sock")).toMatch(/A reload of HAProxy takes it back$/);
});

it.each<[string, string[], boolean, (string | undefined)[][]]>([
  [
    "too many",
    ["a", "b"],
    false,
    [["b was added at 10.0.0.3:9001", "set server api/b state maint; del server api/b"]],
  ],
  ["too few", [], false, [["a was taken away", undefined]]],
  ["another one, which a watcher keeps", ["b"], true, []],
])("a worker that has %s", (_, names, isWatched, altered) => {
  const config = parseHaproxyConfig("backend api\n  server a 10.0.0.2:9001 check\n");
  const { servers } = tableOf(
    names.map((name) => row(name, "UP", "1", `10.0.0.${name === "a" ? 2 : 3}:9001`)),
  );
  const found = serversAltered(servers, config, "api", isWatched);
  expect(found.map(({ name, how, undo }) => [`${name} ${how}`, undo])).toEqual(altered);
});

it("that was added and is still in maintenance gets no requests", () => {
  const { servers } = tableOf([row("b", "MAINT", "1", "10.0.0.3:9001")]);
  const config = parseHaproxyConfig("backend api\n");
  expect(serversAltered(servers, config, "api", false)).toEqual([]);
});

it("in maintenance has left, where a watcher uses that for those that leave", () => {
  expect(how("check", ["MAINT", "1", "10.0.0.2:9001"], true)).toEqual([]);
});

it.each([
  ["* L4CON", "", "Connection refused", "L4CON: Connection refused"],
  ["L7STS", "400", "", "L7STS/400"],
  ["", "", "", undefined],
  ["L7RSP", "", "x".repeat(200), `L7RSP: ${"x".repeat(80)}…`],
])("says of a check %s %s %s: %s", (status, code, words, said) => {
  const { servers } = tableOf([["2", "api", "a", "DOWN", "1", "", "", status, code, words]]);
  expect(checkWords(servers[0]!)).toBe(said);
});

it("a server is as its back end's default-server has it", () => {
  const config = parseHaproxyConfig(
    "defaults\n  default-server weight 5\nbackend api\n  default-server port 81 ssl verify none\n  server a 10.0.0.2:9001 check\n",
  );
  const told = ["set", "api", "a", "81", "", "", "0", "0", "", "1"];
  const { servers } = tableOf([row("a", "UP", "5", "10.0.0.2:9001"), told]);
  expect(serversAltered(servers, config, "api", true)).toEqual([]);
  const without = parseHaproxyConfig(
    "backend api\n  default-server check\n  server a 10.0.0.2:9001 no-check\n",
  );
  const bare = ["2", "api", "a", "no check", "1", "10.0.0.2:9001", "0", "", "", ""];
  expect(serversAltered(tableOf([bare]).servers, without, "api", true)).toEqual([]);
});
