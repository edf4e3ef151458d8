import { describe, expect, it } from "vitest";
import { NotRead, NotUnderstood } from "../../../src/reader/answer.ts";
import { lookThrough } from "../../../src/reader/look.ts";
import type { Ask, Question } from "../../../src/reader/protocol.ts";
import { Reader } from "../../../src/reader/reader.ts";
import { keyOf } from "../../../src/reader/recording.ts";
import { mysql } from "../../../src/steps/mysql/index.ts";
import { lookAtDatabase } from "../../../src/steps/mysql/look.ts";
import { expectCutAnswersToProveNothing } from "../../reader/cut-each.ts";
import { type ToldHost, tellOf, value } from "../../reader/told-host.ts";
import {
  assessedFrom,
  type Database,
  DROP_INS,
  desiredFrom,
  FLUSH,
  healthOf,
  hostOf,
  LOG,
  MIB,
  mariadb,
  mysql97,
  POOL,
  queryAs,
  toldDatabase,
} from "./world.ts";

const late = { is: "unreadable", because: "it took more than 8 s" } as const;
const MY_CNF = "/etc/mysql/my.cnf";
const installed = async (told: ToldHost) => (await lookAtDatabase(new Reader(tellOf(told)))).installed!;
/** The host of a database, and what is different about it. */
const host = (change: ToldHost, database: Database = mariadb) => {
  const told = toldDatabase(database);
  return {
    ...told,
    files: { ...told.files, ...change.files },
    answers: { ...told.answers, ...change.answers },
  };
};

describe("a look at option files", () => {
  const records = async (files: NonNullable<ToldHost["files"]>) =>
    (await installed(host({ files }))).options.map((record) =>
      "line" in record ? `${record.path}:${record.line} ${record.text}` : `${record.is} ${record.path}`,
    );

  it("goes by what they include, in the server's order, hidden ones and links too", async () => {
    expect(
      await records({
        [MY_CNF]:
          "[mysqld]\n  !includedir   /etc/x/ \n!include /etc/y.cnf\n!include z.cnf\n!include /etc/none.cnf\n",
        "/etc/x/b.cnf": "[server]\ninnodb_x=1\n",
        "/etc/x/.a.cnf": "!includedir /etc/empty\n",
        "/etc/x/c.txt": "[mysqld]\ninnodb_y=1\n",
        "/etc/y.cnf": "",
        "/z.cnf": "",
      }),
    ).toEqual([
      `file ${MY_CNF}`,
      `${MY_CNF}:1 [mysqld]`,
      "directory /etc/x",
      "file /etc/x/.a.cnf",
      "directory /etc/empty",
      "end /etc/empty",
      "file /etc/x/b.cnf",
      "/etc/x/b.cnf:1 [server]",
      "/etc/x/b.cnf:2 innodb_x=1",
      "end /etc/x",
      "file /etc/y.cnf",
      "file /z.cnf",
    ]);
  });

  it("takes no other line than groups, includes and InnoDB's options from the host", async () => {
    const text = "[client]\npassword = secret\n# innodb = secret\n  ; innodb\n  INNODB_X = 1 \n\n";
    expect(await records({ [MY_CNF]: text })).toEqual([
      `file ${MY_CNF}`,
      `${MY_CNF}:1 [client]`,
      `${MY_CNF}:5 INNODB_X = 1`,
    ]);
  });

  it("ends where they include themselves", async () => {
    expect((await records({ [MY_CNF]: `[a]\n!include ${MY_CNF}\n` })).length).toBeLessThan(30);
    await expect(records({ [MY_CNF]: `!include ${MY_CNF}\n`.repeat(4) })).rejects.toThrow(NotUnderstood);
  });

  it("has two round trips for Debian's files", async () => {
    const tell = tellOf(toldDatabase(mariadb));
    let frames = 0;
    const ask = (questions: readonly Question[]) => {
      frames += 1;
      return questions.map((question) => tell(question));
    };
    await lookAtDatabase(new Reader(lookThrough({ ask })));
    expect(frames).toBe(2);
  });
});

