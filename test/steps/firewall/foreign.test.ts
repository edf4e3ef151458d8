import { describe, expect, it } from "vitest";
import { foreignDrops } from "../../../src/steps/firewall/foreign.ts";
import { sourcesOf } from "../../../src/steps/firewall/rules.ts";

const sources = sourcesOf(["10.0.0.2", "10.0.0.11"]);

const eq = (left: object, right: unknown, op = "==") => ({ match: { op, left, right } });
const dport = (right: unknown, op?: string) =>
  eq({ payload: { protocol: "tcp", field: "dport" } }, right, op);
const saddr = (right: unknown, op?: string) => eq({ payload: { protocol: "ip", field: "saddr" } }, right, op);
const state = (...states: string[]) => eq({ ct: { key: "state" } }, states, "in");
const [accept, drop] = [{ accept: null }, { drop: null }];
const REJECT = { xt: { type: "target", name: "REJECT" } };
const jump = (target: string) => ({ jump: { target } });

type Rules = readonly (readonly unknown[])[];

/** A table of somebody's, `chains` beside its base chain. */
function ruleset(
  rules: Rules,
  { policy = "accept", family = "inet", table = "filter", chains = {} as Record<string, Rules> } = {},
) {
  const at = { family, table };
  const of = (chain: string, list: Rules) => list.map((expr) => ({ rule: { ...at, chain, expr } }));
  return JSON.stringify({
    nftables: [
      { chain: { ...at, name: "input", type: "filter", hook: "input", prio: 0, policy } },
      ...Object.keys(chains).map((name) => ({ chain: { ...at, name } })),
      ...of("input", rules),
      ...Object.entries(chains).flatMap(([name, list]) => of(name, list)),
    ],
  });
}

const dropsOf = (ruleset: string, iptables = "") =>
  foreignDrops({ kernel: { is: "read", table: undefined, ruleset }, iptables }, 2181, sources);

const DROPS = "table inet filter, chain input, drops port 2181 from 10.0.0.2, 10.0.0.11";
const CLOSED =
  "table inet filter, chain input, drops what no rule accepts, and none accepts port 2181 from 10.0.0.2, 10.0.0.11";

