import { sha256Of } from "../../../src/evidence/file.ts";
import { parseProbeOutput } from "../../../src/evidence/probe-output.ts";
import { judge } from "../../../src/evidence/verdict.ts";
import type { HostView, InventoryView } from "../../../src/inventory/view.ts";
import type { Change, Evidence, Health, HostFacts } from "../../../src/step.ts";
import { mysql } from "../../../src/steps/mysql/index.ts";

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

/** A host with a server on it, as the probe sees it. Defaults: MariaDB 10.11, converged on a pool of 256 MiB. */
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
  readonly reads: Readonly<Record<string, number>>;
  readonly refusals: readonly string[];
  readonly live: Readonly<Record<string, string | number>>;
  readonly liveError: string | undefined;
  readonly unit: Readonly<Record<string, string | number>>;
  readonly enabled: string;
  readonly job: string;
  readonly processSeconds: number;
  readonly commandLine: string;
  readonly unitOptions: string;
  /** Path, number and key of a drop-in's line that says how the unit starts, or "". */
  readonly startLine: string;
  readonly ageSeconds: number | undefined;
  readonly dataDirectory: string;
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
  ageSeconds: undefined,
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

const record = (...fields: readonly (string | number)[]) => `${fields.join("\t")}\n`;

function fileRecord(path: string, text: string | undefined, mode: string): string {
  if (text === undefined) return record("file", path, "absent", "", "", "", "", "", "");
  const content = Buffer.from(text).toString("base64");
  return record("file", path, "regular", mode, "root:root", sha256Of(text), "", path, content);
}

function optionFile(path: string, text: string, mode: string): string {
  const lines = text
    .split("\n")
    .map((line, index) => ({ line, number: index + 1 }))
    .filter(({ line }) => /^\[|innodb/i.test(line) && !line.startsWith("#"));
  return (
    record("conf", "file", path, `${mode} root root`) +
    lines.map(({ line, number }) => record("conf", "line", path, number, line)).join("")
  );
}

/** What the probe prints on such a host. */
function probeOutput(database: Database): string {
  const { server, unit, live, dropIn } = database;
  const path = DROP_INS[server];
  const directory = path.slice(0, path.lastIndexOf("/"));
  const service = `${server}.service`;
  const group = database.version.replace(/^(\d+\.\d+).*/, "$1");
  const files = new Map(
    Object.entries(database.files).map(([name, text]): [string, [string, string]] => {
      const [, mode, rest] = /^(0\d{3}) ([\s\S]*)$/.exec(text) ?? [undefined, "0644", text];
      return [`${directory}/${name}`, [rest!, mode!]];
    }),
  );
  if (dropIn !== undefined) files.set(path, [dropIn, database.dropInMode]);
  const inOrder = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    fileRecord(DROP_INS.mariadb, server === "mariadb" ? dropIn : undefined, database.dropInMode),
    fileRecord(DROP_INS.mysql, server === "mysql" ? dropIn : undefined, database.dropInMode),
    record("server", server),
    ...Object.entries(unit).map(([property, value]) => record("unit", service, property, value)),
    record("unit_enabled", service, database.enabled),
    record("unit_options", database.unitOptions),
    record("job", database.job),
    record("user", "mysql", "mysql", server === "mariadb" ? "full" : "no"),
    unit.MainPID === 0 ? "" : record("process", PID, database.processSeconds, database.commandLine),
    record("conf", "file", "/etc/mysql/my.cnf", "0644 root root"),
    ...(database.isIncluded
      ? [
          record("conf", "directory", directory),
          ...inOrder.map(([name, [text, mode]]) => optionFile(name, text, mode)),
          record("conf", "end", directory),
        ]
      : []),
    database.startLine === "" ? "" : record("unit_line", service, ...database.startLine.split(" ")),
    database.ageSeconds === undefined ? "" : record("unit_age", service, database.ageSeconds),
    record(
      "persisted",
      `${database.dataDirectory}/mysqld-auto.cnf`,
      JSON.stringify({ Version: 2, mysql_static_variables: persistedJson(database) }),
    ),
    record(
      "parser",
      "version",
      `${server}d  Ver ${database.installedVersion ?? database.version} for Linux on x86_64`,
    ),
    record("parser", "groups", groupsOf(server, group)),
    ...Object.entries(database.reads).map(([name, value]) =>
      record("parser", "value", name.replaceAll("_", "-"), value),
    ),
    ...database.refusals.map((line) => record("parser", "error", line)),
    record("parser", "exit", database.refusals.length === 0 ? 0 : 1),
    ...(Object.keys(live).length === 0
      ? []
      : [
          ...Object.entries({ version: database.version, ...live }).map(([name, value]) =>
            record("live", name, value),
          ),
          record("answered_by", database.answeredByPid, "/run/mysqld/mysqld.sock"),
        ]),
    database.liveError === undefined ? "" : record("live_error", database.liveError),
    ...database.errors.map((line) => record("error", line)),
  ].join("");
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

export const bareProbe =
  fileRecord(DROP_INS.mariadb, undefined, "") +
  fileRecord(DROP_INS.mysql, undefined, "") +
  record("server", "none");

export function hostFacts(given: Partial<HostFacts> = {}): HostFacts {
  return { packages: new Map(), manifest: new Map(), memoryBytes: 3 * GIB, ...given } as HostFacts;
}

function hostOf(database: Database): HostFacts {
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
  return { mesh: { ensemble } } as unknown as InventoryView;
}

/** What is said of a host, row by row with its verdict, and the changes. */
export function assessedFrom(
  output: string,
  host: HostFacts,
  parameters: object = { buffer_pool_size: "256M" },
): { rows: ReadonlyMap<string, Evidence>; open: Record<string, string>; changes: readonly Change[] } {
  const desired = mysql.desired(mysql.parameters.parse(parameters), hostView, inventoryWith([]));
  const facts = mysql.facts!(parseProbeOutput(output));
  const { readings, changes } = mysql.assess(
    { name: "db-1", desired, facts, host, claims: new Map() },
    new Map(),
  );
  const rows = new Map(readings.map((reading) => [reading.setting, judge(reading)]));
  const open = [...rows.values()].filter(({ verdict }) => verdict !== "proven");
  return { rows, open: Object.fromEntries(open.map((row) => [row.setting, row.verdict])), changes };
}

export function assessed(database: Database, parameters?: object) {
  return assessedFrom(probeOutput(database), hostOf(database), parameters);
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

export function healthOf(database: Database): Health | undefined {
  return mysql.service!.health(mysql.facts!(parseProbeOutput(probeOutput(database))));
}
