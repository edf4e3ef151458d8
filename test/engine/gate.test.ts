import { describe, expect, it } from "vitest";
import type { Mark, Vital, Vitals } from "../../src/contract/step.ts";
import {
  best,
  gate,
  type Marks,
  type MeshHealth,
  notComparedWords,
  shownAfterMs,
  worseWords,
} from "../../src/engine/gate.ts";
import { witnessesAmong } from "../../src/engine/mesh-gate.ts";

const WELL = { is: "well" } as const;
const DOWN = { is: "bad", because: "is DOWN (L4CON)" } as const;
const UNPROVEN = { is: "well", unproven: "is UP 1/2: no check has passed yet" } as const;
const UNREAD = { is: "unread", because: "no answer" } as const;

/** Of one proxy; undefined where it was not looked at. */
const proxy = (of: Readonly<Record<string, Vital>> | "unread" | undefined): MeshHealth =>
  of === undefined
    ? new Map()
    : new Map([
        [
          "px",
          new Map<string, Vitals>([
            [
              "watcher",
              of === "unread" ? UNREAD : { is: "read", of: new Map(Object.entries(of)), shownAfterMs: 0 },
            ],
          ]),
        ],
      ]);

describe("a gate", () => {
  it.each<[string, Parameters<typeof proxy>[0], Parameters<typeof proxy>[0], string[]]>([
    ["passes when all is as it was", { a: WELL }, { a: WELL }, []],
    ["passes when something came right", { a: DOWN }, { a: WELL }, []],
    ["passes when what was bad stays so", { a: DOWN }, { a: DOWN }, []],
    ["passes when what was bad is gone", { a: DOWN }, {}, []],
    ["passes when something new is bad, which had never been well", {}, { a: DOWN }, []],
    ["passes when nothing was read before", "unread", { a: DOWN }, []],
    ["passes when nothing is read, as before", "unread", "unread", []],
    ["passes when a part was not read before", { a: UNREAD }, { a: DOWN }, []],
    ["passes when a host is looked at that was not before", undefined, { a: DOWN }, []],
    [
      "fails when a backend is newly down",
      { a: WELL, b: WELL },
      { a: WELL, b: DOWN },
      ["bad b is DOWN (L4CON)"],
    ],
    ["passes when a backend waits for its first check, as before", { a: UNPROVEN }, { a: UNPROVEN }, []],
    ["passes when a backend's first check has passed", { a: UNPROVEN }, { a: WELL }, []],
    [
      "fails while a backend that was proven waits for its first check",
      { a: WELL },
      { a: UNPROVEN },
      ["bad a is UP 1/2: no check has passed yet"],
    ],
    [
      "fails when a backend goes down before its first check has passed",
      { a: UNPROVEN },
      { a: DOWN },
      ["bad a is DOWN (L4CON)"],
    ],
    ["fails when a backend is missing", { a: WELL, b: WELL }, { a: WELL }, ["gone b is gone"]],
    [
      "fails when a part was read before and is not now",
      { a: WELL },
      { a: UNREAD },
      ["unread a was read before the wave and is not now: no answer"],
    ],
    [
      "fails when a bad part was read before and is not now",
      { a: DOWN },
      { a: UNREAD },
      ["unread a was read before the wave and is not now: no answer"],
    ],
    [
      "fails when a proxy was read before and is not now, and tells of no part of it",
      { a: WELL, b: WELL },
      "unread",
      ["unread watcher was read before the wave and is not now: no answer"],
    ],
    [
      "fails when a host is not looked at any more",
      { a: WELL },
      undefined,
      ["unread watcher was read before the wave and is not now: it was not looked at"],
    ],
  ])("%s", (_, before, after, expected) => {
    const { worse } = gate(proxy(before), proxy(after));
    expect(worse.map(({ is, what, because }) => `${is} ${what} ${because}`)).toEqual(expected);
    for (const each of worse) expect(each).toMatchObject({ host: "px", step: "watcher" });
  });

  it("says what was not compared, for it was not read before", () => {
    expect(gate(proxy("unread"), proxy({ a: WELL })).notCompared).toEqual([
      { host: "px", step: "watcher", what: "watcher", because: "no answer" },
    ]);
    expect(gate(proxy({ a: UNREAD, b: WELL }), proxy({ a: WELL, b: WELL })).notCompared).toEqual([
      { host: "px", step: "watcher", what: "a", because: "no answer" },
    ]);
  });

  it("passes when a host is to have fewer instances of a service, and not when it has fewer than that", () => {
    const further = (number: number): Vital => ({
      is: "well",
      server: { service: "s", instance: "app of s", address: "10.0.0.1", further: { of: "a", number } },
    });
    const before = proxy({ a: WELL, "a (2)": further(2), "a (3)": further(3) });
    const worse = (mark: Mark) =>
      gate(before, proxy({}), new Map([["app", new Map([["a", mark]])]])).worse.map(({ what }) => what);
    expect(worse({ is: "own", count: 2 })).toEqual(["a", "a (2)"]);
    expect(worse({ is: "own" })).toEqual(["a"]);
    expect(worse({ is: "left" })).toEqual([]);
  });

  it("passes when what is wanted on any host has taken a backend out", () => {
    const marks: Marks = new Map([["app", new Map([["b", { is: "left" }]])]]);
    const before = proxy({ a: WELL, b: WELL });
    const worseNow = (of: Readonly<Record<string, Vital>>) => gate(before, proxy(of), marks).worse;
    expect(worseNow({ a: WELL })).toEqual([]);
    expect(worseNow({ a: WELL, b: DOWN })).toMatchObject([{ what: "b", is: "bad" }]);
    expect(worseNow({ b: WELL })).toMatchObject([{ what: "a", is: "gone" }]);
  });

  it("passes when an instance is well at its host's new address, and not before", () => {
    const server = { service: "x", instance: "app-01 of x", address: undefined };
    const [old, now] = ["server app-01_10.0.0.1 of x", "server app-01_10.0.0.2 of x"];
    const marks: Marks = new Map([["app-01", new Map([[now, { is: "own", instance: "app-01 of x" }]])]]);
    const worseNow = (of: Readonly<Record<string, Vital>>, known = marks) =>
      gate(proxy({ [old]: { ...WELL, server } }), proxy(of), known).worse.map(
        ({ what, is }) => `${is} ${what}`,
      );
    expect(worseNow({ [now]: WELL })).toEqual([]);
    expect(worseNow({ [now]: UNPROVEN })).toEqual([`gone ${old}`]);
    expect(worseNow({ [now]: DOWN })).toEqual([`gone ${old}`]);
    expect(worseNow({})).toEqual([`gone ${old}`]);
    // Nor where the name is another one now, as something of before called it.
    const renamed: Marks = new Map([
      ["x", new Map([[now, { is: "own", instance: "x of x", formerly: "app-01 of x" }]])],
    ]);
    expect(worseNow({ [now]: WELL }, renamed)).toEqual([]);
    expect(worseNow({ [now]: DOWN }, renamed)).toEqual([`gone ${old}`]);
    // Another of that name is not it.
    expect(worseNow({ [now]: WELL }, new Map())).toEqual([`gone ${old}`]);
    expect(worseNow({ [old]: DOWN, [now]: WELL })).toEqual([`bad ${old}`]);
  });

  it("goes by the best that was read, whenever that was", () => {
    const all = [
      proxy({ a: UNPROVEN, b: DOWN, c: WELL, d: UNREAD }),
      proxy("unread"),
      proxy({ a: WELL, b: UNREAD, c: DOWN, d: DOWN, e: WELL }),
      proxy({ a: UNPROVEN }),
    ];
    expect(all.reduce(best)).toEqual(proxy({ a: WELL, b: DOWN, c: WELL, d: DOWN, e: WELL }));
    expect([proxy("unread"), proxy({ a: WELL })].reduce(best)).toEqual(proxy({ a: WELL }));
  });

  it("watches as long as the slowest takes to notice", () => {
    const health = new Map([
      [
        "a",
        new Map<string, Vitals>([
          ["watcher", { is: "read", of: new Map(), shownAfterMs: 900 }],
          ["haproxy", { is: "read", of: new Map(), shownAfterMs: 8_000 }],
          ["zookeeper", UNREAD],
        ]),
      ],
    ]);
    expect(shownAfterMs(health)).toBe(8_000);
    expect(shownAfterMs(new Map())).toBe(0);
  });
});

