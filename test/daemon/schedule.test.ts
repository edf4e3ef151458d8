import { expect, it } from "vitest";
import { heldBack, holdsBack, scheduleOf } from "../../src/daemon/schedule.ts";

/** As the kernel prints it: nice is the 19th field, the policy the 41st. */
const stat = (nice: number, policy: number, name = "java") =>
  `7 (${name}) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 ${nice} 30 0 100 ${"0 ".repeat(18)}${policy} 0 0 0`;
const told = (nice: number, policy: number, score = "0\n", name?: string) => {
  const schedule = scheduleOf(stat(nice, policy, name), score);
  return heldBack("x.service", 7, schedule!);
};

it("what gives way to all others is told, with the command that gives it back", () => {
  expect(told(19, 0)).toEqual(["PID 7 of x.service gives way to others (nice 19): renice -n 0 -p 7"]);
  expect(told(0, 5)).toEqual([expect.stringContaining("SCHED_IDLE): chrt -a -o -p 0 7")]);
  expect(told(0, 0, "1000\n")).toEqual([expect.stringContaining("oom_score_adj 1000")]);
});

it("what a host or its package sets for a service is nobody's business", () => {
  for (const [nice, policy, score] of [
    [0, 0, "0\n"],
    [-5, 0, "-600\n"],
    [5, 3, "100\n"],
    [0, 1, "-1000\n"],
  ] as const)
    expect(told(nice, policy, score, "a) S 1 (b")).toEqual([]);
  expect(scheduleOf("", "")).toBeUndefined();
});

it("a drop-in that does so at the next start", () => {
  for (const [key, value] of [
    ["Nice", "19"],
    ["CPUSchedulingPolicy", "idle"],
    ["IOSchedulingClass", "idle"],
    ["CPUWeight", "idle"],
    ["OOMScoreAdjust", "1000"],
  ] as const)
    expect([key, holdsBack(key, value)]).toEqual([key, true]);
  for (const [key, value] of [
    ["Nice", "-5"],
    ["CPUSchedulingPolicy", "rr"],
    ["IOSchedulingClass", "best-effort"],
    ["CPUWeight", "200"],
    ["OOMScoreAdjust", "-600"],
  ] as const)
    expect([key, holdsBack(key, value)]).toEqual([key, false]);
});
