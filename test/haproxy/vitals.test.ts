import { describe, expect, it } from "vitest";
import type { ServerState } from "../../src/haproxy/server-state.ts";
import { serverVitals } from "../../src/haproxy/vitals.ts";

const services = [{ name: "api", discovered: true, servers: [], downAfterMs: 0 }];

function vitalOf(status: string, check: string, more: Partial<ServerState> = {}) {
  const server: ServerState = {
    ...{
      backend: "api",
      name: "app-01_10.0.0.2:9001",
      status,
      weight: 1,
      address: "10.0.0.2:9001",
      limit: 0,
    },
    check: { status: check, code: "", words: "" },
    ...more,
  };
  return serverVitals([server], services)[0]![1];
}

describe("a server of a proxy", () => {
  it.each([
    ["UP", "L4OK", undefined],
    ["no check", "", undefined],
    ["DRAIN", "L4OK", undefined],
    ["UP 1/2", "INI", "is UP 1/2: no check has passed yet"],
    ["DRAIN 1/2", "INI", "is DRAIN 1/2: no check has passed yet"],
    ["UP", "* INI", "is UP: no check has passed yet"],
    // Back from maintenance it shows the check from before.
    ["UP 1/2", "* L7OK", "is UP 1/2: no check has passed yet"],
    ["UP 2/3", "L4CON", "is UP 2/3: its last check failed (L4CON)"],
    ["NOLB 1/2", "* L7STS", "is NOLB 1/2: its last check failed (L7STS)"],
  ])("that is %s (%s) is well, and unproven: %s", (status, check, unproven) => {
    expect(vitalOf(status, check)).toMatchObject({ is: "well", unproven });
  });

  it.each<[string, Partial<ServerState>, object]>([
    ["instance and address", {}, { instance: "app-01 of api", address: "10.0.0.2" }],
    [
      "address of version 6",
      { name: "app-01_[2001:db8::1]:9001", address: "[2001:db8::1]:9001" },
      { instance: "app-01 of api", address: "2001:db8::1" },
    ],
    ["idleness", { weight: 0 }, { isSpared: true }],
    [
      "bare name and no address",
      { name: "a", address: undefined },
      { instance: undefined, address: undefined },
    ],
  ])("tells of its %s, also when it is down", (_, more, server) => {
    expect(vitalOf("UP", "L4OK", more)).toMatchObject({ server });
    expect(vitalOf("DOWN", "L4CON", more)).toMatchObject({ is: "bad", server });
  });
});
