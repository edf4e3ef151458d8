import { describe, expect, it } from "vitest";
import { revealContent } from "../../../src/secret.ts";
import {
  assessed,
  assessedFrom,
  type Database,
  DROP_INS,
  doings,
  FLUSH,
  GIB,
  hostFacts,
  LOG,
  MARIADB_DROP_IN,
  MIB,
  mariadb,
  mysql97,
  POOL,
  REDO,
  SOCKETS,
  stopped,
} from "./world.ts";

const DROP_IN = DROP_INS.mariadb;
const DIRECTORY = "/etc/mysql/mariadb.conf.d";

const withOptions = (files: Database["files"], reads: Database["reads"] = {}): Database => ({
  ...mariadb,
  files: { ...mariadb.files, ...files },
  reads: { ...mariadb.reads, ...reads },
});

/** A converged host whose server carries out these statements whenever it has started. */
function withEvent(set: string): Database {
  return { ...mariadb, live: { ...mariadb.live, "event trap.nightly": set } };
}

function withInitFile(text: string): Database {
  const files = { ...mariadb.files, "init.sql": text };
  return { ...mariadb, files, reads: { ...mariadb.reads, "init-file": `${DIRECTORY}/init.sql` } };
}

describe("a bare host", () => {
  const bare = () => assessedFrom({}, hostFacts());

  it("lacks everything", async () => {
    const { open } = await bare();
    expect(open).toEqual({
      "mariadb-server": "missing",
      [DROP_IN]: "missing",
      [POOL]: "missing",
      [LOG]: "missing",
      [FLUSH]: "missing",
      "mariadb.service at boot": "missing",
      "mariadb.service": "missing",
    });
  });

  it("gets the package first, then the file, validated, and a start", async () => {
    const { changes } = await bare();
    expect(changes.map(({ id }) => id)).toEqual(["packages", "settings"]);
    expect(changes.flatMap(doings)).toEqual([
      "install mariadb-server",
      `write ${DROP_IN} 0644`,
      "systemctl enable mariadb.service",
      "restart.sh mariadb.service",
    ]);
    expect(changes[1]?.validate?.args).toEqual(["mariadb", DROP_IN, "mysql", "full"]);
    expect(changes[1]?.disrupts).toBeUndefined();
  });

  it("gets MySQL where that is asked for, with a redo log capacity", async () => {
    const asked = await assessedFrom({}, hostFacts(), { server: "mysql", buffer_pool_size: "256M" });
    expect(asked.changes.flatMap(doings).slice(0, 2)).toEqual([
      "install mysql-server",
      `write ${DROP_INS.mysql} 0644`,
    ]);
    expect(asked.rows.get(REDO)?.want).toBe("1G");
  });

  it("whose package was put there by another step's apt run goes on with the file", async () => {
    const host = {
      ...mariadb,
      ...stopped,
      dropIn: undefined,
      reads: { [POOL]: 134217728, [LOG]: 1, [FLUSH]: 1 },
    };
    expect((await assessed(host)).changes.map(({ id }) => id)).toEqual(["settings"]);
    expect(doings((await assessed(host)).changes[0])).toEqual([
      `write ${DROP_IN} 0644`,
      "restart.sh mariadb.service",
    ]);
  });
});

describe("a converged host", () => {
  it.each([
    ["MariaDB", mariadb],
    ["MySQL", mysql97],
    [
      "MariaDB by bullseye's versioned package",
      { ...mariadb, package: ["mariadb-server-10.5", "1"] as const },
    ],
  ])("with %s is left untouched", async (_, host) => {
    expect(await assessed(host)).toMatchObject({ open: {}, changes: [] });
  });

  it("says which line of which file and which process each value comes from", async () => {
    const row = (await assessed(mariadb)).rows.get(LOG);
    expect(row?.onDisk).toEqual({ is: "read", value: "512M", source: `${DROP_IN}:4` });
    expect(row?.inForce).toEqual({
      is: "read",
      value: "512M",
      source: `mariadb -e "SHOW GLOBAL VARIABLES LIKE 'innodb_log_file_size'" (PID 4711)`,
    });
  });
});

