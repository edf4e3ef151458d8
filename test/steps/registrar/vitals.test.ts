import { describe, expect, it } from "vitest";
import { instanceVital, serverVital } from "../../../src/haproxy/vitals.ts";
import { marks } from "../../../src/steps/registrar/service.ts";
import { desired, userApi } from "./world.ts";

describe("what the proxies' vitals are to a registrar's host", () => {
  it("is its own or has left, by the names that proxies have for it", () => {
    expect(marks(desired({ others: ["order-api"] }))).toEqual(
      new Map([
        ["server app-01_10.0.0.11 of order-api", { is: "left" }],
        ["server app-01_10.0.0.11 of user-api", { is: "own", instance: "app-01 of user-api" }],
        ["registration of user-api", { is: "own" }],
      ]),
    );
    expect(marks(desired({ formerly: "legacy" })).get("server app-01_10.0.0.11 of user-api")).toEqual({
      is: "own",
      instance: "app-01 of user-api",
      formerly: "legacy of user-api",
    });
    const two = [userApi, { ...userApi, key: "user-api:9001", port: 9001 }];
    expect(marks(desired({ services: two })).get("server app-01_10.0.0.11 of user-api")).toEqual({
      is: "own",
      instance: "app-01 of user-api",
      count: 2,
    });
    expect(serverVital("app-01_10.0.0.11:9000", "order-api")).toBe("server app-01_10.0.0.11 of order-api");
    expect(instanceVital("app-01", "user-api")).toBe("app-01 of user-api");
  });
});
