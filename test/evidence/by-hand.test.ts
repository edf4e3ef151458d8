import { expect, it } from "vitest";
import { packageQuestion, unitQuestion, zookeeperQuestion } from "../../src/evidence/by-hand.ts";

it("asks ZooKeeper where it was asked, if that is an address", () => {
  expect(zookeeperQuestion("10.0.0.2:2181", "srvr")).toContain("<>/dev/tcp/10.0.0.2/2181; printf srvr");
  for (const at of ["$(evil):2181", "10.0.0.2:$(evil)", "x';evil':1", "", "10.0.0.2:2181;evil"])
    expect(zookeeperQuestion(at, "srvr")).toBe("ZooKeeper's answer to srvr");
});

it("quotes names that are none", () => {
  expect(packageQuestion("ruby;evil")).toBe("dpkg-query -W 'ruby;evil'");
  expect(unitQuestion("$(evil).service", "MainPID")).toBe("systemctl show -p MainPID '$(evil).service'");
});