describe("what differs is brought into force", () => {
  it("by a restart when the pool differs, and says what it disrupts", async () => {
    const { open, changes } = await assessed({ ...mariadb, live: { ...mariadb.live, [POOL]: 128 * MIB } });
    expect(open).toEqual({ [POOL]: "not-in-force" });
    expect(doings(changes[0])).toEqual(["restart.sh mariadb.service"]);
    expect(changes[0]).toMatchObject({
      id: "settings",
      disrupts: { kind: "restart", what: "mariadb.service" },
      why: "MariaDB runs with innodb_buffer_pool_size 128M",
    });
  });

  it.each([
    [
      "the flush setting of any server",
      { ...mariadb, version: "10.5.29-MariaDB", live: { ...mariadb.live, [FLUSH]: 1 } },
    ],
    ["the log of MariaDB 10.11", { ...mariadb, live: { ...mariadb.live, [LOG]: 96 * MIB } }],
    [
      "the redo log of MySQL",
      { ...mysql97, live: { ...mysql97.live, [REDO]: 2 * GIB, Innodb_redo_log_capacity_resized: 2 * GIB } },
    ],
  ])("without a restart for %s", async (_, host) => {
    const { changes } = await assessed(host);
    expect(changes).toHaveLength(1);
    expect(doings(changes[0])).toEqual([`set-online.sh ${SOCKETS[host.server]}`]);
    expect(changes[0]?.disrupts).toBeUndefined();
  });

  it("by a restart for the log of MariaDB 10.5", async () => {
    const host = { ...mariadb, version: "10.5.29-MariaDB", live: { ...mariadb.live, [LOG]: 96 * MIB } };
    expect(doings((await assessed(host)).changes[0])).toEqual(["restart.sh mariadb.service"]);
  });

  it("sets online in bytes, for SET GLOBAL knows no units", async () => {
    const { changes } = await assessed({ ...mariadb, live: { ...mariadb.live, [LOG]: 96 * MIB } });
    const [command] = changes[0]?.activate ?? [];
    expect(command?.kind === "script" && revealContent(command.stdin ?? [])).toBe(
      `SET GLOBAL ${LOG} = 536870912;\n`,
    );
  });

  it("by writing the file alone when the server has the values already", async () => {
    const host = { ...mariadb, dropIn: undefined, reads: { ...mariadb.reads, [POOL]: 128 * MIB } };
    expect(doings((await assessed(host)).changes[0])).toEqual([`write ${DROP_IN} 0644`]);
  });

  it("by a start, or by being enabled, when that is all that lacks", async () => {
    const down = await assessed({ ...mariadb, ...stopped, enabled: "disabled" });
    expect(down.changes.map(doings)).toEqual([
      ["systemctl enable mariadb.service", "restart.sh mariadb.service"],
    ]);
    expect(down.changes[0]?.id).toBe("start");
    const disabled = await assessed({ ...mariadb, enabled: "disabled" });
    expect(disabled.changes.map(doings)).toEqual([["systemctl enable mariadb.service"]]);
  });

  it("with the row naming the change that closes it", async () => {
    const { rows, changes } = await assessed({ ...mariadb, live: { ...mariadb.live, [POOL]: 128 * MIB } });
    expect(rows.get(POOL)?.closedBy).toEqual({ change: changes[0]?.id });
  });
});

describe("durability", () => {
  const one = { ...mariadb, live: { ...mariadb.live, [FLUSH]: 1 } };
  it.each([
    ["lowered from 1 to 2", one, 2, /weakens durability.*system or the power/],
    ["lowered from 1 to 0", one, 0, /weakens durability.*the server, the system/],
    ["raised from 2 to 1", mariadb, 1, undefined],
  ])("is warned of when it is %s", async (_, host, flush_log_at_trx_commit, expected) => {
    const { changes } = await assessed(host, { buffer_pool_size: "256M", flush_log_at_trx_commit });
    if (expected === undefined) expect(changes[0]?.warning).toBeUndefined();
    else expect(changes[0]?.warning).toMatch(expected);
  });
});

