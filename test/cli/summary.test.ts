import { Chalk } from "chalk";
import { expect, it } from "vitest";
import { summaryView } from "../../src/cli/ui/summary.ts";

it("says that nothing changed only of a host that is as wanted", () => {
  const rest = { changed: [], unproven: [], execs: 1 };
  const hosts = [
    { host: "a", is: "as wanted", ...rest },
    { host: "b", is: "drift", because: "sysctl: x: it is 1", ...rest },
  ] as const;
  const text = summaryView({ hosts, durationMs: 100, exitCode: 2 }, new Chalk({ level: 0 }));
  expect(text.split("\n").slice(0, 3)).toEqual([
    "a  as wanted  nothing changed",
    "b  drift",
    "    sysctl: x: it is 1",
  ]);
});

it("tells what hosts have in common once, under all their names", () => {
  const change = { step: "sysctl", change: "drop-in", why: "6 settings are not as wanted" };
  const done = { is: "as wanted", changed: [change], unproven: [], execs: 4 } as const;
  const hosts = [
    { host: "a", ...done },
    { host: "b", ...done, changed: [] },
    { host: "c", ...done, execs: 5 },
  ];
  const text = summaryView({ hosts, durationMs: 1_000, exitCode: 0 }, new Chalk({ level: 0 }));
  expect(text.split("\n")).toEqual([
    "a, c  as wanted  1 change",
    "    sysctl · drop-in: 6 settings are not as wanted",
    "b  as wanted  nothing changed",
    "3 as wanted · 1.0 s · 13 SSH execs",
  ]);
});
