import { describe, expect, it } from "vitest";
import { load } from "./load.ts";

/** The parameters of a play's first step, by host. */
async function parametersOf(texts: Parameters<typeof load>[0], play = 0): Promise<unknown> {
  const { job } = await load(texts);
  return Object.fromEntries(job.plays[play]!.steps[0]!.parameters);
}

const haproxy = (parameters: string) =>
  `version: 1\nplays:\n  - hosts: all\n    steps: { haproxy: ${parameters} }\n`;

const two = (a: string, groups = "") =>
  `version: 1\nhosts:\n  a: { address: 10.0.0.1${a} }\n  b: { address: 10.0.0.2 }\n${groups}`;

describe("parameters", () => {
  it("come from the host, its group, the play, the step's defaults, in this order", async () => {
    const inventory = two(
      ", haproxy: { maxconn: 3 }",
      "groups: { g: { hosts: [a, b], haproxy: { maxconn: 2, timeout_connect: 2s } } }\n",
    );
    const playbook = haproxy("{ maxconn: 1, timeout_connect: 1s, adopt: true }");
    expect(await parametersOf({ inventory, playbook })).toEqual({
      a: { maxconn: 3, timeout_connect: 2000, adopt: true },
      b: { maxconn: 2, timeout_connect: 2000, adopt: true },
    });
    expect(await parametersOf({ inventory: two(""), playbook: haproxy("") })).toMatchObject({
      a: { maxconn: 50_000, timeout_connect: 500, adopt: false },
    });
  });

  it("merge maps and replace lists", async () => {
    const inventory = two(", haproxy: { log: { level: notice } }, preflight: { virtualization: [kvm] }");
    const playbook = `version: 1
plays:
  - hosts: a
    steps:
      haproxy: { log: { level: info, to: /dev/log } }
      preflight: { virtualization: [kvm, none, xen] }
`;
    const { job } = await load({ inventory, playbook });
    const [proxy, preflight] = job.plays[0]!.steps;
    expect(proxy!.parameters.get("a")).toMatchObject({ log: { level: "notice", to: "/dev/log" } });
    expect(preflight!.parameters.get("a")).toMatchObject({ virtualization: ["kvm"] });
  });

  it("may be given by two groups that agree, or that the host settles", async () => {
    const groups = (second: number) => `groups:
  x: { hosts: [a], haproxy: { maxconn: 1, timeout_connect: 1s } }
  y: { hosts: [x], haproxy: { maxconn: ${second} } }
`;
    const agreed = { inventory: two("", groups(1)), playbook: haproxy("{}") };
    expect(await parametersOf(agreed)).toMatchObject({ a: { maxconn: 1, timeout_connect: 1000 } });
    const settled = { inventory: two(", haproxy: { maxconn: 3 }", groups(2)), playbook: haproxy("{}") };
    expect(await parametersOf(settled)).toMatchObject({ a: { maxconn: 3 } });
  });

  it("stand at every host for every step, whether or not a play gives the step to it", async () => {
    const inventory = two(", haproxy: { maxconn: 3 }");
    const { inventory: loaded } = await load({ inventory });
    expect(loaded.hosts.get("a")?.parameters.get("haproxy")).toMatchObject({ maxconn: 3 });
    expect(loaded.hosts.get("b")?.parameters.get("haproxy")).toMatchObject({ maxconn: 50_000 });
    // Its one parameter is required, and nobody gives it.
    expect(loaded.hosts.get("b")?.parameters.has("mysql")).toBe(false);
  });
});

describe("plays", () => {
  it("keep the file's order of plays and steps, and the inventory's of hosts", async () => {
    const playbook = `version: 1
plays:
  - hosts: [c, a]
    steps: { watcher: {}, haproxy: , sysctl: {} }
  - hosts: "all,!a,!c"
    steps: { sysctl: {} }
`;
    const { job } = await load({ playbook });
    expect(job.plays.map((play) => [play.hosts, play.steps.map(({ step }) => step.name)])).toEqual([
      [
        ["a", "c"],
        ["watcher", "haproxy", "sysctl"],
      ],
      [["b"], ["sysctl"]],
    ]);
  });

  it("are left out for an empty group, and when they are optional for one that is not there", async () => {
    const inventory = two("", "groups: { nobody: [] }\n");
    const playbook = `version: 1
plays:
  - { hosts: nobody, steps: { mysql: {} } }
  - { hosts: databases, optional: true, steps: { mysql: {} } }
  - { hosts: all, steps: { sysctl: {} } }
`;
    const { job } = await load({ inventory, playbook });
    expect(job.plays.map((play) => play.hosts)).toEqual([["a", "b"]]);
  });

  it("say how many hosts a wave may disrupt, how many may fail and how long the mesh is watched, and groups say so, too", async () => {
    const inventory = two(
      "",
      "groups: { rack: { hosts: [a, b], serial: 1 }, slow: { hosts: [b], hold: 5m }, plain: [a] }\n",
    );
    const playbook = `version: 1
plays:
  - { hosts: all, serial: [1, 25%], max_fail: 2, hold: 30s, steps: { preflight: {} } }
  - { hosts: all, serial: 50%, steps: { sysctl: {} } }
`;
    const { job, inventory: read } = await load({ inventory, playbook });
    expect(job.plays.map(({ rules }) => rules)).toEqual([
      { serial: [1, "25%"], maxFail: 2, holdMs: 30_000 },
      { serial: ["50%"], maxFail: undefined, holdMs: undefined },
    ]);
    expect(read.rules).toEqual(
      new Map<string, object>([
        ["rack", { hosts: ["a", "b"], serial: [1] }],
        ["slow", { hosts: ["b"], holdMs: 300_000 }],
      ]),
    );
  });

  it("hold commands around the changes of each step, those of a step within those of its play", async () => {
    const playbook = `version: 1
plays:
  - hosts: a
    before: drain
    after: [{ run: [undrain, "two words"], timeout: 5m }]
    steps:
      haproxy:
        maxconn: 7
        before: [{ run: lock-dashboard, per: wave }, "echo $HOME"]
        after: { run: unlock-dashboard, timeout: 10s, per: wave }
      sysctl: {}
`;
    const { job } = await load({ playbook });
    const hook = (command: string, timeoutMs = 60_000, per = "host") => ({ command, timeoutMs, per });
    const ofPlay = { before: [hook("drain")], after: [hook("undrain 'two words'", 300_000)] };
    expect(job.plays[0]!.steps.map(({ hooks }) => hooks)).toEqual([
      {
        before: [...ofPlay.before, hook("lock-dashboard", 60_000, "wave"), hook("echo $HOME")],
        after: [hook("unlock-dashboard", 10_000, "wave"), ...ofPlay.after],
      },
      ofPlay,
    ]);
    expect(job.plays[0]!.steps[0]!.parameters.get("a")).not.toHaveProperty("before");
  });
});