describe("a value that something else overrides is refused with its place", () => {
  const foreign = "[mariadbd]\n# why not\ninnodb-buffer-pool-size = 192M\n";
  it.each<readonly [string, Database, string, string]>([
    [
      "a later drop-in",
      withOptions({ "zzz.cnf": foreign }, { [POOL]: 192 * MIB }),
      `${DIRECTORY}/zzz.cnf:3`,
      "remove that line",
    ],
    [
      "a later drop-in before ours is there",
      { ...withOptions({ "zzz.cnf": foreign }, { [POOL]: 192 * MIB }), dropIn: undefined },
      `${DIRECTORY}/zzz.cnf:3`,
      "remove that line",
    ],
    [
      "a world-writable one that MariaDB honours under ProtectSystem=full",
      withOptions({ "zzz.cnf": `0666 ${foreign}` }, { [POOL]: 192 * MIB }),
      `${DIRECTORY}/zzz.cnf:3`,
      "remove that line",
    ],
    [
      "a name cut short, which MariaDB takes",
      withOptions({ "zzz.cnf": "[mysqld]\ninnodb_buffer_pool_siz=192M\n" }, { [POOL]: 192 * MIB }),
      `${DIRECTORY}/zzz.cnf:2`,
      "remove that line",
    ],
    [
      "SET PERSIST",
      { ...mysql97, persisted: { [POOL]: "536870912" }, reads: { ...mysql97.reads, [POOL]: 512 * MIB } },
      "/var/lib/mysql/mysqld-auto.cnf",
      `RESET PERSIST ${POOL}`,
    ],
    [
      "SET PERSIST of what the server sets only once it has started",
      { ...mysql97, persisted: { [POOL]: "536870912" } },
      "/var/lib/mysql/mysqld-auto.cnf",
      `RESET PERSIST ${POOL}`,
    ],
    [
      "the unit's command line",
      { ...mariadb, unitOptions: "MYSQLD_OPTS=--innodb-buffer-pool-size=128M" },
      "mariadb.service",
      "take it out",
    ],
    [
      "statements that it carries out whenever it has started",
      withInitFile(`-- SET GLOBAL ${POOL} = 1;\nSET GLOBAL\n  ${POOL} = 128 * 1024 * 1024;\n`),
      `${DIRECTORY}/init.sql:3 (init_file) sets ${POOL} to 134217728`,
      "take it out there",
    ],
    [
      "an event of the server's",
      withEvent(`SET GLOBAL\\n  ${POOL} = 134217728`),
      `event trap.nightly (on its schedule) sets ${POOL} to 134217728 and wins over every file`,
      "ALTER EVENT trap.nightly DISABLE",
    ],
    [
      "a crontab that tells this server by its address",
      {
        ...mariadb,
        cronLine: `@reboot root df -h /srv; mysql -h "127.0.0.1" -e "SET GLOBAL ${POOL} = 134217728"`,
      },
      `/etc/cron.d/db:1 (cron runs it) sets ${POOL} to 134217728`,
      "take it out there",
    ],
    [
      "a crontab that tells the server",
      { ...mariadb, cronLine: `@reboot root mysql -e "SET GLOBAL ${POOL} = 134217728"` },
      `/etc/cron.d/db:1 (cron runs it) sets ${POOL} to 134217728`,
      "take it out there",
    ],
    [
      "something that only the server's parser knows of",
      { ...mariadb, reads: { ...mariadb.reads, [POOL]: 64 * MIB } },
      "mariadbd --help --verbose reads 64M",
      "find the option file",
    ],
  ])("%s", async (_, host, place, remedy) => {
    const { rows, changes } = await assessed(host);
    expect(rows.get(POOL)?.verdict).toBe("shadowed");
    expect(rows.get(POOL)?.because).toContain(place);
    expect(rows.get(POOL)?.because).toContain(remedy);
    expect(changes).toEqual([]);
  });

  it.each<readonly [string, Database]>([
    [
      "a later file that says the same",
      withOptions({ "zzz.cnf": "[mysqld]\ninnodb_buffer_pool_size=262144K\n" }),
    ],
    ["a later file that the server may not read", withOptions({ "zzz.cnf": `0600 ${foreign}` })],
    [
      "a later file for another program",
      withOptions({ "zzz.cnf": "[mysqldump]\ninnodb_buffer_pool_size=1G\n" }),
    ],
    ["an earlier file", withOptions({ "60-tuning.cnf": foreign })],
    [
      "a file that MySQL ignores, world-writable",
      { ...mysql97, files: { "zzz.cnf": `0666 [mysqld]\n${POOL}=192M\n` } },
    ],
    [
      "statements at its start that set the same",
      withInitFile(`CREATE TABLE IF NOT EXISTS a.b (c int);\nSET @@GLOBAL.${POOL}:=256*1024*1024;\n`),
    ],
    ["an event that sets what is asked for", withEvent(`GLOBAL.${POOL}:= ${256 * MIB}`)],
    ["an event that sets nothing of it", withEvent("NULL")],
    [
      "a crontab that sets what is asked for",
      { ...mariadb, cronLine: `@reboot root mysql -e "SET @@GLOBAL.${POOL}=${256 * MIB}"` },
    ],
    [
      "a crontab that tells another server",
      { ...mariadb, cronLine: `@reboot root mysql -h db-02 -e "SET GLOBAL ${POOL} = 134217728"` },
    ],
    [
      "a crontab that sets it for a while",
      {
        ...mariadb,
        cronLine: `@daily root mysql -e "SET GLOBAL ${POOL} = 134217728"; load; mysql -e "SET GLOBAL ${POOL}=${256 * MIB}"`,
      },
    ],
    [
      "a crontab that asks",
      { ...mariadb, cronLine: `@reboot root mysql -e "SHOW GLOBAL VARIABLES LIKE '${POOL}'"` },
    ],
    ["an init file that sets what is not asked for", withInitFile("SET GLOBAL max_connections = 400;\n")],
    ["SET PERSIST of the same value", { ...mysql97, persisted: { [POOL]: "268435456" } }],
    [
      "SET PERSIST that persisted_globals_load=OFF turns off",
      {
        ...mysql97,
        persisted: { [POOL]: "536870912" },
        reads: { ...mysql97.reads, persisted_globals_load: 0 },
      },
    ],
  ])("but not for %s", async (_, host) => {
    expect(await assessed(host)).toMatchObject({ open: {}, changes: [] });
  });
});

