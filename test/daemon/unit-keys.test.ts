import { expect, it } from "vitest";
import { harmOf, holdsBack } from "../../src/daemon/unit-keys.ts";

it("a drop-in that has a service give way to all others", () => {
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

it("a harmless setting with a value that does harm", () => {
  for (const [key, value] of [
    ["TimeoutStopSec", "1"],
    ["KillMode", "process"],
    ["SendSIGKILL", "no"],
    ["KillSignal", "SIGKILL"],
    ["SuccessExitStatus", "143 SIGSEGV"],
    ["StartLimitBurst", "1"],
    ["OnFailure", "poweroff.target"],
    ["FailureAction", "reboot-force"],
    ["UMask", "0777"],
  ] as const)
    expect([key, harmOf(key, value)]).toEqual([key, expect.any(String)]);
  for (const [key, value] of [
    ["TimeoutStopSec", "90"],
    ["TimeoutStopSec", "infinity"],
    ["TimeoutStopSec", "15min"],
    ["KillMode", "mixed"],
    ["SendSIGKILL", "yes"],
    ["KillSignal", "SIGUSR1"],
    ["SuccessExitStatus", "143"],
    ["StartLimitBurst", "5"],
    ["OnFailure", "alert@%n.service"],
    ["FailureAction", "none"],
    ["UMask", "0077"],
  ] as const)
    expect([key, harmOf(key, value)]).toEqual([key, undefined]);
});
