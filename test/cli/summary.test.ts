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
