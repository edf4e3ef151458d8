import type { Change } from "../../../src/contract/change.ts";
import type { HostFacts } from "../../../src/contract/host.ts";
import type { HostView, InventoryView } from "../../../src/contract/inventory-view.ts";
import type { Evidence } from "../../../src/contract/reading.ts";
import type { Health } from "../../../src/contract/step.ts";
import { ENDING_LINES, ENDING_WORDS } from "../../../src/daemon/endings.ts";
import { sha256Of } from "../../../src/evidence/file.ts";
import { judge } from "../../../src/evidence/verdict.ts";
import { Reader } from "../../../src/reader/reader.ts";
import { keyOf, type Recording } from "../../../src/reader/recording.ts";
import { mysql } from "../../../src/steps/mysql/index.ts";
import { lookAtDatabase } from "../../../src/steps/mysql/look.ts";
import type { MysqlParameters } from "../../../src/steps/mysql/parameters.ts";
import { type ToldHost, tellOf, value } from "../../reader/told-host.ts";
import { holdRowsOfChanges } from "../rows-of-changes.ts";

export const GIB = 2 ** 30;
export const MIB = 2 ** 20;

export const POOL = "innodb_buffer_pool_size";
export const LOG = "innodb_log_file_size";
export const REDO = "innodb_redo_log_capacity";
export const FLUSH = "innodb_flush_log_at_trx_commit";

export const DROP_INS = {
  mariadb: "/etc/mysql/mariadb.conf.d/zz-meshctl.cnf",
  mysql: "/etc/mysql/mysql.conf.d/zz-meshctl.cnf",
} as const;

const COMMENT = "# Written by meshctl: change the inventory or the playbook, not this file.\n[mysqld]\n";
export const MARIADB_DROP_IN = `${COMMENT}${POOL} = 256M\n${LOG} = 512M\n${FLUSH} = 2\n`;
const MYSQL_DROP_IN = `${COMMENT}${POOL} = 256M\n${REDO} = 1G\n${FLUSH} = 2\n`;

/** A host with a server on it. Defaults: MariaDB 10.11, converged on a pool of 256 MiB. */
export interface Database {
  readonly server: "mariadb" | "mysql";
  readonly version: string;
  /** Text of the drop-in; undefined when it is absent. */
  readonly dropIn: string | undefined;
  readonly dropInMode: string;
  /** Whether the manifest says that meshctl wrote the drop-in as it is. */
  readonly isOurs: boolean;
  /** Other option files in the last include directory, by name; a text may begin with a mode: "0666 …". */
  readonly files: Readonly<Record<string, string>>;
  /** Whether /etc/mysql/my.cnf includes that directory. */
  readonly isIncluded: boolean;
  /** What the server's option parser makes of the files. */
  readonly reads: Readonly<Record<string, number | string>>;
  readonly refusals: readonly string[];
  readonly live: Readonly<Record<string, string | number>>;
  readonly liveError: string | undefined;
  readonly unit: Readonly<Record<string, string | number>>;
  /** A line of a crontab that is run on the host. */
  readonly cronLine?: string;
  readonly enabled: string;
  readonly job: string;
  readonly processSeconds: number;
  readonly commandLine: string;
  readonly unitOptions: string;
  /** Path, number and key of a drop-in's line that says how the unit starts, or "". */
  readonly startLine: string;
  readonly dataDirectory: string;
  /** Where that leads, where it is a link. */
  readonly leadsTo?: string;
  /** Version of the program on disk, where another one runs. */
  readonly installedVersion?: string;
  readonly persisted: Readonly<Record<string, string>>;
  readonly answeredByPid: number;
  readonly errors: readonly string[];
  readonly package: readonly [string, string];
  readonly memoryBytes: number;
}

const PID = 4711;

export const mariadb: Database = {
  server: "mariadb",
  version: "10.11.19-MariaDB-0+deb12u1",
  dropIn: MARIADB_DROP_IN,
  dropInMode: "0644",
  isOurs: true,
  files: { "50-server.cnf": "[mysqld]\nbind-address = 127.0.0.1\n" },
  isIncluded: true,
  reads: { [POOL]: 256 * MIB, [LOG]: 512 * MIB, [FLUSH]: 2 },
  refusals: [],
  live: { [POOL]: 256 * MIB, [LOG]: 512 * MIB, [FLUSH]: 2, innodb_buffer_pool_chunk_size: 0 },
  liveError: undefined,
  unit: { LoadState: "loaded", ActiveState: "active", SubState: "running", MainPID: PID, NRestarts: 0 },
  enabled: "enabled",
  job: "",
  processSeconds: 3600,
  commandLine: "/usr/sbin/mariadbd",
  unitOptions: "",
  startLine: "",
  dataDirectory: "/var/lib/mysql",
  persisted: {},
  answeredByPid: PID,
  errors: [],
  package: ["mariadb-server", "1:10.11.19-0+deb12u1"],
  memoryBytes: 3 * GIB,
};

