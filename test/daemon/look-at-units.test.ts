import { expect, it } from "vitest";
import { lookAtUnit } from "../../src/daemon/look-at-units.ts";
import { NotUnderstood } from "../../src/reader/answer.ts";
import { Reader } from "../../src/reader/reader.ts";
import { tellOf } from "../reader/told-host.ts";

const UNIT = "x.service";

it("tells the lines of drop-ins that say how a unit starts, by their keys", async () => {
  const path = `/etc/systemd/system/${UNIT}.d/a.conf`;
  const reader = new Reader(
    tellOf({
      files: { [path]: "[Service]\n  User = nobody\nEnvironment=A=b\nNice=1\n" },
      units: { [UNIT]: { LoadState: "loaded", DropInPaths: path } },
    }),
  );
  expect(await lookAtUnit(reader, UNIT)).toMatchObject({
    needDaemonReload: false,
    startLines: [
      { path, line: 2, key: "User" },
      { path, line: 3, key: "Environment" },
    ],
  });
});

it("takes another package's drop-in for anybody's, and not one of all services", async () => {
  const own = `/usr/lib/systemd/system/${UNIT}.d/50-vendor.conf`;
  const all = "/usr/lib/systemd/system/service.d/10-all.conf";
  const reader = new Reader(
    tellOf({
      files: { [own]: "[Unit]\nWants=a.service\n", [all]: "[Service]\nTimeoutAbortSec=1\n" },
      units: { [UNIT]: { LoadState: "loaded", DropInPaths: `${own} ${all}` } },
    }),
  );
  const { next } = await lookAtUnit(reader, UNIT);
  expect(next?.lines.map(({ path, key }) => [path, key])).toEqual([[own, "Wants"]]);
});

it("tells units that it is to be started before and after, and those before it that never came up", async () => {
  const fragment = (place: string, more = {}) => ({ FragmentPath: place, ActiveState: "inactive", ...more });
  const reader = new Reader(
    tellOf({
      units: {
        [UNIT]: {
          LoadState: "loaded",
          Before: "b.service c.target late.service shutdown.target",
          After: "b.service wait.service done.service lib.service",
        },
        "b.service": fragment("/lib/systemd/system/b.service", { ActiveState: "active" }),
        "wait.service": fragment("/etc/systemd/system/wait.service"),
        "done.service": fragment("/etc/systemd/system/done.service", {
          InvocationID: "12",
          After: "late.service",
        }),
        "late.service": fragment("/etc/systemd/system/late.service"),
        "lib.service": fragment("/lib/systemd/system/lib.service"),
      },
    }),
  );
  const { next } = await lookAtUnit(reader, UNIT);
  expect([next?.circle, next?.neverRun]).toEqual([
    ["b.service", "late.service, which is started before done.service,"],
    ["wait.service"],
  ]);
});

it("asks a host for no more drop-ins than a unit has", async () => {
  const paths = Array.from({ length: 201 }, (_, at) => `/etc/x/${at}.conf`);
  const reader = new Reader(tellOf({ units: { [UNIT]: { DropInPaths: paths.join(" ") } } }));
  await expect(lookAtUnit(reader, UNIT)).rejects.toThrow(NotUnderstood);
});
