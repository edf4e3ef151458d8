import { expect, it } from "vitest";
import { itemsOfListing, redirectsOf } from "../../src/haproxy/redirects.ts";

const match = (left: object, right: unknown, op = "==") => ({ match: { op, left, right } });
const payload = (protocol: string, field: string) => ({ payload: { protocol, field } });
const TO_PORT = match(payload("tcp", "dport"), 8080);
const REDIRECT = { redirect: { port: 8081 } };

function told(
  expr: readonly object[],
  hook: string | undefined = "output",
  { family = "ip", before = [] }: { family?: string; before?: readonly (readonly object[])[] } = {},
) {
  const of = { family, table: "nat" };
  const chain = {
    ...of,
    name: "x",
    ...(hook === "" ? {} : { type: "nat", hook, prio: -100, policy: "accept" }),
  };
  const listing = {
    nftables: [
      { metainfo: {} },
      { table: of },
      { chain },
      ...[...before, expr].map((each) => ({ rule: { ...of, chain: "x", handle: 2, expr: each } })),
    ],
  };
  return redirectsOf(itemsOfListing(JSON.stringify(listing))!, "127.0.0.1", 8080);
}

const SURE = [{ place: "table ip nat, chain x", how: "redirect", isSure: true }];

it.each<[string, readonly object[]]>([
  ["by the port alone", [TO_PORT, REDIRECT]],
  [
    "by the address too",
    [match(payload("ip", "daddr"), "127.0.0.1"), TO_PORT, { counter: { packets: 0 } }, REDIRECT],
  ],
  [
    "by a network",
    [match(payload("ip", "daddr"), { prefix: { addr: "127.0.0.0", len: 24 } }), TO_PORT, REDIRECT],
  ],
  ["by a range", [match(payload("tcp", "dport"), { range: [8000, 8100] }), REDIRECT]],
  ["by a set", [match(payload("tcp", "dport"), { set: [80, 8080] }), REDIRECT]],
  ["on the loopback interface", [match({ meta: { key: "oifname" } }, "lo"), TO_PORT, REDIRECT]],
])("a rule that sends it elsewhere %s", (_, expr) => {
  expect(told(expr)).toEqual(SURE);
});

it.each<[string, readonly object[], string?]>([
  ["another port", [match(payload("tcp", "dport"), 80), REDIRECT]],
  ["another address", [match(payload("ip", "daddr"), "10.0.0.5"), TO_PORT, REDIRECT]],
  [
    "another network",
    [match(payload("ip", "daddr"), { prefix: { addr: "10.0.0.0", len: 8 } }), TO_PORT, REDIRECT],
  ],
  [
    "other networks",
    [
      match(payload("ip", "daddr"), { set: ["10.0.0.5", { range: ["172.16.0.1", "172.16.0.9"] }] }),
      TO_PORT,
      REDIRECT,
    ],
  ],
  [
    "all but the loopback's addresses",
    [match(payload("ip", "daddr"), { prefix: { addr: "127.0.0.0", len: 8 } }, "!="), TO_PORT, REDIRECT],
  ],
  ["another interface", [match({ meta: { key: "oifname" } }, "eth0"), TO_PORT, REDIRECT]],
  ["UDP", [match(payload("udp", "dport"), 8080), REDIRECT]],
  ["what comes from elsewhere", [TO_PORT, REDIRECT], "prerouting"],
  ["nothing, for it only accepts", [TO_PORT, { accept: null }]],
])("none that is for %s", (_, expr, hook) => {
  expect(told(expr, hook)).toEqual([]);
});

it("one that asks for more, or that another chain leads to, may do so", () => {
  const byUser = [match({ meta: { key: "skuid" } }, 1000), TO_PORT, { dnat: { addr: "10.0.0.9" } }];
  expect(told(byUser)).toEqual([{ place: "table ip nat, chain x", how: "dnat", isSure: false }]);
  expect(told([TO_PORT, REDIRECT], "")).toEqual([{ ...SURE[0], isSure: false }]);
});