describe("rounding", () => {
  const asked = (bytes: number, live: Database["live"], from: Database = mariadb) => ({
    ...from,
    dropIn: from.dropIn?.replace("256M", bytes % MIB === 0 ? `${bytes / MIB}M` : String(bytes)),
    reads: { ...from.reads, [POOL]: bytes - (bytes % MIB) },
    live: { ...from.live, ...live },
  });
  it.each([
    [
      "300M up to chunks, as MariaDB 10.5 and MySQL do",
      "300M",
      asked(300 * MIB, { [POOL]: 402653184, innodb_buffer_pool_chunk_size: 128 * MIB }),
    ],
    ["1000000000 up to chunks", 1e9, asked(1e9, { [POOL]: 1073741824 }, mysql97)],
    ["1000000000 down to MiB, as MariaDB 10.11 does", 1e9, asked(1e9, { [POOL]: 999292928 })],
    [
      "3G up to eight instances, as MySQL 8.0 does",
      "2500M",
      {
        ...asked(2500 * MIB, { [POOL]: 3 * GIB, innodb_buffer_pool_instances: 8 }, mysql97),
        memoryBytes: 8 * GIB,
      },
    ],
  ])("of %s is as wanted", async (_, buffer_pool_size, host) => {
    expect(await assessed(host, { buffer_pool_size })).toMatchObject({ open: {}, changes: [] });
  });

  it("does not hide a pool of another size", async () => {
    const host = asked(300 * MIB, { [POOL]: 256 * MIB, innodb_buffer_pool_chunk_size: 128 * MIB });
    expect((await assessed(host, { buffer_pool_size: "300M" })).open).toEqual({ [POOL]: "not-in-force" });
  });
});

describe("a percentage", () => {
  const holding = (mib: number, memoryBytes: number): Database => ({
    ...mariadb,
    memoryBytes,
    dropIn: MARIADB_DROP_IN.replace("256M", mib % 1024 === 0 ? `${mib / 1024}G` : `${mib}M`),
    reads: { ...mariadb.reads, [POOL]: mib * MIB },
    live: { ...mariadb.live, [POOL]: mib * MIB },
  });

  it("becomes whole chunks of the host's memory", async () => {
    const { changes } = await assessedFrom({}, hostFacts({ memoryBytes: 10 * GIB - 12345 }), {});
    const [write] = changes[1]?.commands ?? [];
    expect(write?.kind === "write" && revealContent(write.content)).toContain(`${POOL} = 7552M\n`);
  });

  it.each([
    ["memory moved a little with a new kernel", {}, holding(12288, 16 * GIB - 40 * MIB)],
    ["memory grew across a chunk", {}, holding(12288, 16 * GIB + 171 * MIB)],
    ["the value lies within the asked range", { buffer_pool_size: "70-80%" }, holding(11520, 16 * GIB)],
  ])("leaves the database alone when %s", async (_, parameters, host) => {
    expect(await assessed(host, parameters)).toMatchObject({ open: {}, changes: [] });
  });

  it("follows when the host has got twice the memory", async () => {
    const { open, changes } = await assessed(holding(12288, 32 * GIB), {});
    expect(open).toMatchObject({ [POOL]: "different" });
    expect(changes[0]?.disrupts?.kind).toBe("restart");
  });
});