describe("a look at a database", () => {
  it("finds none where no program of either is", async () => {
    expect((await lookAtDatabase(new Reader(tellOf({})))).installed).toBeUndefined();
    const notExecutable = { files: { "/usr/sbin/mysqld": { text: "", mode: "0644" } } };
    expect((await lookAtDatabase(new Reader(tellOf(notExecutable)))).installed).toBeUndefined();
  });

  it("reads what its environment files give it, and where its data lies by its command line", async () => {
    const told = toldDatabase({ ...mysql97, persisted: {} });
    const unit = {
      ...told.units!["mysql.service"],
      Environment: "MYSQLD_OPTS=--datadir=/srv/db",
      EnvironmentFiles: "/etc/default/mysql (ignore_errors=yes)",
    };
    const facts = await installed({
      ...told,
      files: {
        ...told.files,
        "/etc/default/mysql": "# --innodb-x=1\nSECRET=1\n A=--innodb-buffer-pool-size=1G\n",
        "/srv/db/mysqld-auto.cnf": JSON.stringify({ mysql_server: { [FLUSH]: { Value: "0" } } }),
      },
      units: { "mysql.service": unit },
    });
    expect(facts.unitOptions).toBe("MYSQLD_OPTS=--datadir=/srv/db\nA=--innodb-buffer-pool-size=1G");
    expect(facts.persistedIn).toBe("/srv/db/mysqld-auto.cnf");
    expect([...facts.persisted]).toEqual([[FLUSH, "0"]]);
  });

  it("asks as Debian's own account where root is refused", async () => {
    const told = toldDatabase({ ...mariadb, liveError: "ERROR 1045: Access denied" });
    const debian = toldDatabase(mariadb).answers[queryAs("root")]!;
    const facts = await installed({ ...told, answers: { ...told.answers, [queryAs("debian")]: debian } });
    expect(facts.live?.get(POOL)).toBe(`${256 * MIB}`);
    expect(facts.answeredBy).toEqual({ pid: 4711, socket: "/run/mysqld/mysqld.sock" });
    expect((await installed(told)).liveError).toBe("ERROR 1045: Access denied");
  });

  it("is believed where nobody may write, or the question for that fails otherwise", async () => {
    const told = toldDatabase(mariadb);
    const said = "version\t11\nUptime\t9\nThreads_connected\t3\ntold\t1\n";
    const facts = (error: string) =>
      installed({ ...told, answers: { ...told.answers, [queryAs("root")]: value(1, `${said}${error}\n`) } });
    const locked = await facts("ERROR 1205 (HY000) at line 1: Lock wait timeout exceeded");
    expect([locked.isLocked, locked.live?.get("Threads_connected"), locked.liveError]).toEqual([
      true,
      "3",
      undefined,
    ]);
    const other = await facts("ERROR 1146 (42S02) at line 1: Table 'mysql.innodb_table_stats' doesn't exist");
    expect([other.isLocked, other.live?.get("Threads_connected")]).toEqual([false, "3"]);
    // What its events set is asked before that.
    const events = "version\t11\nUptime\t9\nERROR 1577 (HY000) at line 1: Cannot proceed\n";
    const answers = {
      ...told.answers,
      ...Object.fromEntries(["root", "own"].map((account) => [queryAs(account), value(1, events)])),
    };
    expect((await installed({ ...told, answers })).liveError).toContain("ERROR 1577");
  });

  it("finds who answers on another socket than Debian's", async () => {
    const answers = {
      [queryAs("root")]: value(0, "version\t1\nsocket\t/srv/x.sock\n"),
      "sockets.at /srv/x.sock": value(
        'u_str LISTEN 0 80 /srv/x.sock 1 * 0 users:(("x",pid=1,fd=2),("y",pid=99,fd=3))',
      ),
    };
    expect((await installed(host({ answers }))).answeredBy).toEqual({ pid: 99, socket: "/srv/x.sock" });
  });

  it("knows the unit of another server that answers in its place", async () => {
    const told = toldDatabase({ ...mariadb, answeredByPid: 99 });
    const processes = {
      ...told.processes,
      99: { ageSeconds: 5, parts: { cgroup: "0::/system.slice/mariadb-second.service\n" } },
    };
    const { open, rows } = await assessedFrom({ ...told, processes }, hostOf(mariadb));
    expect(open["mariadb.service"]).toBe("different");
    expect(rows.get("mariadb.service")?.because).toMatch(
      /PID 99 of mariadb-second\.service, .*: give mariadb-second\.service a socket of its own/,
    );
  });

  it("reads the option file in the home of the server's user last", async () => {
    const database = { ...mariadb, reads: { ...mariadb.reads, [POOL]: 64 * MIB } };
    const change = {
      files: { "/var/lib/mysql/.my.cnf": "[mysqld]\ninnodb_buffer_pool_size = 64M\n" },
      answers: { "user mysql": value("mysql", 105, 112, "/var/lib/mysql", "/bin/false", "mysql") },
    };
    const told = host(change, database);
    const { rows } = await assessedFrom(told, hostOf(mariadb));
    expect(rows.get(POOL)).toMatchObject({
      verdict: "shadowed",
      because: expect.stringContaining("/var/lib/mysql/.my.cnf:2 sets"),
    });
  });

  it("names the user and the name space in which its parser is asked", async () => {
    const told = toldDatabase(mariadb);
    const unit = { ...told.units!["mariadb.service"], User: "", ProtectSystem: "strict" };
    const asked: string[] = [];
    const tell = tellOf({
      ...told,
      units: { "mariadb.service": unit },
      answers: {
        ...told.answers,
        "user root": value("root", 0, 0, "/root", "/bin/sh", "root"),
        "database.options mariadb root yes": value(0),
      },
    });
    const ask: Ask = (question) => {
      asked.push(keyOf(question));
      return tell(question);
    };
    expect((await lookAtDatabase(new Reader(ask))).installed!.reader).toEqual({
      user: "root",
      groups: ["root"],
      readOnlyEtc: true,
    });
    expect(asked).toContain("database.options mariadb root yes");
  });

  it("makes of the parser's words what it takes from them", async () => {
    const words = [
      "/usr/sbin/mysqld  Ver 8.4.6 for Linux on x86_64 (MySQL Community Server - GPL)",
      "The following groups are read: mysqld server mysqld-8.4",
      "datadir                                                      /srv/my data/",
      "innodb-buffer-pool-size                                      134217728",
      "persisted-globals-load                                       FALSE",
      "2026-11-22T19:10:41.000000Z 0 [ERROR] [MY-000067] [Server]\tunknown variable 'x=1'.",
    ];
    const answers = {
      "database.options mysql mysql no": value(1, ...words),
      "database.validation mysql no": value(2),
    };
    expect((await installed(host({ answers }, mysql97))).parser).toEqual({
      version: "8.4.6",
      groups: new Set(["mysqld", "server", "mysqld-8.4"]),
      values: new Map([
        [POOL, 134217728],
        ["persisted_globals_load", 0],
      ]),
      errors: ["2026-11-22T19:10:41.000000Z 0 [ERROR] [MY-000067] [Server] unknown variable 'x=1'."],
      exitCodes: [1, 2],
      dataDirectory: "/srv/my data/",
      paths: new Map(),
      says: new Map([["datadir", "/srv/my data/"]]),
      unread: undefined,
    });
  });

  it("is not understood where an answer has another form", async () => {
    await expect(installed(host({ answers: { [queryAs("root")]: value(0) } }))).rejects.toThrow(
      NotUnderstood,
    );
  });
});