export const mysql97: Database = {
  ...mariadb,
  server: "mysql",
  version: "9.7.4-2",
  dropIn: MYSQL_DROP_IN,
  files: { "mysqld.cnf": "[mysqld]\nuser = mysql\n" },
  reads: { [POOL]: 256 * MIB, [REDO]: GIB, [FLUSH]: 2 },
  live: {
    [POOL]: 256 * MIB,
    [REDO]: GIB,
    [FLUSH]: 2,
    innodb_buffer_pool_chunk_size: 128 * MIB,
    innodb_buffer_pool_instances: 1,
    Innodb_redo_log_capacity_resized: GIB,
  },
  commandLine: "/usr/sbin/mysqld",
  package: ["mysql-server", "9.7.4-2"],
};

export const stopped: Partial<Database> = {
  unit: { LoadState: "loaded", ActiveState: "inactive", SubState: "dead", MainPID: 0 },
  live: {},
};

type ToldFiles = NonNullable<ToldHost["files"]>;

/** Option files of a database, by path; a text may begin with a mode. */
function optionFiles({ server, dropIn, dropInMode, files, isIncluded }: Database): ToldFiles {
  const path = DROP_INS[server];
  const directory = path.slice(0, path.lastIndexOf("/"));
  return {
    "/etc/mysql/my.cnf": `[client-server]\n${isIncluded ? `!includedir ${directory}/\n` : ""}`,
    ...Object.fromEntries(
      Object.entries(files).map(([name, text]) => {
        const [, mode, rest] = /^(0\d{3}) ([\s\S]*)$/.exec(text) ?? [undefined, "0644", text];
        return [`${directory}/${name}`, { text: rest!, mode: mode! }];
      }),
    ),
    ...(dropIn === undefined ? {} : { [path]: { text: dropIn, mode: dropInMode } }),
  };
}

export const SOCKETS = { mariadb: "/run/mysqld/mysqld.sock", mysql: "/var/run/mysqld/mysqld.sock" } as const;

/** Such a host, as its reader tells it. */
/** The question to the server of this process, as its key. */
export function queryAs(account: string, pid: number = PID): string {
  return `database.query ${account} ${pid}`;
}

export function toldDatabase(database: Database): ToldHost & { readonly answers: Recording } {
  const { server, unit, live, errors } = database;
  const service = `${server}.service`;
  const user = server === "mariadb" ? ["mysql", "yes"] : ["mysql", "no"];
  const [, startPath, startLine, startKey] = /^(\S+) (\d+) (\w+)$/.exec(database.startLine) ?? [];
  const exit = database.refusals.length === 0 ? 0 : 1;
  const variables = Object.entries({ version: database.version, ...live, socket: SOCKETS[server] });
  return {
    files: {
      ...optionFiles(database),
      [`/usr/sbin/${server}d`]: { text: "", mode: "0755" },
      [`${database.dataDirectory}/mysqld-auto.cnf`]: JSON.stringify({
        Version: 2,
        mysql_static_variables: persistedJson(database),
      }),
      ...(startPath === undefined
        ? {}
        : { [startPath]: `${"\n".repeat(Number(startLine) - 1)}${startKey}=x\n` }),
    },
    units: {
      [service]: {
        User: "mysql",
        ProtectSystem: server === "mariadb" ? "full" : "no",
        Environment: database.unitOptions,
        Job: database.job,
        DropInPaths: startPath ?? "",
        enabled: database.enabled,
        ...unit,
      },
    },
    processes: { [PID]: { ageSeconds: database.processSeconds, parts: { cmdline: database.commandLine } } },
    answers: {
      ...(database.cronLine === undefined
        ? {}
        : {
            [keyOf(["boot.lines", ENDING_LINES, ENDING_WORDS])]: value(
              ...(new RegExp(ENDING_LINES).test(database.cronLine) &&
              new RegExp(ENDING_WORDS).test(database.cronLine)
                ? ["/etc/cron.d/db", 1, database.cronLine, "cron"]
                : []),
            ),
          }),
      // None of them came up.
      [keyOf(["restarts", `${database.server}.service`])]: value(3, 10, 17, 24),
      ...(database.leadsTo === undefined
        ? {}
        : {
            [keyOf(["place", database.dataDirectory])]: value(
              ...[database.leadsTo, 0, 20, 1, "/", "ext4", "/dev/vda1", "rw", "/", ""],
            ),
          }),
      "user mysql": value("mysql", 105, 112, "/nonexistent", "/bin/false", "mysql"),
      [keyOf(["database.options", server, ...user])]: value(
        exit,
        `${server}d  Ver ${database.installedVersion ?? database.version} for Linux on x86_64`,
        `The following groups are read: ${groupsOf(server, database.version.replace(/^(\d+\.\d+).*/, "$1"))}`,
        `datadir                         ${database.dataDirectory}`,
        ...Object.entries(database.reads).map(([name, read]) => `${name.replaceAll("_", "-")}   ${read}`),
        ...database.refusals,
      ),
      [keyOf(["database.validation", ...user])]: value(exit),
      ...Object.fromEntries(
        ["root", "own"].map((account) => [
          queryAs(account, Number(unit.MainPID ?? PID)),
          database.liveError === undefined
            ? value(0, variables.map((pair) => `${pair.join("\t")}\n`).join(""))
            : value(1, `${database.liveError}\n`),
        ]),
      ),
      [queryAs("debian", Number(unit.MainPID ?? PID))]: value(
        1,
        "Could not open required defaults file: /etc/mysql/debian.cnf\n",
      ),
      [keyOf(["database.errors", "mysql", service])]: value(...errors),
      [keyOf(["sockets.at", SOCKETS[server]])]: value(
        `u_str LISTEN 0 80 ${SOCKETS[server]} 1 * 0 users:(("${server}d",pid=${database.answeredByPid},fd=21))\n`,
      ),
    },
  };
}

