/** The two servers that Debian knows: where they differ in names and places. */
export interface Server {
  readonly name: "mariadb" | "mysql";
  readonly title: string;
  readonly package: string;
  readonly unit: string;
  /** Name (comm) of its process. */
  readonly process: string;
  /** The last directory that its /etc/mysql/my.cnf includes: what is read later wins. */
  readonly dropIn: string;
  /** How its option parser is asked, for a source that a person can repeat. */
  readonly parser: string;
  readonly ports: readonly { readonly port: number; readonly what: string }[];
}

export const MARIADB: Server = {
  name: "mariadb",
  title: "MariaDB",
  package: "mariadb-server",
  unit: "mariadb.service",
  process: "mariadbd",
  dropIn: "/etc/mysql/mariadb.conf.d/zz-meshctl.cnf",
  parser: "mariadbd --help --verbose",
  ports: [{ port: 3306, what: "MariaDB" }],
};

export const MYSQL: Server = {
  name: "mysql",
  title: "MySQL",
  package: "mysql-server",
  unit: "mysql.service",
  process: "mysqld",
  dropIn: "/etc/mysql/mysql.conf.d/zz-meshctl.cnf",
  parser: "mysqld --help --verbose",
  ports: [
    { port: 3306, what: "MySQL" },
    { port: 33060, what: "MySQL's X protocol" },
  ],
};

// bullseye parts the package by version behind an empty one; Oracle's and Percona's packages use Debian's places.
const PACKAGES: readonly (readonly [RegExp, Server])[] = [
  [/^mariadb-server(-\d+\.\d+)?$/, MARIADB],
  [/^(mysql-server(-\d+\.\d+)?|mysql-community-server|percona-server-server(-\d+\.\d+)?)$/, MYSQL],
];

export interface InstalledServer {
  readonly server: Server;
  readonly package: string;
  readonly version: string;
}

/** The server among a host's packages; undefined when there is none. */
export function installedServer(packages: ReadonlyMap<string, string>): InstalledServer | undefined {
  for (const [pattern, server] of PACKAGES) {
    for (const [name, version] of packages) if (pattern.test(name)) return { server, package: name, version };
  }
  return undefined;
}

/** The server asked for; what is installed decides when nothing is. */
export function chosenServer(asked: "auto" | Server["name"], found: Server | undefined): Server {
  if (asked === "auto") return found ?? MARIADB;
  return asked === "mysql" ? MYSQL : MARIADB;
}

/** How a person asks the server for one of its variables, as root on its host. */
export function variableQuestion({ name }: Server, variable: string): string {
  return `${name} -e "SHOW GLOBAL VARIABLES LIKE '${variable}'"`;
}
