import { describe, expect, it } from "vitest";
import { canaryData, canaryServer, probeService, whyNot } from "../../src/canary/prove-service.ts";
import { timingsOf } from "../../src/canary/timings.ts";
import { stoppedWords } from "../../src/cli/probe-command.ts";
import type { Remote } from "../../src/remote/remote.ts";
import { backendOf, serverName } from "../../src/steps/watcher/backends.ts";
import { desired, service } from "../steps/watcher/world.ts";

const canary = { host: "kvm-01", address: "10.0.0.2", port: 65_100 };

it.each([
  [[], undefined],
  [[7], { min: 7, median: 7, max: 7 }],
  [[30, 10, 20], { min: 10, median: 20, max: 30 }],
  [[40, 10, 30, 20], { min: 10, median: 25, max: 40 }],
])("sums up the times %j as %j", (values, timings) => {
  expect(timingsOf(values)).toEqual(timings);
});

it("waits for the canary under the name that Synapse gives it", () => {
  const backend = backendOf(canaryData(canary, service()), desired().policy, "user-api");
  expect("refused" in backend ? backend.refused : serverName(backend)).toBe(canaryServer(canary));
});

it("registers a canary that gets no request of the application's", () => {
  expect(JSON.parse(canaryData(canary, service()))).toMatchObject({
    haproxy_server_options: expect.stringMatching(/^weight 0( |$)/),
  });
});

it.each([
  ["tcp", true, "weight 0 fall 2 check"],
  ["tcp", undefined, "weight 0 fall 2"],
  // A request tells.
  ["http", true, "weight 0 fall 2"],
] as const)("registers a canary that is checked where mode is %s and check off %s", (mode, off, options) => {
  const checked = { ...service(), mode, check: { ...service().check, off } };
  expect(JSON.parse(canaryData(canary, checked)).haproxy_server_options).toBe(options);
  expect(backendOf(canaryData(canary, checked), desired().policy, "user-api")).not.toHaveProperty("refused");
});

it.each([
  [{ status: "absent", check: "", answered: "" }, "not served within 20 s: HAProxy does not have it"],
  [
    { status: "DOWN", check: "L4TOUT", answered: "something else: HTTP/1.0 503 Service Unavailable" },
    "not served within 20 s: HAProxy shows DOWN, check L4TOUT, the request was answered by something else: HTTP/1.0 503 Service Unavailable",
  ],
])("says what HAProxy showed last: %j", (last, words) => {
  expect(whyNot("served", 20, last)).toBe(words);
});

describe("a probe whose canary", () => {
  /** A host whose canary ends as it says, and which sees it come and go at once. */
  const remote = (isHeld: boolean, isGone: boolean): Remote => ({
    host: "kvm-01",
    execs: 0,
    run: async () => ({
      exitCode: 0,
      stdout: isHeld ? "yes\tUP\tL4OK\t\n" : "no\tabsent\t\t\n",
      stderr: "",
      sentAtMs: performance.now(),
      firstByteAtMs: performance.now(),
    }),
    hold: async () => ({ firstLine: "registered", isHeld, release: async () => isGone }),
    talk: () => Promise.reject(new Error("nobody talks with it")),
    end: async () => {},
    anew: () => remote(isHeld, isGone),
  });
  const probe = (isHeld: boolean, isGone: boolean) =>
    probeService({
      service: { ...service(), discovery: { by: "zookeeper", path: "/services/user-api" } },
      canary,
      proxies: ["kvm-01"],
      members: ["10.0.0.2:2181"],
      nonce: "x",
      deadlineMs: 1000,
      remoteOf: () => remote(isHeld, isGone),
      waiting: () => {},
      stop: new AbortController().signal,
    });

  it("stays until it is taken away proves what the proxies showed", async () => {
    expect(await probe(true, true)).toMatchObject({
      failed: undefined,
      isLeft: false,
      proxies: [{ servedMs: expect.any(Number), goneMs: expect.any(Number), because: undefined }],
    });
  });

  it("is lost meanwhile proves nothing of any proxy", async () => {
    expect(await probe(false, false)).toMatchObject({
      failed: expect.stringMatching(/^the canary was lost before every proxy served it/),
      proxies: [],
    });
  });

  it("was not seen to end is not said to be gone when the probe is stopped", async () => {
    expect(stoppedWords(await probe(true, true))).toBe("Stopped; the canary was taken away.");
    expect(stoppedWords(await probe(true, false))).toContain(
      "kvm-01 did not say that the canary of user-api is gone",
    );
    expect(stoppedWords(undefined)).toBe("Stopped.");
  });
});
