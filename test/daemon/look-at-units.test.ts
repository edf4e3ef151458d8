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

it("asks a host for no more drop-ins than a unit has", async () => {
  const paths = Array.from({ length: 201 }, (_, at) => `/etc/x/${at}.conf`);
  const reader = new Reader(tellOf({ units: { [UNIT]: { DropInPaths: paths.join(" ") } } }));
  await expect(lookAtUnit(reader, UNIT)).rejects.toThrow(NotUnderstood);
});
