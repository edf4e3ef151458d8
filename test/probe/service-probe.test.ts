import { expect, it } from "vitest";
import { canaryData, canaryServer, whyNot } from "../../src/probe/service-probe.ts";
import { timingsOf } from "../../src/probe/timings.ts";
import { backendOf, serverName } from "../../src/steps/watcher/backends.ts";

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
  expect(serverName(backendOf(canaryData(canary))!)).toBe(canaryServer(canary));
});

it("registers a canary that gets no request of the application's", () => {
  expect(JSON.parse(canaryData(canary))).toMatchObject({ haproxy_server_options: "weight 0" });
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
