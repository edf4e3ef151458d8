import { describe, expect, it } from "vitest";
import { assessed, type Database, mariadb } from "./world.ts";

/** What runs as Debian has it, and what its parser makes of the same files. */
const LIVE = {
  ...mariadb.live,
  ...{ datadir: "/var/lib/mysql/", innodb_data_home_dir: "", innodb_log_group_home_dir: "./", port: 3306 },
  ...{ innodb_force_recovery: 0, innodb_read_only: "OFF", read_only: "OFF", skip_networking: "OFF" },
  bind_address: "0.0.0.0",
};
const READS = {
  ...mariadb.reads,
  ...{
    innodb_data_home_dir: "(No default value)",
    innodb_log_group_home_dir: "(No default value)",
    port: 3306,
  },
  ...{ innodb_force_recovery: 0, innodb_read_only: "FALSE", read_only: "FALSE", skip_networking: "FALSE" },
  bind_address: "0.0.0.0",
};
type Told = Readonly<Record<string, string | number>>;

async function nextStart(reads: Told, live: Told = {}, more: Partial<Database> = {}) {
  const database = { ...mariadb, reads: { ...READS, ...reads }, live: { ...LIVE, ...live }, ...more };
  const { rows, changes } = await assessed(database);
  const { verdict, because, warning } = rows.get("next start of mariadb.service")!;
  return { verdict, said: because ?? warning, changes: changes.length };
}

it("a server whose next start is the same server is proven", async () => {
  expect(await nextStart({})).toEqual({ verdict: "proven", said: undefined, changes: 0 });
  // As it is told where nothing says it.
  const alike = await nextStart({ init_connect: "SET NAMES utf8" }, { init_connect: "SET NAMES utf8" });
  expect(alike.said).toBeUndefined();
  expect(
    (await nextStart({ init_connect: "(No default value)" }, { init_connect: "" })).said,
  ).toBeUndefined();
  expect((await nextStart({ bind_address: "(No default value)" }, { bind_address: "*" })).verdict).toBe(
    "proven",
  );
  expect((await nextStart({ max_connections: 151 }, { max_connections: 500 })).said).toBeUndefined();
  expect((await nextStart({ innodb_log_group_home_dir: "/var/lib/mysql" })).verdict).toBe("proven");
  expect((await nextStart({ read_only: "TRUE" }, { read_only: "ON" })).said).toBeUndefined();
});

it("data that is the same behind a link is the same, and InnoDB's files in it are", async () => {
  const link = { dataDirectory: "/srv/link", leadsTo: "/var/lib/mysql" };
  expect(await nextStart({}, {}, link)).toMatchObject({ verdict: "proven" });
  expect((await nextStart({ innodb_log_group_home_dir: "/srv/redo" }, {}, link)).said).toMatch(
    /has innodb-log-group-home-dir \/srv\/redo, and what runs has its files in \/var\/lib\/mysql:/,
  );
});

it("an address that the host has not keeps it from starting", async () => {
  const bound = (address: string) => nextStart({ bind_address: address });
  expect(await bound("10.99.99.99")).toMatchObject({
    verdict: "blocked",
    said: expect.stringMatching(/has no such address/),
  });
  for (const address of ["::", "127.0.0.2,0.0.0.0", "db.example"])
    expect((await bound(address)).said ?? "").not.toMatch(/no such address/);
});

it("a server that would ask nobody for a password is refused", async () => {
  expect(await nextStart({ skip_grant_tables: "TRUE" })).toMatchObject({
    verdict: "blocked",
    said: expect.stringMatching(/skip-grant-tables/),
  });
  expect(await nextStart({ skip_grant_tables: "FALSE" })).toMatchObject({ verdict: "proven" });
});

it("a port of a server that listens nowhere is none", async () => {
  // It tells 0 then, whatever the files say.
  const without = { skip_networking: "ON", port: 0 };
  expect(await nextStart({ skip_networking: "TRUE" }, without)).toMatchObject({ verdict: "proven" });
  expect(await nextStart({}, without)).toMatchObject({ verdict: "proven" });
});

it("a server whose connections are all taken is warned of", async () => {
  const most = { max_connections: 151 };
  expect((await nextStart(most, { ...most, Threads_connected: 152 })).said).toMatch(
    /all 151 connections .* are taken/,
  );
  // The one beyond is an administrator's, and meshctl's own.
  expect((await nextStart(most, { ...most, Threads_connected: 151 })).said).toBeUndefined();
});