describe("a table of others", () => {
  it.each<[string, string, readonly string[]]>([
    ["that drops the port", ruleset([[dport(2181), drop]]), [DROPS]],
    ["that rejects it", ruleset([[dport({ set: [80, 2181] }), { counter: {} }, { reject: null }]]), [DROPS]],
    ["that has iptables reject it", ruleset([[dport(2181), REJECT]]), [DROPS]],
    ["that drops a range with it", ruleset([[dport({ range: [2000, 3000] }), drop]]), [DROPS]],
    ["that drops all but another port", ruleset([[dport(22, "!="), drop]]), [DROPS]],
    ["that drops all at its end", ruleset([[dport(22), accept], [drop]]), [DROPS]],
    [
      "whose policy does, and lets SSH alone in",
      ruleset(
        [
          [state("established", "related"), accept],
          [dport(22), accept],
        ],
        { policy: "drop" },
      ),
      [CLOSED],
    ],
    [
      "whose policy does, and lets loopback alone in",
      ruleset([[eq({ meta: { key: "iifname" } }, "lo"), accept]], { policy: "drop" }),
      [CLOSED],
    ],
    [
      "that shuts out one of two",
      ruleset([
        [saddr("10.0.0.2"), dport(2181), accept],
        [dport(2181), drop],
      ]),
      ["table inet filter, chain input, drops port 2181 from 10.0.0.11"],
    ],
    [
      "that shuts out all but a network",
      ruleset([[saddr({ prefix: { addr: "10.0.0.0", len: 29 } }, "!="), dport(2181), drop]]),
      ["table inet filter, chain input, drops port 2181 from 10.0.0.11"],
    ],
    [
      "that drops it in a chain of its own",
      ruleset([[jump("mine")]], {
        chains: {
          mine: [
            [dport(22), accept],
            [dport(2181), drop],
          ],
        },
      }),
      ["table inet filter, chain mine, drops port 2181 from 10.0.0.2, 10.0.0.11"],
    ],
    [
      "that opens other ports in a chain of its own and drops the rest",
      ruleset([[jump("mine")]], { policy: "drop", chains: { mine: [[dport(22), accept]] } }),
      [CLOSED],
    ],
    ["that is IPv6's, where all are IPv4", ruleset([[dport(2181), drop]], { family: "ip6" }), []],
    [
      "that is of iptables",
      ruleset([[eq({ payload: { protocol: "ip", field: "protocol" } }, "tcp"), dport(2181), drop]], {
        family: "ip",
      }),
      ["table ip filter, chain input, drops port 2181 from 10.0.0.2, 10.0.0.11"],
    ],
    [
      "that accepts the port first",
      ruleset([
        [dport(2181), accept],
        [dport(2181), drop],
      ]),
      [],
    ],
    ["that drops others alone", ruleset([[saddr("10.6.6.6"), dport(2181), drop]]), []],
    [
      "that accepts whom a set names",
      ruleset([
        [saddr("@friends"), dport(2181), accept],
        [dport(2181), drop],
      ]),
      [],
    ],
    ["that drops whom a set names, for nothing is known of it", ruleset([[saddr("@banned"), drop]]), []],
    ["that limits how many come", ruleset([[dport(2181), { limit: { rate: 5 } }, drop]]), []],
    ["that drops broken packets", ruleset([[state("invalid"), drop]]), []],
    ["that drops UDP", ruleset([[eq({ meta: { key: "l4proto" } }, "udp"), drop]]), []],
    ["that drops another port", ruleset([[dport(22), drop]]), []],
    [
      "that accepts by an interface",
      ruleset([[eq({ meta: { key: "iifname" } }, "eth1"), accept]], { policy: "drop" }),
      [],
    ],
    ["that is iptables' own in words nobody reads here", ruleset([[{ xt: null }]], { policy: "drop" }), []],
    [
      "that has iptables reject what matches in words nobody reads here",
      ruleset([[dport(2181), { xt: { type: "match", name: "connlimit" } }, REJECT]]),
      [],
    ],
    ["that jumps in a circle", ruleset([[jump("mine")]], { chains: { mine: [[jump("mine")]] } }), []],
    ["that is meshctl's", ruleset([[dport(2181), drop]], { table: "meshctl" }), []],
    ["that has no rule", ruleset([]), []],
  ])("%s", (_what, json, words) => expect(dropsOf(json)).toEqual({ drops: words, unread: [] }));

  it("that sends what goes to the port elsewhere shuts out as well", () => {
    const at = { family: "ip", table: "nat" };
    const nat = (...expr: readonly unknown[]) =>
      JSON.stringify({
        nftables: [
          { chain: { ...at, name: "pre", type: "nat", hook: "prerouting", policy: "accept" } },
          { rule: { ...at, chain: "pre", expr } },
        ],
      });
    expect(dropsOf(nat(dport(2181), { redirect: { port: 9999 } })).drops).toEqual([
      "table ip nat, chain pre, sends port 2181 from 10.0.0.2, 10.0.0.11 elsewhere",
    ]);
    const local = eq({ fib: { result: "type", flags: ["daddr"] } }, "local");
    expect(dropsOf(nat(local, dport(2181), { dnat: { addr: "172.17.0.2" } })).drops).toEqual([]);
    expect(dropsOf(nat(dport(80), { redirect: { port: 8080 } })).drops).toEqual([]);
  });

  it("that could not be read is told as such", () => {
    expect(dropsOf('{"nftables": [{"table": {"flags": ')).toEqual({
      drops: [],
      unread: [
        expect.stringMatching(/^the rules of other tables could not be read: nft printed no whole JSON/),
      ],
    });
  });

  it("whose chains jump to each other many times over is looked through all the same", () => {
    const next = (at: number) => Array.from({ length: 8 }, () => [jump(`c${at + 1}`)]);
    const chains = Object.fromEntries(Array.from({ length: 16 }, (_, at) => [`c${at}`, next(at)]));
    expect(dropsOf(ruleset(next(-1), { chains, policy: "drop" })).drops).toEqual([]);
  });

  it.each<[string, readonly string[], readonly string[]]>([
    [
      "drops the port",
      ["-A INPUT -p tcp -m tcp --dport 2181 -j DROP"],
      ["drops port 2181 from 10.0.0.2, 10.0.0.11"],
    ],
    [
      "drops it of one",
      ["-A INPUT -s 10.0.0.2/32 -p tcp -m multiport --dports 80,2181 -j REJECT --reject-with tcp-reset"],
      ["drops port 2181 from 10.0.0.2"],
    ],
    [
      "drops what begins",
      [
        "-A INPUT -i lo -j ACCEPT",
        "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT",
        "-A INPUT -j DROP",
      ],
      ["drops port 2181 from 10.0.0.2, 10.0.0.11"],
    ],
    [
      "lets all of them in before",
      [
        "-A INPUT -s 10.0.0.0/24 -p tcp -m tcp --dport 2181 -j ACCEPT",
        "-A INPUT -p tcp -m tcp --dport 2181 -j DROP",
      ],
      [],
    ],
    ["drops too many at once", ["-A INPUT -p tcp --dport 2181 -m connlimit --connlimit-above 9 -j DROP"], []],
    ["drops what it sends", ["-A OUTPUT -p tcp -m tcp --dport 2181 -j DROP"], []],
  ])("of iptables that %s", (_what, rules, words) => {
    const saved = [
      "#ip legacy",
      "*filter",
      ":INPUT ACCEPT [0:0]",
      ":OUTPUT ACCEPT [0:0]",
      ...rules,
      "COMMIT",
      "",
    ];
    const place = "table ip filter (iptables-legacy), chain INPUT, ";
    expect(dropsOf(ruleset([]), saved.join("\n"))).toEqual({
      drops: words.map((each) => `${place}${each}`),
      unread: [],
    });
  });
});
