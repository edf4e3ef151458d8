import { describe, expect, it } from "vitest";
import { zookeeper } from "../../../src/steps/zookeeper/index.ts";
import { parseProperties, serversOf, showServers } from "../../../src/steps/zookeeper/properties.ts";
import { renderUnit, renderZooCfg } from "../../../src/steps/zookeeper/render.ts";
import { desiredFor, inventoryOf } from "./world.ts";

describe("parameters", () => {
  it("have defaults that suit a small ensemble", () => {
    expect(zookeeper.parameters.parse({})).toEqual({
      heap: 2 ** 30,
      data_dir: "/var/lib/zookeeper/data",
      tick_time: 2000,
      init_limit: 10,
      sync_limit: 5,
      autopurge_keep: 3,
      adopt: false,
    });
  });

  it.each([
    [{ id: 0 }, "expected 1–255"],
    [{ id: 256 }, "expected 1–255"],
    [{ heap: "1M" }, "expected 64M or more"],
    [{ data_dir: "/tmp/zookeeper" }, "a place that lasts"],
    [{ data_dir: "data" }, "expected an absolute path"],
    [{ data_dir: "/srv/a b" }, "expected an absolute path"],
    [{ data_dir: "/srv/../etc" }, "expected an absolute path"],
    [{ autopurge_keep: 2 }, "expected 3 or more"],
    [{ hepa: "1G" }, "hepa"],
  ])("refuse %o", (given, message) => {
    expect(zookeeper.parameters.safeParse(given).error?.message).toContain(message);
  });

  it("belong to members only, and an id to one of them", () => {
    const problems = (name: string, id?: number) => {
      const { host, inventory } = inventoryOf(["zk-1=4", "zk-2"], name);
      return zookeeper.problems?.(zookeeper.parameters.parse({ id }), host, inventory);
    };
    expect(problems("zk-1", 4)).toEqual([]);
    expect(problems("zk-2", 5)).toMatchObject([{ path: ["id"] }]);
    expect(problems("db-9")).toMatchObject([
      { message: "'db-9' is not in mesh.ensemble: members are named there" },
    ]);
  });
});

describe("claims", () => {
  it("are the package, three ports of the mesh address and the memory of a whole JVM", () => {
    const claims = zookeeper.claims(desiredFor(["zk-1", "zk-2", "zk-3"], "zk-2"), undefined as never);
    expect(claims.packages).toEqual(["zookeeper"]);
    expect(claims.ports?.map(({ address, port, process }) => `${address}:${port} ${process}`)).toEqual([
      "10.0.0.2:2181 java",
      "10.0.0.2:2888 java",
      "10.0.0.2:3888 java",
    ]);
    expect(claims.memory?.[0]?.bytes).toBeGreaterThan(2 ** 30);
  });

  it("of a lone member are the client port", () => {
    const claims = zookeeper.claims(desiredFor(["zk-1"], "zk-1"), undefined as never);
    expect(claims.ports?.map(({ port }) => port)).toEqual([2181]);
  });
});

describe("a directory for the transaction log", () => {
  it.each(["/var/lib/zookeeper/data", "/var/lib/zookeeper/data/version-2/log"])(
    "is none that holds the snapshots, or is among them: %s",
    (data_log_dir) => {
      const { host, inventory } = inventoryOf(["zk-1"], "zk-1");
      const parameters = zookeeper.parameters.parse({ data_log_dir });
      expect(zookeeper.problems?.(parameters, host, inventory)).toMatchObject([{ path: ["data_log_dir"] }]);
    },
  );

  it("may lie in the data directory, beside version-2", () => {
    const { host, inventory } = inventoryOf(["zk-1"], "zk-1");
    const parameters = zookeeper.parameters.parse({ data_log_dir: "/var/lib/zookeeper/data/log" });
    expect(zookeeper.problems?.(parameters, host, inventory)).toEqual([]);
  });

  it("is named by zoo.cfg, waited for by the unit, and demanded of a member", () => {
    const apart = desiredFor(["zk-1"], "zk-1", { data_log_dir: "/srv/log" });
    expect(renderZooCfg(apart, new Map())).toContain("\ndataLogDir=/srv/log\n");
    const unit = renderUnit(apart);
    expect(unit).toContain("\nRequiresMountsFor=/var/lib/zookeeper/data /srv/log\n");
    expect(unit).toContain("test -d /srv/log/version-2; } || test -e /var/lib/zookeeper/data/initialize ||");
    expect(unit).toMatch(/^ReadWritePaths=.* -\/srv\/log -\/srv\/log\/version-2$/m);
  });
});

describe("rendering", () => {
  const desired = desiredFor(["zk-1", "zk-2"], "zk-1", { heap: "1536M" });
  const servers = new Map([[1, "10.0.0.1:2888:3888"]]);

  it("binds to the mesh address and keeps AdminServer away", () => {
    const lines = renderZooCfg(desired, servers).split("\n");
    expect(lines).toEqual(
      expect.arrayContaining([
        "clientPortAddress=10.0.0.1",
        "admin.enableServer=false",
        "server.1=10.0.0.1:2888:3888",
      ]),
    );
  });

  it("names the heap once and no JMX", () => {
    expect(renderUnit(desired)).toContain(" -Xms1536M -Xmx1536M ");
    expect(renderUnit(desired)).not.toContain("jmxremote");
  });

  it("reads server lines back as either version of ZooKeeper prints them", () => {
    const text =
      "server.2=10.0.0.2:2888:3888:participant;10.0.0.2:2181\nserver.1 = 10.0.0.1:2888:3888\n# server.3=x\n";
    expect([...serversOf(parseProperties(text))]).toEqual([
      [1, "10.0.0.1:2888:3888"],
      [2, "10.0.0.2:2888:3888"],
    ]);
    expect(showServers(serversOf(parseProperties(text)))).toBe("1=10.0.0.1 2=10.0.0.2 at 2888, 3888");
  });
});