function groupsOf(server: string, version: string): string {
  return server === "mariadb"
    ? `mysqld server mysqld-${version} mariadb mariadb-${version} mariadbd mariadbd-${version} client-server galera`
    : `mysql_cluster mysqld server mysqld-${version}`;
}

function persistedJson({ persisted }: Database) {
  return Object.fromEntries(
    Object.entries(persisted).map(([name, Value]) => [name, { Value, Metadata: {} }]),
  );
}

export function hostFacts(given: Partial<HostFacts> = {}): HostFacts {
  return {
    packages: new Map(),
    manifest: new Map(),
    addresses: [],
    memoryBytes: 3 * GIB,
    ...given,
  } as HostFacts;
}

export function hostOf(database: Database): HostFacts {
  const { dropIn, isOurs, server } = database;
  return hostFacts({
    packages: new Map([database.package]),
    manifest: dropIn === undefined || !isOurs ? new Map() : new Map([[DROP_INS[server], sha256Of(dropIn)]]),
    memoryBytes: database.memoryBytes,
  });
}

export const hostView: HostView = { name: "db-1", address: "10.0.0.21", groups: [], parameters: new Map() };

export function inventoryWith(members: readonly string[]): InventoryView {
  const ensemble = members.map((host) => ({ host, address: "10.0.0.1", id: undefined }));
  return { mesh: { ensemble, services: [] } } as unknown as InventoryView;
}

export function desiredFrom(parameters: object = { buffer_pool_size: "256M" }): MysqlParameters {
  return mysql.desired(mysql.parameters.parse(parameters), hostView, inventoryWith([]));
}

/** What is said of a host, row by row with its verdict, and the changes. */
export async function assessedFrom(
  told: ToldHost,
  host: HostFacts,
  parameters?: object,
): Promise<{
  rows: ReadonlyMap<string, Evidence>;
  open: Record<string, string>;
  changes: readonly Change[];
}> {
  const facts = await lookAtDatabase(new Reader(tellOf(told)));
  const desired = desiredFrom(parameters);
  const { readings, changes } = mysql.assess(
    { name: "db-1", desired, facts, host, claims: new Map() },
    new Map(),
  );
  holdRowsOfChanges(readings, changes);
  const rows = new Map(readings.map((reading) => [reading.setting, judge(reading)]));
  const open = [...rows.values()].filter(({ verdict }) => verdict !== "proven");
  return { rows, open: Object.fromEntries(open.map((row) => [row.setting, row.verdict])), changes };
}

export function assessed(database: Database, parameters?: object) {
  return assessedFrom(toldDatabase(database), hostOf(database), parameters);
}

/** What a change does, in words short enough to compare. */
export function doings(change: Change | undefined): readonly string[] {
  return [...(change?.commands ?? []), ...(change?.activate ?? [])].map((command) => {
    switch (command.kind) {
      case "run":
        return command.argv.join(" ");
      case "script":
        return [command.file.pathname.split("/").at(-1), ...command.args].join(" ");
      case "write":
        return `write ${command.path} ${command.mode}`;
      case "install":
        return `install ${command.packages.join(" ")}`;
      default:
        return command.kind;
    }
  });
}

export async function healthOf(database: Database): Promise<Health | undefined> {
  return mysql.service!.health(await lookAtDatabase(new Reader(tellOf(toldDatabase(database)))));
}
