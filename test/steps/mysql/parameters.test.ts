import { describe, expect, it } from "vitest";
import { mysql } from "../../../src/steps/mysql/index.ts";
import { GIB, hostFacts, hostView, inventoryWith, MIB } from "./world.ts";

const parse = (given: object) => mysql.parameters.safeParse(given);
const desired = (given: object) => mysql.desired(mysql.parameters.parse(given), hostView, inventoryWith([]));

describe("parameters", () => {
  it("have safe defaults", () => {
    expect(parse({}).data).toEqual({
      server: "auto",
      bufferPoolSize: { is: "percent", low: 75, high: 75 },
      logFileSizeBytes: 512 * MIB,
      redoLogCapacityBytes: GIB,
      flushLogAtTrxCommit: 2,
      adopt: false,
    });
  });

  it.each([
    ["75%", { is: "percent", low: 75, high: 75 }],
    ["70-80%", { is: "percent", low: 70, high: 80 }],
    ["4G", { is: "bytes", bytes: 4 * GIB }],
    [1_000_000_000, { is: "bytes", bytes: 1_000_000_000 }],
  ])("take %s as a buffer pool", (buffer_pool_size, expected) => {
    expect(parse({ buffer_pool_size }).data?.bufferPoolSize).toEqual(expected);
  });

  it.each([
    { buffer_pool_size: "95%" },
    { buffer_pool_size: "80-70%" },
    { buffer_pool_size: "1M" },
    { buffer_pool_size: "much" },
    { log_file_size: 1_000_001 },
    { log_file_size: "1M" },
    { flush_log_at_trx_commit: 3 },
    { server: "postgres" },
    { innodb_buffer_pool_size: "1G" },
  ])("refuse %j", (given) => {
    expect(parse(given).success).toBe(false);
  });

  it("twice the log file is the redo log's capacity unless that is given", () => {
    expect(parse({ log_file_size: "1G" }).data?.redoLogCapacityBytes).toBe(2 * GIB);
    expect(parse({ redo_log_capacity: "4G" }).data?.redoLogCapacityBytes).toBe(4 * GIB);
  });
});

describe("a percentage on a member of the ensemble", () => {
  const problems = (given: object, members: string[]) =>
    mysql.problems!(mysql.parameters.parse(given), hostView, inventoryWith(members));

  it("is refused, for the memory has another user", () => {
    expect(problems({}, ["db-1"])).toMatchObject([{ path: ["buffer_pool_size"] }]);
  });

  it("is allowed in bytes there, and as a percentage elsewhere", () => {
    expect(problems({ buffer_pool_size: "2G" }, ["db-1"])).toEqual([]);
    expect(problems({}, ["zk-1"])).toEqual([]);
  });
});

describe("claims", () => {
  it("are the package, the port and the memory", () => {
    expect(mysql.claims(desired({ buffer_pool_size: "1G" }), hostFacts())).toEqual({
      packages: ["mariadb-server"],
      ports: [{ port: 3306, address: "127.0.0.1", process: "mariadbd", what: "MariaDB" }],
      memory: [{ bytes: GIB + 200 * MIB, what: "MariaDB, buffer pool 1G" }],
    });
  });

  it("never name a package that would remove the installed server", () => {
    const host = hostFacts({ packages: new Map([["mysql-server", "9.7.4-2"]]) });
    expect(mysql.claims(desired({ server: "mariadb" }), host).packages).toEqual([]);
    expect(mysql.claims(desired({}), host).ports?.map(({ port }) => port)).toEqual([3306, 33060]);
  });
});