it("one by a named set, whose elements are not told, may do so", () => {
  const perhaps = [{ ...SURE[0], isSure: false }];
  expect(told([match(payload("tcp", "dport"), "@mesh"), REDIRECT])).toEqual(perhaps);
  expect(told([match(payload("tcp", "dport"), "@mesh", "!="), REDIRECT])).toEqual(perhaps);
  expect(told([match(payload("ip", "daddr"), "@mesh"), TO_PORT, REDIRECT])).toEqual(perhaps);
  expect(told([match({ meta: { key: "oifname" } }, "@mesh"), TO_PORT, REDIRECT])).toEqual(perhaps);
  expect(told([match(payload("udp", "dport"), "@mesh"), REDIRECT])).toEqual([]);
});

it("what is no listing is not understood", () => {
  expect(itemsOfListing("{")).toBeUndefined();
  expect(itemsOfListing('{"nftables": [{"metainfo": {}}]}')).toEqual([{ metainfo: {} }]);
});

it("one of IPv6 alone sends no front end of IPv4 elsewhere", () => {
  expect(told([TO_PORT, REDIRECT], "output", { family: "ip6" })).toEqual([]);
  expect(told([TO_PORT, REDIRECT], "output", { family: "inet" })).toMatchObject([{ isSure: true }]);
});

it("one behind a rule that may let it pass may do so, one behind a rule for others surely does", () => {
  const behind = (...before: readonly object[][]) => told([TO_PORT, REDIRECT], "output", { before });
  const toLoopback = match(payload("ip", "daddr"), { prefix: { addr: "127.0.0.0", len: 8 } });
  expect(behind([toLoopback, { return: null }])).toMatchObject([{ isSure: false }]);
  expect(behind([match(payload("tcp", "dport"), 22), { accept: null }])).toMatchObject([{ isSure: true }]);
  expect(behind([{ counter: { packets: 0 } }])).toMatchObject([{ isSure: true }]);
});

it("one for addresses of a set with a name may do so", () => {
  const ofSet = match(payload("ip", "daddr"), "@mine");
  expect(told([ofSet, TO_PORT, REDIRECT])).toMatchObject([{ isSure: false }]);
});

it.each(["xt", "limit", "quota", "ct count"])("one that asks for more by %s may do so", (word) => {
  expect(told([TO_PORT, { [word]: {} }, REDIRECT])).toMatchObject([{ isSure: false }]);
});

const DROP = { drop: null };
const LIMIT = { limit: { rate: 1, per: "minute", inv: true } };
const onLo = (op = "==") => match({ meta: { key: "iifname" } }, "lo", op);

it.each<[string, readonly object[], string, (readonly (readonly object[])[])?]>([
  ["beyond a rate", [TO_PORT, LIMIT, DROP], "input"],
  ["on its way out", [TO_PORT, LIMIT, DROP], "output"],
  ["on the loopback interface", [onLo(), TO_PORT, LIMIT, DROP], "input"],
  [
    "behind what lets other packets through",
    [TO_PORT, LIMIT, DROP],
    "input",
    [[match({ ct: { key: "state" } }, ["established"], "in"), { accept: null }]],
  ],
])("a rule that drops some %s is told, and that it drops all is not", (_, expr, hook, before = []) => {
  expect(told(expr, hook, { before })).toEqual([
    { place: "table ip nat, chain x", how: "drop", isSure: false },
  ]);
});

it.each<[string, readonly object[], string, (readonly (readonly object[])[])?]>([
  ["what comes over another interface", [onLo("!="), TO_PORT, DROP], "input"],
  ["what is forwarded", [TO_PORT, DROP], "forward"],
  ["other senders", [match(payload("ip", "saddr"), "203.0.113.7"), TO_PORT, DROP], "input"],
  ["senders of a set, as fail2ban's", [match(payload("ip", "saddr"), "@banned"), TO_PORT, DROP], "input"],
  [
    "what the loopback interface was let through before",
    [TO_PORT, DROP],
    "input",
    [[onLo(), { accept: null }]],
  ],
])("a rule that drops %s takes nothing from this host", (_, expr, hook, before = []) => {
  expect(told(expr, hook, { before })).toEqual([]);
});
