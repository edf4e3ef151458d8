import { expect, it } from "vitest";
import type { ListedTrap } from "./list.ts";
import { tableOf } from "./table.ts";

const listed = (file: string, title: string): ListedTrap => ({
  file,
  trap: { title, plant: async () => {}, told: [], outcome: { is: "mended" } },
});

it("the table shows every trap, also one that failed and one that was never planted", () => {
  const traps = [listed("a/good.ts", "good"), listed("a/bad.ts", "bad"), listed("a/never.ts", "never")];
  const { ended, table } = tableOf("bookworm", traps, [
    { file: "a/good.ts", verdict: "blocked", because: "it is masked", verify: 2, provision: 0 },
    { file: "a/bad.ts", verdict: "proven", because: "", verify: 0, problem: "Error: expected 2" },
  ]);
  expect(ended).toBe("1 of 3");
  expect(table).toContain("bookworm: 1 of 3 traps ended as they should");
  const lineOf = (title: string) => table.split("\n").find((line) => line.startsWith(` ${title} `));
  expect(lineOf("good")).toMatch(/blocked +it is masked +2 +mended \(0\)/);
  expect(lineOf("bad")).toMatch(/FAILED +0 +–$/);
  expect(table).toContain("Error: expected 2");
  expect(lineOf("never")).toMatch(/NOT PLANTED/);
});
