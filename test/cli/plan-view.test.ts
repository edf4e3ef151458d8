import { Chalk } from "chalk";
import { describe, expect, it } from "vitest";
import { hooksView, planView, wavesView } from "../../src/cli/ui/plan-view.ts";
import type { Change } from "../../src/contract/change.ts";

const plain = { paint: new Chalk({ level: 0 }), verbose: false };

function writing(path: string, content: string, more: Partial<Change> = {}): Change {
  const command = {
    kind: "write",
    path,
    content: [content],
    mode: "0644",
    owner: "root:root",
    was: undefined,
  } as const;
  return { id: "files", why: "it is missing", commands: [command], activate: [], ...more };
}

const short = writing("/etc/a.conf", "a = 1\n");
const long = writing("/opt/b", "line\n".repeat(21));

describe("the plan", () => {
  it("shows a short new file and names a long one", () => {
    const plan = planView(
      new Map([
        [
          "a",
          [
            { step: "s", change: short },
            { step: "t", change: long },
          ],
        ],
      ]),
      plain,
    );
    expect(plan).toContain("+a = 1");
    expect(plan).toContain("+++ /opt/b (new, 21 lines; -v shows them)");
    expect(plan).not.toContain("+line");
  });

  it("shows all of a long new file when asked to", () => {
    const plan = planView(new Map([["a", [{ step: "t", change: long }]]]), { ...plain, verbose: true });
    expect(plan.match(/\+line/g)).toHaveLength(21);
  });

  it("is one for hosts that share it", () => {
    const changes = [{ step: "s", change: short }];
    const plan = planView(
      new Map([
        ["a", changes],
        ["b", changes],
      ]),
      plain,
    );
    expect(plan.split("\n")[0]).toBe("a, b");
    expect(plan.match(/\+a = 1/g)).toHaveLength(1);
  });

  it("shows a diff once, and what it disrupts and weakens for every host", () => {
    const change = writing("/etc/a.conf", "a = 1\n", {
      disrupts: { kind: "restart", what: "a.service" },
      warning: "weaker",
      trial: { commands: [], undoneAfterMs: 90_000 },
    });
    const plan = planView(
      new Map([
        ["a", [{ step: "s", change }]],
        [
          "b",
          [
            { step: "s", change },
            { step: "t", change: long },
          ],
        ],
      ]),
      plain,
    );
    expect(plan.match(/\+a = 1/g)).toHaveLength(1);
    expect(plan.match(/restarts a\.service/g)).toHaveLength(2);
    expect(plan.match(/! weaker/g)).toHaveLength(2);
    expect(plan.match(/tried first: the host takes it back after 90 s unless/g)).toHaveLength(2);
    expect(plan).toContain("as on a");
  });

  it("says what becomes of a host's backends, and parts hosts by it", () => {
    const change = { ...short, disrupts: { kind: "restart", what: "a.service", drains: true } as const };
    const planned = (drain: string) => [{ step: "s", change, drain }];
    const plan = planView(
      new Map([
        ["a", planned("they leave")],
        ["b", planned("they leave")],
        ["c", planned("they stay")],
      ]),
      plain,
    );
    expect(plan).toContain("a, b\n  ~ s · files: it is missing\n      restarts a.service\n      they leave");
    expect(plan).toContain("c\n  ~ s · files: it is missing\n      restarts a.service\n      they stay");
  });

  it("begins a file's diff with its name", () => {
    const command = {
      kind: "write",
      path: "/etc/a.conf",
      content: ["a = 1\n"],
      mode: "0644",
      owner: "root:root",
      was: "a = 2\n",
    } as const;
    const change = { ...short, commands: [command] };
    expect(planView(new Map([["a", [{ step: "s", change }]]]), plain)).toBe(
      [
        "a",
        "  ~ s · files: it is missing",
        "      --- /etc/a.conf",
        "      +++ /etc/a.conf",
        "      @@ -1,1 +1,1 @@",
        "      -a = 2",
        "      +a = 1",
      ].join("\n"),
    );
  });
});

describe("the waves of a plan", () => {
  const waves = [["a"], ["b", "c"]];

  it("are shown in order, each begun when the one before is proven", () => {
    expect(wavesView([{ step: "s", waves, holdMs: 0 }], plain.paint)).toBe(
      "s disrupts 3 hosts in 2 waves, each begun when the one before is proven:\n    1. a\n    2. b, c",
    );
  });

  it("say how long the mesh is watched after each", () => {
    expect(wavesView([{ step: "s", waves, holdMs: 30_000 }], plain.paint)).toContain(
      "s disrupts 3 hosts in 2 waves, each begun when the one before is proven and the mesh was watched for 30 s:",
    );
    expect(wavesView([{ step: "s", waves: [["a"]], holdMs: 300_000 }], plain.paint)).toBe(
      "s disrupts 1 host in 1 wave, after which the mesh is watched for 5 min:\n    1. a",
    );
  });
});

describe("commands around changes", () => {
  it("are shown with where they run and how long at most", () => {
    const hosts = ["a", "b"];
    const hooks = {
      before: [{ command: "drain\n--now", timeoutMs: 60_000, per: "host" }],
      after: [{ command: "tell-dashboard", timeoutMs: 5_000, per: "wave" }],
    } as const;
    expect(hooksView([{ step: "haproxy", hosts, hooks }], plain.paint)).toBe(
      `around the changes of haproxy on a, b:
  before drain↵--now (on each host, 60 s at most)
  after  tell-dashboard (once for a wave, on its first host, 5 s at most)`,
    );
  });
});
