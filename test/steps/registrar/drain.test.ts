import { describe, expect, it } from "vitest";
import { drain } from "../../../src/steps/registrar/drain.ts";
import { assessed, bare, desired, seen, userApi } from "./world.ts";

describe("a host's backends leave the mesh", () => {
  it("when its registrar stops, for as long as it is told to at most", () => {
    const want = desired({ services: [userApi, { ...userApi, key: "user-api:9001", port: 9001 }] });
    const { leave, rest, enter } = drain(want, seen(want))!;
    const told = [leave(90_500), rest, enter].map(({ file, args }) => [
      file.pathname.split("/").at(-1),
      ...args,
    ]);
    expect(told).toEqual([
      ["drain.sh", "meshctl-registrar.service", "91"],
      ["rest.sh", "10", "9000", "9001"],
      ["undrain.sh", "meshctl-registrar.service"],
    ]);
  });

  it("nowhere that none is registered: what does not run is not started by it", () => {
    expect(drain(desired({ services: [] }), seen(desired()))).toBeUndefined();
    expect(drain(desired(), bare())).toBeUndefined();
  });

  it("and what has stopped it is told of a registrar that does not run", () => {
    const stopped = { process: undefined, isDrained: true };
    const { ids, row } = assessed(desired(), { unit: { active: "inactive" }, facts: stopped });
    expect(ids).toEqual(["restart"]);
    expect(row("meshctl-registrar.service").because).toContain("systemd starts it again by itself");
  });
});
