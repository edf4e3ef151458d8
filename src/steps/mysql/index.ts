import type { Step } from "../../contract/step.ts";
import { everyone, ONE_BY_ONE } from "../../waves.ts";
import { assess } from "./assess.ts";
import { OVERHEAD_BYTES, wantedPool } from "./buffer-pool.ts";
import { dropInFile } from "./drop-in.ts";
import type { MysqlFacts } from "./facts.ts";
import { lookAtDatabase } from "./look.ts";
import { type MysqlDesired, type MysqlParameters, mysqlParameters } from "./parameters.ts";
import { namedIn, proxiedOn } from "./proxied.ts";
import { chosenServer, installedServer } from "./server.ts";
import { service } from "./service.ts";
import { wantedSettings } from "./settings.ts";
import { showBytes } from "./size.ts";

/** MariaDB or MySQL: what its own parser reads from the option files, and what the running server answers. */
export const mysql: Step<MysqlParameters, MysqlDesired, MysqlFacts> = {
  name: "mysql",
  title: "Database server",
  parameters: mysqlParameters,

  problems({ bufferPoolSize }, host, inventory) {
    const isMember = inventory.mesh.ensemble.some((member) => member.host === host.name);
    if (bufferPoolSize.is !== "percent" || !isMember) return [];
    return [
      {
        path: ["buffer_pool_size"],
        message: `a percentage of memory is for hosts without another heavy role, and ${host.name} is a member of the ZooKeeper ensemble: give a size, for example 2G`,
      },
    ];
  },

  desired: (parameters, host, inventory) => ({
    ...parameters,
    proxied: proxiedOn(host, inventory),
    named: namedIn(inventory),
  }),

  owns: { paths: [], units: ["mariadb.service", "mysql.service", "mysqld.service"] },

  claims(desired, host) {
    const installed = installedServer(host.packages);
    const server = chosenServer(desired.server, installed?.server);
    const { bytes } = wantedPool(desired.bufferPoolSize, host.memoryBytes);
    return {
      // Never the other server beside the one that is there: apt would remove the first.
      packages: installed === undefined ? [server.package] : [],
      ports: server.ports.map((port) => ({ ...port, address: "127.0.0.1", process: server.process })),
      memory: [{ bytes: bytes + OVERHEAD_BYTES, what: `${server.title}, buffer pool ${showBytes(bytes)}` }],
    };
  },

  files({ desired, machine: { memoryBytes } }) {
    const server = chosenServer(desired.server, undefined);
    const notes = [
      ...(desired.server === "auto"
        ? [`For ${server.title}, which is installed where no server is; one that is there already stays.`]
        : []),
      ...(desired.bufferPoolSize.is === "percent"
        ? [
            `The pool is a share of memory, here of ${showBytes(memoryBytes)}; one in the file already stays while it is within it.`,
          ]
        : []),
    ];
    const settings = wantedSettings(desired, server, undefined, memoryBytes, undefined);
    return [{ ...dropInFile(server, settings), notes }];
  },

  look: lookAtDatabase,

  assess: ({ desired, facts, host }) => assess(desired, facts, host),

  needs: "self",
  alone: true,
  next: everyone,
  serial: ONE_BY_ONE,
  service,
  // A shutdown with a large pool of dirty pages or a crash recovery is waited for, never cut short.
  settle: { deadlineMs: 15 * 60_000, stableMs: 1_000 },
};