describe("option files that the server would refuse", () => {
  const refusals = ["2026-11-22 19:10:41 0 [ERROR] /usr/sbin/mariadbd: unknown variable 'innodb_bufer=1'"];

  it("are drift while the server still runs, and nobody restarts it", async () => {
    const { rows, open, changes } = await assessed({ ...mariadb, refusals });
    expect(open).toEqual({ "option files": "different" });
    expect(rows.get("option files")?.because).toBe(
      "the server would not start with its option files: [ERROR] /usr/sbin/mariadbd: unknown variable 'innodb_bufer=1'",
    );
    expect(changes).toEqual([]);
  });

  it("do not get a stopped server started", async () => {
    expect((await assessed({ ...mariadb, ...stopped, refusals })).changes).toEqual([]);
  });

  it("are mended when the fault is in our own file", async () => {
    const host = { ...mariadb, dropIn: `${MARIADB_DROP_IN}innodb_bufer=1\n`, refusals };
    expect(doings((await assessed(host)).changes[0])).toEqual([`write ${DROP_IN} 0644`]);
  });

  it("are unknown when the parser gave no answer", async () => {
    const { rows, changes } = await assessed({ ...mariadb, version: "", reads: {} });
    expect(rows.get(POOL)?.verdict).toBe("unknown");
    expect(changes).toEqual([]);
  });
});

describe("the drop-in", () => {
  it("of somebody else is blocked with a diff, and replaced when adopted", async () => {
    const host = { ...mariadb, isOurs: false, dropIn: "[mysqld]\n" };
    const { rows, changes } = await assessed(host);
    expect(rows.get(DROP_IN)).toMatchObject({ verdict: "blocked", diff: { was: "[mysqld]\n" } });
    expect(changes).toEqual([]);
    const adopted = await assessed(host, { buffer_pool_size: "256M", adopt: true });
    expect(doings(adopted.changes[0])).toEqual([`write ${DROP_IN} 0644`]);
  });

  it.each([
    ["0600", mariadb, "mysql may not read it"],
    ["0666", mysql97, "it is world-writable"],
  ])("of mode %s is passed over by the server, and put right", async (dropInMode, from, because) => {
    const path = DROP_INS[from.server];
    const { rows, changes } = await assessed({ ...from, dropInMode });
    expect(rows.get(path)?.because).toContain(because);
    expect(rows.get(POOL)?.verdict).toBe("missing");
    expect(doings(changes[0])).toEqual([`write ${path} 0644`]);
  });

  it("is blocked when no option file includes its directory", async () => {
    const { rows, changes } = await assessed({ ...mariadb, isIncluded: false });
    expect(rows.get(DROP_IN)?.because).toContain(`no option file includes ${DIRECTORY}`);
    expect(changes).toEqual([]);
  });
});

describe("a pool that does not fit into memory", () => {
  it("is refused before anything is installed", async () => {
    const { rows, changes } = await assessedFrom({}, hostFacts(), { buffer_pool_size: "100G" });
    expect(rows.get(POOL)?.verdict).toBe("blocked");
    expect(rows.get(POOL)?.because).toContain("100G");
    expect(changes).toEqual([]);
  });
});

describe("a pool clamped by innodb_buffer_pool_size_max", () => {
  it("is told from one that was merely not restarted", async () => {
    const live = { ...mariadb.live, [POOL]: 128 * MIB, innodb_buffer_pool_size_max: 128 * MIB };
    const { rows, changes } = await assessed({ ...mariadb, live });
    expect(rows.get(POOL)?.verdict).toBe("clamped");
    expect(rows.get(POOL)?.because).toContain("innodb_buffer_pool_size_max 128M");
    expect(doings(changes[0])).toEqual(["restart.sh mariadb.service"]);
  });
});

