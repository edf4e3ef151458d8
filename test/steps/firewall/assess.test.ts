import { describe, expect, it } from "vitest";
import { revealContent } from "../../../src/secret.ts";
import type { FirewallFacts } from "../../../src/steps/firewall/facts.ts";
import type { FirewallFleet } from "../../../src/steps/firewall/fleet.ts";
import { firewall } from "../../../src/steps/firewall/index.ts";
import { ruleLines } from "../../../src/steps/firewall/rules.ts";
import {
  assessed,
  bare,
  converged,
  desired,
  edited,
  hostWith,
  listing,
  listingText,
  loaded,
  unit,
} from "./world.ts";

const want = desired();
const rules = want.rules!;
const good = converged(rules);
const CLIENTS = "client port 2181";
const PEERS = "quorum ports 2888, 3888";

const verdicts = (evidence: ReturnType<typeof assessed>["evidence"]) =>
  Object.values(evidence).flatMap(({ setting, verdict }) =>
    verdict === "proven" ? [] : [`${setting}: ${verdict}`],
  );
const kinds = (commands: readonly { kind: string; file?: URL; path?: string }[]) =>
  commands.map(({ kind, file, path }) => file?.pathname.split("/").at(-1) ?? `${kind} ${path ?? ""}`.trim());

describe("a member that is to be behind the firewall", () => {
  it("lets in proxies, registrars and members as clients, and members as peers", () => {
    const { evidence } = assessed(want, good);
    expect(evidence[CLIENTS]!.want).toBe("10.0.0.2, 10.0.0.3, 10.0.0.4, 10.0.0.11, 10.0.0.12");
    expect(evidence[PEERS]!.want).toBe("10.0.0.2, 10.0.0.3, 10.0.0.4");
  });

  it("is proven when disk and kernel have it, and wants no change", () => {
    const { evidence, changes } = assessed(want, good);
    expect(verdicts(evidence)).toEqual([]);
    expect(changes).toEqual([]);
  });

  it("gets the package, then the rules: tried first, kept over a new connection, and only then written", () => {
    const { evidence, changes } = assessed(want, bare);
    expect(verdicts(evidence).every((row) => row.endsWith(": missing") || row.endsWith(": different"))).toBe(
      true,
    );
    expect(changes.map(({ id }) => id)).toEqual(["package nftables", "rules"]);
    const [, load] = changes;
    expect(kinds(load!.trial!.commands)).toEqual(["try.sh"]);
    expect(load!.trial!.undoneAfterMs).toBe(90_000);
    expect(kinds(load!.commands)).toEqual([
      "keep.sh",
      "write /etc/meshctl/firewall.nft",
      "write /etc/systemd/system/meshctl-firewall.service",
      "write /etc/systemd/system/nftables.service.d/meshctl.conf",
    ]);
    expect(kinds(load!.activate)).toEqual(["load.sh"]);
  });

  it("has nothing to try where the kernel has it and only the disk lacks it", () => {
    const facts = { ...good, files: { ...good.files, rules: bare.files.rules } };
    const { evidence, changes } = assessed(want, facts);
    expect(verdicts(evidence)).toEqual([
      "/etc/meshctl/firewall.nft: missing",
      `${CLIENTS}: missing`,
      `${PEERS}: missing`,
    ]);
    expect(changes[0]!.trial).toBeUndefined();
    expect(kinds(changes[0]!.commands)).toEqual(["write /etc/meshctl/firewall.nft"]);
  });

  const inKernel = (table: { text: string; json: string } | undefined): FirewallFacts => ({
    ...good,
    kernel: loaded(rules, { table }),
  });
  const json = JSON.stringify(listing(rules));
  const text = listingText(ruleLines(rules));
  const withRule = (expr: unknown, at = 8) => {
    const list = listing(rules).nftables;
    list.splice(at, 0, { rule: { family: "inet", table: "meshctl", chain: "input", handle: 99, expr } });
    return JSON.stringify({ nftables: list });
  };

  it.each<[string, FirewallFacts, Readonly<Record<string, string>>, RegExp]>([
    [
      "is flushed",
      inKernel(undefined),
      { "table inet meshctl": "missing", [CLIENTS]: "not-in-force", [PEERS]: "not-in-force" },
      /has been flushed or deleted since/,
    ],
    [
      "is switched off",
      inKernel({
        text: listingText(ruleLines(rules), "\tflags dormant\n\n"),
        json: '{"nftables": [{"table": {"flags": ',
      }),
      { "table inet meshctl": "different", [CLIENTS]: "not-in-force", [PEERS]: "not-in-force" },
      /switched off/,
    ],
    [
      "has a rule of another hand",
      inKernel({
        text: listingText(["ip saddr 192.0.2.1 accept", ...ruleLines(rules)]),
        json: withRule([
          { match: { op: "==", left: { payload: { protocol: "ip", field: "saddr" } }, right: "192.0.2.1" } },
          { accept: null },
        ]),
      }),
      { "table inet meshctl": "different", [CLIENTS]: "not-in-force", [PEERS]: "not-in-force" },
      /a rule of another hand: ip saddr 192\.0\.2\.1 accept/,
    ],
    [
      "lacks its drop",
      inKernel({
        text: listingText(ruleLines(rules).slice(0, -1)),
        json: JSON.stringify({ nftables: listing(rules).nftables.slice(0, -1) }),
      }),
      { "table inet meshctl": "different", [CLIENTS]: "not-in-force", [PEERS]: "not-in-force" },
      /it lacks: tcp dport \{ 2181, 2888, 3888 \} drop/,
    ],
    [
      "is hooked in elsewhere",
      inKernel({ text, json: json.replace('"prio":-10', '"prio":300') }),
      { "table inet meshctl": "different", [CLIENTS]: "not-in-force", [PEERS]: "not-in-force" },
      /not hooked in as meshctl writes it/,
    ],
    [
      "has another chain",
      inKernel({
        text,
        json: JSON.stringify({ nftables: [...listing(rules).nftables, { chain: { name: "extra" } }] }),
      }),
      { "table inet meshctl": "different", [CLIENTS]: "not-in-force", [PEERS]: "not-in-force" },
      /it has a chain 'extra'/,
    ],
    [
      "lets in one more",
      inKernel({
        text,
        json: JSON.stringify(
          listing(rules, {
            clients4: ["10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.11", "10.0.0.12", "10.6.6.6"],
          }),
        ),
      }),
      { [CLIENTS]: "not-in-force" },
      /lets in 10\.6\.6\.6/,
    ],
    [
      "shuts a member out",
      inKernel({ text, json: JSON.stringify(listing(rules, { members4: ["10.0.0.2", "10.0.0.4"] })) }),
      { [PEERS]: "not-in-force" },
      /shuts out 10\.0\.0\.3/,
    ],
  ])("whose table %s is told so, and tries it again", (_what, facts, open, words) => {
    const { evidence, changes } = assessed(want, facts);
    expect(verdicts(evidence)).toEqual(
      Object.entries(open).map(([setting, verdict]) => `${setting}: ${verdict}`),
    );
    expect(Object.values(evidence).some(({ because }) => words.test(because ?? ""))).toBe(true);
    expect(changes.map(({ id }) => id)).toEqual(["rules"]);
    expect(changes[0]!.trial).toBeDefined();
  });

  it("takes the same addresses in other words, and rules with counters, for the same", () => {
    const elem = [
      { range: ["10.0.0.2", "10.0.0.4"] },
      { elem: { val: { prefix: { addr: "10.0.0.11", len: 32 } }, comment: "x" } },
      "10.0.0.12",
    ];
    const list = listing(rules, { clients4: elem }).nftables.map((item) =>
      item.rule
        ? {
            rule: {
              ...item.rule,
              expr: [
                ...(item.rule.expr as unknown[]).slice(0, -1),
                { counter: { packets: 5, bytes: 300 } },
                (item.rule.expr as unknown[]).at(-1),
              ],
            },
          }
        : item,
    );
    const json = JSON.stringify({ nftables: list }).replaceAll('"op":"=="', '"op":"in"');
    expect(verdicts(assessed(want, inKernel({ text, json })).evidence)).toEqual([]);
  });

  it.each<[string, FirewallFacts]>([
    ["nft refused", { ...good, kernel: { is: "unread", because: "Operation not permitted" } }],
    ["its listing was cut", inKernel({ text, json: json.slice(0, 200) })],
  ])("is unknown, and not changed, where %s", (_what, facts) => {
    const { evidence, changes } = assessed(want, facts);
    expect(verdicts(evidence)).toEqual([
      "table inet meshctl: unknown",
      `${CLIENTS}: unknown`,
      `${PEERS}: unknown`,
    ]);
    expect(changes).toEqual([]);
  });

  it.each<[string, FirewallFacts, string]>([
    [
      "does not start at boot",
      { ...good, unit: unit(good.unit.name, { enabled: "disabled" }) },
      "meshctl-firewall.service: different",
    ],
    [
      "has failed",
      { ...good, unit: unit(good.unit.name, { active: "failed" }) },
      "meshctl-firewall.service: not-in-force",
    ],
    [
      "is older than its file",
      { ...good, unit: unit(good.unit.name, { needDaemonReload: true }) },
      "/etc/systemd/system/meshctl-firewall.service: not-in-force",
    ],
    [
      "is not known to Debian's unit",
      { ...good, nftables: unit("nftables.service") },
      "/etc/systemd/system/nftables.service.d/meshctl.conf: not-in-force",
    ],
  ])("whose unit %s is open, with nothing to try", (_what, facts, row) => {
    const { evidence, changes } = assessed(want, facts);
    expect(verdicts(evidence)).toEqual([row]);
    expect(changes.map(({ id, trial }) => [id, trial])).toEqual([["rules", undefined]]);
  });

  it("is not proven while nobody has confirmed it over a new connection", () => {
    const { evidence, changes } = assessed(want, { ...good, undo: "waiting" });
    expect(verdicts(evidence)).toEqual(["undo: different"]);
    expect(changes[0]!.trial).toBeDefined();
    expect(firewall.service!.health({ ...good, undo: "waiting" })).toMatchObject({ is: "undecided" });
    expect(firewall.service!.health(good)).toEqual({ is: "healthy" });
  });

  it("is left alone where a file of its name is somebody's", () => {
    const facts = { ...good, files: { ...good.files, rules: edited(good.files.rules, "theirs\n") } };
    const { evidence, changes } = assessed(want, facts, {
      host: { ...hostWith(facts), manifest: new Map() },
    });
    expect(evidence["/etc/meshctl/firewall.nft"]!.verdict).toBe("blocked");
    expect(changes).toEqual([]);
  });

  it("is left alone where sshd listens behind it", () => {
    const listeners = [{ address: "0.0.0.0", port: 3888, process: "sshd" }];
    const { evidence, changes } = assessed(want, bare, { host: { ...hostWith(bare), listeners } });
    expect(evidence["table inet meshctl"]!.because).toMatch(
      /^sshd listens on port 3888, which the firewall closes/,
    );
    expect(changes).toEqual([]);
  });

  it("is left alone where a member would be cut off that comes from another address", () => {
    const fleet: FirewallFleet = new Map([
      [
        "kvm-02",
        {
          is: "seen",
          desired: want,
          facts: good,
          host: { ...hostWith(good), addresses: ["10.0.0.3", "10.1.0.3"] },
        },
      ],
    ]);
    const facts = { ...bare, peers: [{ port: 3888, address: "10.1.0.3" }] };
    const { evidence, changes } = assessed(want, facts, { fleet });
    expect(evidence[PEERS]).toMatchObject({
      verdict: "blocked",
      because: expect.stringMatching(
        /^kvm-02 is connected to port 3888 from 10\.1\.0\.3, which is not its address/,
      ),
    });
    expect(changes).toEqual([]);
  });

  it("tells before the change who is connected and will be cut off", () => {
    const peers = [
      { port: 2181, address: "10.9.0.7" },
      { port: 2181, address: "10.0.0.11" },
      { port: 2181, address: "::ffff:10.0.0.12" },
      { port: 2181, address: "10.0.0.2" },
      { port: 2181, address: "127.0.0.1" },
      { port: 3888, address: "10.0.0.3" },
    ];
    expect(assessed(want, { ...bare, peers }).changes.at(-1)!.warning).toBe(
      "it cuts off who is connected now: 10.9.0.7 (port 2181): name those who may be under mesh.firewall, also",
    );
    expect(assessed(want, { ...bare, peers: { unread: "ss: no" } }).changes.at(-1)!.warning).toBe(
      "which clients it cuts off could not be read: ss: no",
    );
  });
});

