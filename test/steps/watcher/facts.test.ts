import { describe, expect, it } from "vitest";
import { parseProbeOutput } from "../../../src/evidence/probe-output.ts";
import type { InventoryView } from "../../../src/inventory/view.ts";
import { ProbeNotUnderstood } from "../../../src/step.ts";
import { watcherFacts } from "../../../src/steps/watcher/facts.ts";
import { watcher } from "../../../src/steps/watcher/index.ts";
import { desired, service } from "./world.ts";

const read = (...lines: (readonly string[])[]) =>
  watcherFacts(parseProbeOutput(lines.map((fields) => fields.join("\t")).join("\n")));
const hex = (text: string) => Buffer.from(text).toString("hex");
const base64 = (text: string) => `b64:${Buffer.from(text).toString("base64")}`;
const HAPROXY = ["haproxy", "ok", "12", "meshctl-x"];

describe("the watcher's probe", () => {
  it("tells a path that does not exist from one without children", () => {
    const { registry } = read(
      HAPROXY,
      ["registry", "ok", "10.0.0.2:2181"],
      ["path", "empty", "present"],
      ["path", "gone", "absent"],
      ["path", "full", "present"],
      ["child", "full", hex("a_1"), hex('{"host":"ü"}')],
    );
    expect(registry).toEqual({
      member: "10.0.0.2:2181",
      children: new Map([
        ["empty", new Map()],
        ["gone", undefined],
        ["full", new Map([["a_1", '{"host":"ü"}']])],
      ]),
    });
  });

  it("believes the record of a start only when it is of this start", () => {
    const process = ["process", "4711", " meshctl-watcher ", "   34", "/usr/bin/ruby x"];
    const record = (invocation: string) => base64(`invocation ${invocation}\n${"a".repeat(64)}  /etc/x y`);
    const invocation = ["unit", "meshctl-watcher.service", "InvocationID", "abc"];
    const now = read(HAPROXY, invocation, process, ["started", record("abc")]);
    expect(now.process).toMatchObject({ user: "meshctl-watcher", ageSeconds: 34 });
    expect(now.process?.startedWith).toEqual(new Map([["/etc/x y", "a".repeat(64)]]));
    expect(
      read(HAPROXY, invocation, process, ["started", record("old")]).process?.startedWith,
    ).toBeUndefined();
  });

  it("believes what HAProxy was loaded with only when it is of this start", () => {
    const loaded = (invocation: string) => {
      const record = ["loaded", base64(`# invocation ${invocation}\nglobal\n  maxconn 5`)];
      const { haproxy } = read(HAPROXY, ["unit", "haproxy.service", "InvocationID", "abc"], record);
      return "loaded" in haproxy ? haproxy.loaded?.sections : undefined;
    };
    expect(loaded("abc")).toMatchObject([{ kind: "global", lines: [{ text: "maxconn 5", line: 3 }] }]);
    expect(loaded("old")).toBeUndefined();
  });

  it("reads which servers the installer left out and why, also as an older one wrote it", () => {
    const line = (field: string) => read(HAPROXY, ["install", base64(`ok\tabc\tsaid\t${field}`)]).install;
    expect(line("a/b_x:1=outside a/c:2")?.leftOut).toEqual([
      { server: "a/b_x:1", code: "outside" },
      { server: "a/c:2", code: "unresolved" },
    ]);
    expect(line("")?.leftOut).toEqual([]);
  });

  it("tells a process that a signal has stopped", () => {
    const process = (state: string) => ["process", "4711", "u", "34", "/usr/bin/ruby x", state];
    expect(read(HAPROXY, process("Tsl")).process?.isFrozen).toBe(true);
    expect(read(HAPROXY, process("Ssl")).process?.isFrozen).toBe(false);
  });

  it("takes a process that ended meanwhile for none", () => {
    expect(read(HAPROXY, ["process", "4711", "", "", ""]).process).toBeUndefined();
  });

  it("reads what the installer said", () => {
    const line = base64("invalid\tabc\t[ALERT] no\n".trimEnd());
    expect(read(HAPROXY, ["install", line]).install).toEqual({
      outcome: "invalid",
      digest: "abc",
      message: "[ALERT] no",
      leftOut: [],
    });
    const reload = base64("failed\tmeshctl-x\tthe old worker serves on\t388");
    expect(read(HAPROXY, ["reload", reload]).reload).toMatchObject({ worker: 388 });
  });

  it("is not understood without a word on HAProxy", () => {
    expect(() => read(["ruby", "ruby3.1"])).toThrow(ProbeNotUnderstood);
  });

  it("is asked only for services that are discovered", () => {
    const want = desired({ services: [service(), service({ name: "fixed", path: undefined })] });
    expect(watcher.probe!(want).args).toEqual([
      "2181",
      "10.0.0.2:2181,10.0.0.3:2181,10.0.0.4:2181",
      "user-api",
      "/services/user-api",
    ]);
  });
});

describe("the watcher's parameters", () => {
  it("keep the last servers unless told otherwise", () => {
    expect(watcher.parameters.parse({})).toEqual({ when_empty: "keep_last" });
    expect(watcher.parameters.safeParse({ when_empty: "panic" }).success).toBe(false);
    expect(watcher.parameters.safeParse({ gem: 1 }).success).toBe(false);
  });

  it("name a build host that there is", () => {
    const inventory = { hosts: new Map([["kvm-01", {}]]) } as unknown as InventoryView;
    const problems = (build_host: string) =>
      watcher.problems!({ when_empty: "keep_last", build_host }, {} as never, inventory);
    expect(problems("kvm-01")).toEqual([]);
    expect(problems("kvm-09")).toEqual([
      { path: ["build_host"], message: '"kvm-09" is not a host of the inventory' },
    ]);
  });
});