describe("a server on its way up or down", () => {
  const recovering = {
    ...mariadb,
    live: {},
    unit: { ActiveState: "activating", SubState: "start", MainPID: 4711, NRestarts: 1 },
  };
  it.each<readonly [string, Database]>([
    ["recovering after a crash", recovering],
    ["shutting down", { ...recovering, unit: { ...recovering.unit, ActiveState: "deactivating" } }],
    ["with a restart still queued", { ...mariadb, job: "42" }],
  ])("is waited for, never touched: %s", async (_, host) => {
    const { rows, changes } = await assessed(host);
    expect(rows.get(POOL)?.verdict).toBe("unknown");
    expect(rows.get("mariadb.service")?.because).toContain("the outcome is unknown");
    expect(rows.get(POOL)?.closedBy).toEqual({ change: "wait" });
    expect(changes.map(({ id }) => id)).toEqual(["wait"]);
    expect(doings(changes[0])).toEqual([]);
  });

  it.each<readonly [string, Database["unit"], number]>([
    ["systemd gave up", { ActiveState: "failed", Result: "exit-code", MainPID: 0 }, 0],
    [
      "it is between two restarts",
      { ActiveState: "activating", SubState: "auto-restart", MainPID: 0, NRestarts: 1 },
      0,
    ],
    [
      "it has just been restarted for the fifth time",
      { ActiveState: "activating", MainPID: 4711, NRestarts: 5 },
      2,
    ],
  ])("has failed when %s, and says with which error", async (_, unit, processSeconds) => {
    const errors = [
      "2026-11-22 19:56:39 0 [ERROR] InnoDB: The data file './ibdata1' must be writable",
      "2026-11-22 19:56:48 0 [ERROR] InnoDB: The data file './ibdata1' must be writable",
    ];
    const { rows, changes } = await assessed({ ...mariadb, live: {}, unit, processSeconds, errors });
    expect(rows.get("mariadb.service")?.because).toMatch(
      /does not come up: \[ERROR\] InnoDB: The data file '.\/ibdata1' must be writable$/,
    );
    expect(changes.map(({ id }) => id)).toEqual(["start"]);
  });
});

describe("a server that cannot be asked", () => {
  it("proves nothing and is not restarted", async () => {
    const { rows, changes } = await assessed({
      ...mariadb,
      live: {},
      liveError: "ERROR 1045: Access denied",
    });
    expect(rows.get(POOL)?.verdict).toBe("unknown");
    expect(rows.get(POOL)?.because).toContain("Access denied");
    expect(changes).toEqual([]);
  });

  it("because another process answers on its socket is named", async () => {
    const { rows, changes } = await assessed({ ...mariadb, answeredByPid: 99 });
    expect(rows.get("mariadb.service")?.because).toContain("PID 99");
    expect(rows.get(POOL)?.verdict).toBe("unknown");
    expect(changes).toEqual([]);
  });

  it("because its unit is masked is left to a person", async () => {
    const { rows, changes } = await assessed({
      ...mariadb,
      ...stopped,
      enabled: "masked",
      unit: { LoadState: "masked", ActiveState: "inactive", MainPID: 0 },
    });
    expect(rows.get("mariadb.service at boot")?.verdict).toBe("blocked");
    expect(changes).toEqual([]);
  });
});

describe("MySQL's redo log", () => {
  it("is waited for while the server still resizes it", async () => {
    const live = { ...mysql97.live, Innodb_redo_log_capacity_resized: 512 * MIB };
    const { rows, changes } = await assessed({ ...mysql97, live });
    expect(rows.get(REDO)?.inForce).toMatchObject({ value: "512M" });
    expect(changes.map(({ id }) => id)).toEqual(["wait"]);
  });

  it("is still given by innodb_log_file_size before 8.0.30", async () => {
    const { want } =
      (
        await assessed({ ...mysql97, version: "8.0.29", reads: { ...mariadb.reads }, live: mariadb.live })
      ).rows.get(LOG) ?? {};
    expect(want).toBe("512M");
  });
});

describe("the other server", () => {
  it("is never installed beside the one that is there", async () => {
    const { rows, changes } = await assessed(mariadb, { server: "mysql", buffer_pool_size: "256M" });
    expect(rows.get("server")).toMatchObject({ verdict: "blocked" });
    expect(changes).toEqual([]);
  });
});

