import { describe, expect, it } from "vitest";
import type { AnyStep } from "../../src/contract/step.ts";
import { waveLimits } from "../../src/engine/wave-limits.ts";
import { AS_NEXT_SAYS, hostsIn, ONE_BY_ONE, parseWaveSize, type WaveSize } from "../../src/waves.ts";

const hosts = Array.from({ length: 10 }, (_, at) => `h${at}`);
const step = (serial?: readonly WaveSize[]) => ({ name: "x", ...(serial && { serial }) }) as AnyStep;
const sizes = (limits: ReturnType<typeof waveLimits>, of: readonly string[] = hosts) =>
  limits.waves(of).map(({ length }) => length);

describe("the size of a wave", () => {
  it.each([
    ["1", 1],
    [3, 3],
    ["25%", "25%"],
    ["100%", "100%"],
    [" 5 ", 5],
    ["0", undefined],
    [0, undefined],
    [-1, undefined],
    [1.5, undefined],
    ["0%", undefined],
    ["101%", undefined],
    ["25 %", undefined],
    ["a", undefined],
    ["", undefined],
  ])("%j is %j", (text, size) => {
    expect(parseWaveSize(text)).toBe(size);
  });

  it.each<[WaveSize, number, number]>([
    [3, 10, 3],
    ["25%", 10, 2],
    ["25%", 3, 1],
    ["100%", 3, 3],
    ["1%", 1, 1],
  ])("%s of %i hosts is %i", (size, all, count) => {
    expect(hostsIn(size, all)).toBe(count);
  });
});

describe("waves", () => {
  it("are one host, a quarter and the rest unless somebody says otherwise", () => {
    expect(sizes(waveLimits({ step: step(), hosts, rules: {} }, new Map(), {}))).toEqual([1, 2, 7]);
  });

  it.each([
    ["the play", { serial: [5] }, {}, [5, 5]],
    ["the run, before the play", { serial: [5] }, { serial: [2, "100%"] as WaveSize[] }, [2, 8]],
  ])("are as %s says", (_, rules, ofRun, expected) => {
    expect(sizes(waveLimits({ step: step(), hosts, rules }, new Map(), ofRun))).toEqual(expected);
  });

  it.each([
    ["one by one", ONE_BY_ONE, Array(10).fill(1)],
    ["as its next says", AS_NEXT_SAYS, [10]],
  ])("of a step that goes %s are its own, whatever is said", (_, own, expected) => {
    const limits = waveLimits({ step: step(own), hosts, rules: { serial: [5] } }, new Map(), { serial: [3] });
    expect(sizes(limits)).toEqual(expected);
  });

  it("take no more of a group than it bears", () => {
    const rules = new Map([["rack", { hosts: ["h1", "h2", "h3", "elsewhere"], serial: [1] }]]);
    const limits = waveLimits({ step: step(), hosts, rules: { serial: ["100%"] } }, rules, {});
    expect(limits.waves(hosts)).toEqual([
      hosts.filter((host) => !["h2", "h3"].includes(host)),
      ["h2"],
      ["h3"],
    ]);
  });

  it("are of one host each where that is to be alone, in its turn", () => {
    const limits = waveLimits({ step: step(), hosts, rules: { serial: ["100%"] } }, new Map(), {});
    const alone = (host: string) => ["h0", "h2"].includes(host);
    expect(limits.waves(hosts.slice(0, 5), alone)).toEqual([["h0"], ["h1", "h3", "h4"], ["h2"]]);
  });

  it("of those that wait are counted of all that the step is for", () => {
    expect(sizes(waveLimits({ step: step(), hosts, rules: {} }, new Map(), {}), hosts.slice(6))).toEqual([
      1, 2, 1,
    ]);
  });
});

describe("failures", () => {
  const limits = (rules: object, groups = new Map(), ofRun = {}) =>
    waveLimits({ step: step(), hosts, rules }, groups, ofRun);

  it.each([
    ["none is too many by default", limits({}), ["h1"], 0],
    ["no more than the play takes", limits({ maxFail: 1 }), ["h1", "h2"], 1],
    ["as many as the play takes", limits({ maxFail: 1 }), ["h1"], undefined],
    ["the run counts first", limits({ maxFail: 5 }, new Map(), { maxFail: 0 }), ["h1"], 0],
    [
      "a group takes fewer",
      limits({ maxFail: 5 }, new Map([["g", { hosts: ["h1", "h2"], maxFail: 0 }]])),
      ["h1"],
      0,
    ],
    [
      "of others a group says nothing",
      limits({ maxFail: 5 }, new Map([["g", { hosts: ["h1", "h2"], maxFail: 0 }]])),
      ["h3"],
      undefined,
    ],
    ["nobody failed", limits({}), [], undefined],
  ])("%s", (_, given, failed, most) => {
    expect(given.exceededBy(failed)).toBe(most);
  });
});

describe("the time that the mesh is watched after a wave", () => {
  const racks = new Map([
    ["slow", { hosts: ["h1"], holdMs: 60_000 }],
    ["fast", { hosts: ["h2"], holdMs: 1_000 }],
  ]);

  it.each([
    ["none unless somebody says so", {}, {}, new Map(), ["h0"], 0],
    ["as the play says", { holdMs: 30_000 }, {}, new Map(), ["h0"], 30_000],
    ["the longest that any of its hosts asks for", { holdMs: 30_000 }, {}, racks, ["h1", "h2"], 60_000],
    ["the play's where a group asks for less", { holdMs: 30_000 }, {}, racks, ["h2"], 30_000],
    ["the run's before all others", { holdMs: 30_000 }, { holdMs: 0 }, racks, ["h1"], 0],
  ])("is %s", (_, rules, ofRun, groups, wave, expected) => {
    expect(waveLimits({ step: step(), hosts, rules }, groups, ofRun).holdMs(wave)).toBe(expected);
  });
});