describe("a next start that would be another server is blocked", () => {
  it.each<[string, Told, RegExp, Partial<Database>?]>([
    [
      "with other data",
      {},
      /takes its data from \/srv\/copy, and what runs has it in \/var\/lib\/mysql:/,
      { dataDirectory: "/srv/copy" },
    ],
    [
      "with other data by the unit",
      {},
      /takes its data from \/srv\/copy,/,
      { unitOptions: "MYSQLD_OPTS=--datadir=/srv/copy" },
    ],
    [
      "with another redo log",
      { innodb_log_group_home_dir: "/srv/redo" },
      /has innodb-log-group-home-dir \/srv\/redo, and what runs has its files in \/var\/lib\/mysql:/,
    ],
    ["that saves data", { innodb_force_recovery: 6 }, /^innodb_force_recovery=6 is for saving data/],
    [
      "that takes no writes",
      { innodb_read_only: "TRUE" },
      /has innodb_read_only=ON: InnoDB takes no writes: take it out/,
    ],
    ["that listens nowhere", { skip_networking: "TRUE" }, /listens on no address \(skip-networking\)/],
    [
      "that nobody else reaches",
      { bind_address: "127.0.0.1" },
      /listens on 127\.0\.0\.1, and what runs on 0\.0\.0\.0: no other host/,
    ],
    ["on another port", { port: 3307 }, /listens on port 3307, and what runs on 3306/],
  ])("%s", async (_, reads, said, more) => {
    expect(await nextStart(reads, {}, more)).toEqual({
      verdict: "blocked",
      said: expect.stringMatching(said),
      changes: 0,
    });
  });

  it("also of one that does not run", async () => {
    const row = await nextStart({ innodb_force_recovery: 1 }, {}, { liveError: "ERROR 2002" });
    expect(row.verdict).toBe("blocked");
  });
});

describe("what runs already, or is set while it runs, is a warning", () => {
  it.each<[string, Told, Told, RegExp]>([
    [
      "recovery",
      { innodb_force_recovery: 3 },
      { innodb_force_recovery: 3 },
      /runs with it: innodb_force_recovery=3/,
    ],
    [
      "InnoDB without writes",
      { innodb_read_only: "TRUE" },
      { innodb_read_only: "ON" },
      /runs with innodb_read_only=ON/,
    ],
    [
      "read_only for the next start",
      { read_only: "TRUE" },
      {},
      /read_only=ON is in its option files and not in force/,
    ],
    ["read_only by hand", {}, { read_only: "ON" }, /read_only=ON was set while mariadb\.service runs/],
    [
      "nobody let in by hand",
      { offline_mode: "FALSE" },
      { offline_mode: "ON" },
      /offline_mode=ON was set while mariadb\.service runs, so it lets in administrators alone/,
    ],
    [
      "fewer connections by hand",
      { max_connections: 151 },
      { max_connections: 12 },
      /takes 12 connections at most, and 151 after its next start: SET GLOBAL max_connections=151/,
    ],
    [
      "so few connections that a pool fills them",
      { max_connections: 10 },
      { max_connections: 151 },
      /after its next start mariadb\.service takes 10 connections at most, and what runs 151/,
    ],
    [
      "one connection for each account",
      { max_user_connections: 1 },
      { max_user_connections: 0 },
      /takes 1 connections at most from each account, and what runs any number/,
    ],
    [
      "one connection for each account, by hand",
      { max_user_connections: 0 },
      { max_user_connections: 1 },
      /takes 1 connections at most from each account.*SET GLOBAL max_user_connections=0/,
    ],
    [
      "statements that each connection begins with",
      { init_connect: "SET SESSION sql_mode=nonsense" },
      { init_connect: "" },
      /begins with the statements of init_connect, and ends where one fails/,
    ],
    [
      "an address that reaches farther",
      { bind_address: "*" },
      { bind_address: "127.0.0.1" },
      /listens on \*, and what runs on 127/,
    ],
  ])("%s", async (_, reads, live, said) => {
    expect(await nextStart(reads, live)).toEqual({
      verdict: "proven",
      said: expect.stringMatching(said),
      changes: 0,
    });
  });
});