describe("how the unit starts the server", () => {
  const place = "/etc/systemd/system/mariadb.service.d/x.conf";
  const starts = (command: string) => ({
    ...mariadb.unit,
    ExecStart: `{ path=${command.split(" ")[0]} ; argv[]=${command} ; ignore_errors=no ; pid=0 }`,
  });

  it.each([
    ["other option files", "/usr/sbin/mariadbd --defaults-file=/root/x.cnf", "--defaults-file=/root/x.cnf"],
    ["no option files", "/usr/sbin/mariadbd --no-defaults", "--no-defaults"],
    ["more groups", "/usr/sbin/mariadbd --defaults-group-suffix=2", "--defaults-group-suffix=2"],
    ["another program", "/root/start-it", "/root/start-it"],
  ])("with %s is left alone, and nothing is known of the next start", async (_, command, what) => {
    const database = {
      ...mariadb,
      unit: starts(command),
      unitOptions: command,
      startLine: `${place} 3 ExecStart`,
    };
    const { rows, open, changes } = await assessed(database);
    expect(rows.get(DROP_IN)).toMatchObject({
      verdict: "blocked",
      because: `${place}:3 makes mariadb.service start with ${what}, so what wins over ${DROP_IN} is not known: take it out there`,
    });
    expect(open).toMatchObject({ [POOL]: "unknown", [FLUSH]: "unknown" });
    expect(changes).toEqual([]);
  });

  it.each([
    "/usr/sbin/mariadbd $MYSQLD_OPTS $_WSREP_NEW_CLUSTER $_WSREP_START_POSITION",
    "/bin/sh -c [ ! -e /usr/bin/galera_recovery ] && VAR= || exec /usr/sbin/mariadbd $MYSQLD_OPTS",
  ])("is as it should be with a package's own command %s", async (command) => {
    expect((await assessed({ ...mariadb, unit: starts(command), unitOptions: command })).open).toEqual({});
  });

  it("is read by systemd before anything else is done", async () => {
    const unit = { ...mariadb.unit, NeedDaemonReload: "yes" };
    const { open, changes } = await assessed({ ...mariadb, unit });
    expect(open).toEqual({ "mariadb.service at boot": "not-in-force" });
    expect(changes.flatMap(doings)).toEqual(["systemctl daemon-reload"]);
    const behind = await assessed({ ...mariadb, unit, live: { ...mariadb.live, [POOL]: 128 * MIB } });
    expect(behind.changes.map(({ id }) => id)).toEqual(["daemon-reload", "settings"]);
  });
});

describe("a server that runs", () => {
  it.each([
    ["10.11.19-MariaDB-0+deb12u1-log", "10.11.19-MariaDB-0+deb12u1"],
    ["10.11.19-MariaDB-0+deb12u1-log", "10.11.19-MariaDB-0+deb12u1-log"],
    ["11.8.6-MariaDB-0+deb13u1 from Debian", "11.8.6-MariaDB-0+deb13u1"],
  ])("as %s is the %s that is installed", async (version, installedVersion) => {
    expect((await assessed({ ...mariadb, version, installedVersion })).open).toEqual({});
  });

  it("since before another version was installed is restarted", async () => {
    const { rows, changes } = await assessed({ ...mariadb, installedVersion: "10.11.20-MariaDB-0+deb12u1" });
    expect(rows.get("mariadb-server")).toMatchObject({
      verdict: "not-in-force",
      because: expect.stringContaining("10.11.19-MariaDB-0+deb12u1 runs since before 10.11.20"),
    });
    expect(changes).toMatchObject([
      { id: "restart", disrupts: { kind: "restart", what: "mariadb.service" } },
    ]);
  });

  it("is not proven while it crashes every few seconds", async () => {
    const unit = { ...mariadb.unit, NRestarts: 4 };
    const { rows, open } = await assessed({ ...mariadb, unit, processSeconds: 3 });
    expect(open).toEqual({ "mariadb.service": "different" });
    expect(rows.get("mariadb.service")?.because).toContain("running for 3 s after 4 restarts");
    expect((await assessed({ ...mariadb, unit, processSeconds: 30 })).open).toEqual({});
  });
});

it("names the data directory in which SET PERSIST left a value", async () => {
  const { rows } = await assessed({
    ...mysql97,
    dataDirectory: "/srv/mysql",
    persisted: { [POOL]: "134217728" },
  });
  expect(rows.get(POOL)).toMatchObject({
    verdict: "shadowed",
    onDisk: { source: "/srv/mysql/mysqld-auto.cnf (SET PERSIST)" },
  });
});