describe("who is named besides", () => {
  it("reaches the client port and no other, in either family", () => {
    const { evidence } = assessed(
      desired({ firewall: { also: ["10.9.0.0/16", "fd00:9::/64", "10.0.0.11"] } }),
      bare,
    );
    expect(evidence[CLIENTS]!.want).toBe(
      "10.0.0.2, 10.0.0.3, 10.0.0.4, 10.0.0.11, 10.0.0.12, 10.9.0.0/16, fd00:9::/64",
    );
    expect(evidence[PEERS]!.want).toBe("10.0.0.2, 10.0.0.3, 10.0.0.4");
  });

  it("stands in the rules once, without what it holds already", () => {
    const { rules } = desired({ firewall: { also: ["10.0.0.0/24", "10.0.0.9", "10.0.1.0/24"] } });
    const text = revealContent(
      firewall.files!({
        name: "kvm-01",
        desired: { ...want, rules },
        machine: { os: { codename: "bookworm" }, architecture: "amd64", memoryBytes: 1 },
      })[0]!.content,
    );
    expect(/set clients4 \{[^}]*elements = \{([^}]*)\}/.exec(text)![1]!.replace(/\s+/g, "")).toBe(
      "10.0.0.0/24,10.0.1.0/24",
    );
  });
});

describe("a host that is to have no firewall", () => {
  const off = desired({ firewall: undefined });

  it("claims nothing, and is proven to be without one, where it never had one", () => {
    expect(firewall.claims(off, hostWith(bare))).toEqual({});
    expect(firewall.claims(want, hostWith(bare))).toEqual({ packages: ["nftables"] });
    for (const kernel of [
      bare.kernel,
      { is: "unread", because: "no nf_tables" },
      loaded(rules, { table: undefined }),
    ] as const) {
      const { evidence, changes } = assessed(off, { ...bare, kernel });
      expect(verdicts(evidence)).toEqual([]);
      expect(changes).toEqual([]);
    }
  });

  it("is also one outside the ensemble", () => {
    expect(desired({}, "app-01").rules).toBeUndefined();
  });

  it("loses table, unit and files of before, and none of others", () => {
    const { evidence, changes } = assessed(off, good);
    expect(verdicts(evidence)).toEqual(["firewall: different"]);
    expect(kinds(changes[0]!.commands)).toEqual([
      "unload.sh",
      "remove /etc/meshctl/firewall.nft",
      "remove /etc/systemd/system/meshctl-firewall.service",
      "remove /etc/systemd/system/nftables.service.d/meshctl.conf",
    ]);
    const foreign = { ...hostWith(good), manifest: new Map() };
    expect(kinds(assessed(off, good, { host: foreign }).changes[0]!.commands)).toEqual(["unload.sh"]);
  });

  it("is not content with rules of others that keep members and clients from its ports", () => {
    const rule = (expr: readonly object[]) => ({
      rule: { family: "ip", table: "filter", chain: "INPUT", expr },
    });
    const port = (right: number) => ({
      match: { op: "==", left: { payload: { protocol: "tcp", field: "dport" } }, right },
    });
    const ruleset = (...rules: readonly (readonly object[])[]) =>
      JSON.stringify({
        nftables: [
          {
            chain: {
              family: "ip",
              table: "filter",
              name: "INPUT",
              type: "filter",
              hook: "input",
              policy: "accept",
            },
          },
          ...rules.map(rule),
        ],
      });
    const seen = (text: string) =>
      assessed(off, { ...bare, kernel: loaded(rules, { table: undefined, ruleset: text }) });
    expect(seen(ruleset([port(3888), { drop: null }])).evidence.firewall).toMatchObject({
      verdict: "blocked",
      because: "table ip filter, chain INPUT, drops port 3888 from 10.0.0.3-10.0.0.4: let them in there",
    });
    expect(
      seen(ruleset([port(2181), { accept: null }], [port(22), { drop: null }])).evidence.firewall!.verdict,
    ).toBe("proven");
    const outside = desired({ firewall: undefined }, "app-01");
    expect(outside.reach).toBeUndefined();
  });

  it("is unknown where it had one and nft tells nothing", () => {
    const { evidence } = assessed(off, { ...good, kernel: { is: "unread", because: "no" } });
    expect(verdicts(evidence)).toEqual(["firewall: unknown"]);
  });
});

describe("the order of hosts", () => {
  it("gives the package to all at once, and the rules to one after another", () => {
    const seen = (facts: FirewallFacts) =>
      ({ is: "seen", desired: want, facts, host: hostWith(facts) }) as const;
    const names = ["kvm-01", "kvm-02", "kvm-03"];
    const fleet = (facts: FirewallFacts) => new Map(names.map((name) => [name, seen(facts)]));
    expect(firewall.next(names, fleet(bare))).toEqual(names);
    expect(firewall.next(names, fleet(good))).toEqual(["kvm-01"]);
  });
});
