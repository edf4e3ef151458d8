import { expect, it, vi } from "vitest";
import { quickestClock } from "../../src/engine/quickest-clock.ts";
import { tellTime } from "../told-time.ts";

vi.mock("node:timers/promises", () => import("../told-sleep.ts"));
tellTime();

it.each([
  ["one is enough where it is good", [20], false, 20, 1],
  ["a second is made where the first is wide", [400, 20, 10], false, 20, 2],
  ["the quickest of four counts where the host is far away", [400, 300, 350, 320, 1], false, 300, 4],
  ["more are made while this machine is busy", [900, 800, 700, 600, 500, 90], true, 90, 6],
  ["no more than eight", [900, 800, 700, 600, 500, 400, 300, 200, 1], true, 200, 8],
] as const)("%s", async (_, widths, isBusy, width, made) => {
  const clocks = widths.map((uncertaintyMs, at) => ({ skewMs: at, uncertaintyMs }));
  let count = 1;
  let heldUp = 0;
  const heldUpMs = () => {
    if (isBusy) heldUp += 50;
    return heldUp;
  };
  const again = async () => clocks[count++]!;
  expect(await quickestClock(clocks[0]!, again, heldUpMs, 0)).toEqual({
    skewMs: (widths as readonly number[]).indexOf(width),
    uncertaintyMs: width,
  });
  expect(count).toBe(made);
});

it("what was compared counts where no more is answered", async () => {
  const wide = { skewMs: 1, uncertaintyMs: 400 };
  expect(
    await quickestClock(
      wide,
      async () => undefined,
      () => 0,
      0,
    ),
  ).toEqual(wide);
});

it("a machine that was busy once is not busy for ever", async () => {
  const wide = { skewMs: 1, uncertaintyMs: 400 };
  let count = 1;
  const again = async () => {
    count += 1;
    return wide;
  };
  expect(await quickestClock(wide, again, () => 50, 0)).toEqual(wide);
  expect(count).toBe(4);
});