describe("witnesses", () => {
  const named = (letter: string, count: number) => Array.from({ length: count }, (_, n) => `${letter}${n}`);

  it("are all, while they are few", () => {
    expect(witnessesAmong(["p0"], ["a0", "a1"], 3)).toEqual(["p0", "a0", "a1"]);
  });

  it("are proxies first", () => {
    const chosen = witnessesAmong(named("p", 15), named("a", 100), 0);
    expect(chosen).toHaveLength(20);
    expect(chosen.slice(0, 15)).toEqual(named("p", 15));
    expect(new Set(chosen).size).toBe(20);
    expect(witnessesAmong(named("p", 40), named("a", 9), 0).every((host) => host.startsWith("p"))).toBe(true);
  });

  it("are others at each wave, so that all are asked in the end", () => {
    const proxies = named("p", 41);
    const waves = [0, 1, 2].map((wave) => witnessesAmong(proxies, [], wave));
    for (const wave of waves) expect(new Set(wave).size).toBe(20);
    expect(new Set(waves.flat())).toEqual(new Set(proxies));
  });
});

describe("what is worse, in words", () => {
  const worse = (host: string, what: string) => {
    return { host, step: "watcher", what, is: "bad", because: "is DOWN" } as const;
  };

  it("names hosts on which the same is worse together", () => {
    expect(worseWords([worse("a", "x"), worse("a", "y"), worse("b", "x")])).toBe(
      "x is DOWN on a, b; y is DOWN on a",
    );
  });

  it("says what was not compared", () => {
    const part = { host: "px", step: "watcher", what: "watcher", because: "no answer" };
    expect(notComparedWords([part])).toBe(", not compared, for it was not read before: watcher on px");
    expect(notComparedWords([])).toBe("");
  });

  it("names three things and counts the rest", () => {
    expect(worseWords(["v", "w", "x", "y", "z"].map((what) => worse("a", what)))).toBe(
      "v is DOWN on a; w is DOWN on a; x is DOWN on a; 2 more",
    );
  });
});
