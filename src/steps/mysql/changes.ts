import type { Change, Command } from "../../contract/change.ts";
import type { InstalledFacts } from "./facts.ts";
import type { ServerState } from "./in-force.ts";
import type { Server } from "./server.ts";
import { FLUSH, type Setting } from "./settings.ts";

/** What is to be done on a host where nothing stands in the way. */
export interface Plan {
  readonly server: Server;
  readonly state: ServerState | "absent";
  /** Writes the drop-in; undefined when it agrees. */
  readonly write: Command | undefined;
  readonly writeWhy: string;
  readonly settings: readonly Setting[];
  /** Settings that the running server has otherwise. */
  readonly differing: readonly Setting[];
  /** Whether the server is still bringing its redo log to the new size. */
  readonly isResizing: boolean;
  readonly isEnabled: boolean;
  /** Whether systemd is to read the unit's files first: what would start is known only when it has. */
  readonly isUnread: boolean;
  /** Whether the server that runs is older than the one installed. */
  readonly isOld: boolean;
  readonly installed: InstalledFacts | undefined;
}

export type ChangeId = "packages" | "daemon-reload" | "settings" | "start" | "restart" | "enable" | "wait";

const RESTART = new URL("./restart.sh", import.meta.url);
const SET_ONLINE = new URL("./set-online.sh", import.meta.url);
const VALIDATE = new URL("./validate.sh", import.meta.url);
const SHORT_MS = 30_000;

/** The change that brings the service and its settings to what is wanted; undefined when nothing is left. */
export function nextChange(plan: Plan): ChangeId | undefined {
  if (plan.state === "changing") return "wait";
  if (plan.state === "absent" || plan.write !== undefined || plan.differing.length > 0) return "settings";
  if (plan.state !== "running") return "start";
  if (plan.isOld) return "restart";
  if (!plan.isEnabled) return "enable";
  return plan.isResizing ? "wait" : undefined;
}

export function changesFor(plan: Plan): readonly Change[] {
  const next = nextChange(plan);
  const changes = next === undefined ? [] : [CHANGES[next](plan)];
  if (plan.state === "absent") return [CHANGES.packages(plan), ...changes];
  if (plan.isUnread && plan.state !== "changing") return [CHANGES["daemon-reload"](plan), ...changes];
  if (plan.state === "changing" && plan.write !== undefined) return [...changes, CHANGES.settings(plan)];
  return changes;
}

const CHANGES: Readonly<Record<ChangeId, (plan: Plan) => Change>> = {
  packages: ({ server }) => ({
    id: "packages",
    why: `${server.title} is not installed`,
    commands: [{ kind: "install", packages: [server.package] }],
    activate: [],
  }),

  // One change for the file and for what follows from it: a restart that did not help is not tried again.
  settings(plan) {
    const { server, state, write, differing } = plan;
    const restarts =
      state === "running" && differing.length > 0 && !differing.every(({ isOnline }) => isOnline);
    const bringIntoForce =
      state === "absent" || state === "stopped" || state === "failed" || restarts
        ? [restart(server)]
        : differing.length > 0
          ? [setOnline(differing, plan.installed)]
          : [];
    return {
      id: "settings",
      why: whySettings(plan),
      disrupts: restarts ? disruption(server) : undefined,
      warning: weakensDurability(plan),
      commands: write === undefined ? [] : [write],
      ...(write === undefined ? {} : { validate: validation(plan) }),
      activate: [...enable(plan), ...bringIntoForce],
    };
  },

  "daemon-reload": ({ server }) => ({
    id: "daemon-reload",
    why: `systemd has not read the files of ${server.unit} since they changed`,
    commands: [],
    activate: [{ kind: "run", argv: ["systemctl", "daemon-reload"], timeoutMs: SHORT_MS }],
  }),

  restart: ({ server, installed }) => ({
    id: "restart",
    why: `${installed?.parser.version} is installed, and ${installed?.live?.get("version")} runs`,
    disrupts: disruption(server),
    commands: [],
    activate: [restart(server)],
  }),

  start: (plan) => ({
    id: "start",
    why: `${plan.server.unit} ${plan.state === "failed" ? "has failed" : "does not run"}`,
    commands: [],
    activate: [...enable(plan), restart(plan.server)],
  }),

  enable: (plan) => ({
    id: "enable",
    why: `${plan.server.unit} would not start at boot`,
    commands: [],
    activate: enable(plan),
  }),

  wait: ({ server, state }) => ({
    id: "wait",
    why:
      state === "changing"
        ? `${server.unit} is on its way up or down, and is left alone until it has arrived`
        : `${server.title} is still resizing its redo log`,
    commands: [],
    activate: [],
  }),
};

/** What runs on the host may ask the database there. */
function disruption({ unit }: Server): Change["disrupts"] {
  return { kind: "restart", what: unit, drains: true };
}

function enable({ server, isEnabled }: Plan): readonly Command[] {
  return isEnabled ? [] : [{ kind: "run", argv: ["systemctl", "enable", server.unit], timeoutMs: SHORT_MS }];
}

export function restart({ unit }: Server): Command {
  return { kind: "script", file: RESTART, args: [unit], timeoutMs: 2 * SHORT_MS };
}

/** At the socket that was asked: no other server of the host takes it. */
function setOnline(settings: readonly Setting[], installed: Plan["installed"]): Command {
  const statements = settings.map(({ name, number }) => `SET GLOBAL ${name} = ${number};\n`);
  const socket = installed?.answeredBy?.socket ?? "/run/mysqld/mysqld.sock";
  // Resizing a redo log waits for a checkpoint.
  return { kind: "script", file: SET_ONLINE, args: [socket], stdin: statements, timeoutMs: 10 * SHORT_MS };
}

function validation({ server, installed }: Plan): Change["validate"] & object {
  const { user = "mysql", readOnlyEtc = server.name === "mariadb" } = installed?.reader ?? {};
  return {
    file: VALIDATE,
    args: [server.name, server.dropIn, user, readOnlyEtc ? "full" : "no"],
    timeoutMs: 2 * SHORT_MS,
  };
}

function whySettings({ write, writeWhy, differing, installed, server }: Plan): string {
  const values = differing.map(({ name, show }) => `${name} ${show(Number(installed?.live?.get(name)))}`);
  const runs = values.length === 0 ? [] : [`${server.title} runs with ${values.join(", ")}`];
  return [...(write === undefined ? [] : [writeWhy]), ...runs].join("; ");
}

/** https://mariadb.com/docs/server/server-usage/storage-engines/innodb/innodb-system-variables */
function weakensDurability({ settings, installed }: Plan): string | undefined {
  const want = settings.find(({ name }) => name === FLUSH)?.want;
  const now = Number(installed?.live?.get(FLUSH) ?? installed?.parser.values.get(FLUSH) ?? 1);
  // MariaDB's 3 flushes at every commit, as 1 does.
  if (want === "1" || (now !== 1 && now !== 3)) return undefined;
  const when =
    want === "0" ? "when the server, the system or the power fails" : "when the system or the power fails";
  return `${FLUSH} ${now} → ${want} weakens durability: up to a second of committed transactions is lost ${when}`;
}