describe("what was not read of a database", () => {
  /** What is asked of the other server ahead, and a directory of option files that no file includes here. */
  const other = (server: "mariadb" | "mysql") => [
    `unit ${server}.service`,
    `file /etc/systemd/system/${server}.service `,
    `list /etc/systemd/system/${server}.service.d`,
    `file ${DROP_INS[server]} `,
    `list /etc/mysql/${server}.conf.d`,
    "list /etc/mysql/conf.d",
  ];

  it.each([
    ["MariaDB", mariadb, [...other("mysql"), "file /usr/sbin/mysqld"]],
    ["MySQL", mysql97, other("mariadb")],
  ])("changes nothing on a converged host with %s, whichever it is", async (_, database, needless) => {
    await expectCutAnswersToProveNothing({
      step: mysql,
      desired: desiredFrom(),
      host: hostOf(database),
      ask: tellOf(toldDatabase(database)),
      needless,
    });
  });

  it("is no cause of a restart where the server does not answer in time, though its settings are others", async () => {
    const database = { ...mariadb, live: { ...mariadb.live, [POOL]: 128 * MIB } };
    expect((await assessedFrom(toldDatabase(database), hostOf(database))).changes).toHaveLength(1);
    const told = host({ answers: { [queryAs("root")]: late } }, database);
    const { open, rows, changes } = await assessedFrom(told, hostOf(database));
    expect(open).toEqual({ [POOL]: "unknown", [LOG]: "unknown", [FLUSH]: "unknown" });
    expect(rows.get(POOL)?.because).toContain(late.because);
    expect(changes).toEqual([]);
  });

  it.each([
    ["an option file", { [`file ${DROP_INS.mariadb} lines`]: late }, [POOL, LOG, FLUSH]],
    ["who answers on the socket", { "sockets.at": late }, ["mariadb.service", POOL, LOG, FLUSH]],
    ["what the parser says", { "database.options": late }, ["option files", POOL, LOG, FLUSH]],
    ["the drop-in", { [`file ${DROP_INS.mariadb} content`]: late }, [DROP_INS.mariadb]],
  ])("makes unknown what depends on it, and holds back all else: %s", async (_, cut, settings) => {
    const database = { ...mariadb, enabled: "disabled" };
    const tell = tellOf(toldDatabase(database));
    expect((await assessedFrom(toldDatabase(database), hostOf(database))).changes).toHaveLength(1);
    const ask: Ask = async (question) =>
      Object.keys(cut).some((beginning) => keyOf(question).startsWith(beginning)) ? late : tell(question);
    const facts = await lookAtDatabase(new Reader(ask));
    const self = { name: "db-1", desired: desiredFrom(), facts, host: hostOf(database), claims: new Map() };
    const { readings, changes } = mysql.assess(self, new Map());
    const unknown = readings.filter((row) => [row.onDisk.is, row.inForce.is].includes("unreadable"));
    expect(unknown.map(({ setting }) => setting).sort()).toEqual([...settings].sort());
    expect(changes).toEqual([]);
  });

  it("is not why a server that is down is taken for one that fails", async () => {
    const recovering = {
      ...mariadb,
      live: {},
      unit: { ActiveState: "activating", MainPID: 4711, NRestarts: 5 },
    };
    const tell = tellOf(toldDatabase(recovering));
    const ask: Ask = async (question) => (question[0] === "process" ? late : tell(question));
    await expect(lookAtDatabase(new Reader(ask))).rejects.toThrow(NotRead);
    expect(await healthOf({ ...recovering, errors: ["[ERROR] x"] })).toMatchObject({ is: "undecided" });
  });
});
