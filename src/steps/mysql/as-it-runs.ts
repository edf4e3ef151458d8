import { isIP } from "node:net";
import { isSameIp } from "../../ip.ts";
import type { InstalledFacts } from "./facts.ts";
import { stateOf } from "./in-force.ts";

/** Of the server's options: which data it has, whether it takes writes, who reaches it, and how many. */
export const OPTIONS_COMPARED = [
  "datadir",
  "innodb-data-home-dir",
  "innodb-log-group-home-dir",
  "innodb-undo-directory",
  "innodb-force-recovery",
  "innodb-read-only",
  "read-only",
  "super-read-only",
  "offline-mode",
  "max-connections",
  "max-user-connections",
  "init-connect",
  "skip-networking",
  "bind-address",
  "port",
  "skip-grant-tables",
] as const;

type Option = (typeof OPTIONS_COMPARED)[number];

/** What a server does while it is on. Who manages replicas, or an incident, sets it while the server runs. */
const SWITCHES = [
  ["read-only", "takes no writes"],
  ["super-read-only", "takes no writes, of administrators either"],
  ["offline-mode", "lets in administrators alone"],
] as const satisfies readonly (readonly [Option, string])[];

/**
 * In what the next start would be another server than the one that runs: other data, no writes, or out of reach. Sentences
 * about what keeps it from its work, and about what a person should know. `addresses`: the host's.
 */
export function judgeAsItRuns(
  facts: InstalledFacts,
  addresses: readonly string[],
): {
  readonly blocked: readonly string[];
  readonly warnings: readonly string[];
} {
  const blocked: string[] = [];
  const warnings: string[] = [];
  const name = facts.unit.name;
  const of = (option: Option) => ({ next: nextValue(option, facts), now: liveValue(option, facts) });
  const isRunning = stateOf(facts) === "running" && facts.live !== undefined;
  const source = (option: Option) => `grep -rn ${option.replaceAll("-", ".")} /etc/mysql names the line`;

  const data = of("datadir");
  const isSame = leadsThere(facts, data.next, data.now);
  if (isRunning && isOther(data) && !isSame)
    blocked.push(
      `the next start of ${name} takes its data from ${data.next}, and what runs has it in ${data.now}: move the data, or take datadir out (${source("datadir")})`,
    );
  else
    for (const option of [
      "innodb-data-home-dir",
      "innodb-log-group-home-dir",
      "innodb-undo-directory",
    ] as const) {
      const place = { ...of(option), ...(isSame ? { next: nextValue(option, facts, data.now) } : {}) };
      if (isRunning && isOther(place))
        blocked.push(
          `the next start of ${name} has ${option} ${place.next}, and what runs has its files in ${place.now}: move them, or take the option out (${source(option)})`,
        );
    }

  const recovery = of("innodb-force-recovery");
  if (recovery.next !== undefined && recovery.next !== "0") {
    const said = `innodb_force_recovery=${recovery.next} is for saving data of a damaged server: InnoDB does less with it, and takes no writes from 4 on`;
    if (isRunning && recovery.now === recovery.next) warnings.push(`${name} runs with it: ${said}`);
    else blocked.push(`${said}: take it out before the next start (${source("innodb-force-recovery")})`);
  }

  const innodb = of("innodb-read-only");
  if (isOn(innodb.next)) {
    const said = `innodb_read_only=ON: InnoDB takes no writes`;
    if (isRunning && isOn(innodb.now)) warnings.push(`${name} runs with ${said}`);
    else blocked.push(`the next start of ${name} has ${said}: take it out (${source("innodb-read-only")})`);
  }

  // What runs does not tell. Who takes it out restarts the server.
  if (isOn(of("skip-grant-tables").next))
    blocked.push(
      `the next start of ${name} asks nobody for a password (skip-grant-tables): take it out (${source("skip-grant-tables")})`,
    );

  for (const [option, does] of SWITCHES) {
    const { next, now } = of(option);
    const variable = option.replaceAll("-", "_");
    if (!isRunning || now === undefined || next === undefined || isOn(next) === isOn(now)) continue;
    warnings.push(
      isOn(next)
        ? `${variable}=ON is in its option files and not in force: after its next start ${name} ${does} until it is set to OFF`
        : `${variable}=ON was set while ${name} runs, so it ${does}, and its option files do not say so: SET GLOBAL ${variable}=OFF, or write it down`,
    );
  }

  if (isRunning && facts.isLocked === true)
    warnings.push(
      `no session can write to ${name}: one holds the read lock of all tables, as a backup does. SHOW FULL PROCESSLIST names who may, and KILL ends it`,
    );

  const most = of("max-connections");
  // An administrator has one more than all others, and is counted.
  const connections = Number(facts.live?.get("Threads_connected"));
  if (isRunning && connections > Number(most.now))
    warnings.push(
      `all ${most.now} connections of ${name} are taken, and nobody else gets in: SHOW FULL PROCESSLIST tells by whom (max_connections)`,
    );
  if (isRunning && Number(most.now) < Number(most.next))
    warnings.push(
      `${name} takes ${most.now} connections at most, and ${most.next} after its next start: SET GLOBAL max_connections=${most.next}, or write it down`,
    );

  for (const option of ["max-connections", "max-user-connections"] as const) {
    const { next, now } = of(option);
    // 0 is no limit. One that was raised while it runs may be for as long as that.
    const limit = (value: string | undefined) => (value === "0" ? Number.POSITIVE_INFINITY : Number(value));
    if (isRunning && limit(next) < limit(now) && limit(next) < FEW_CONNECTIONS)
      warnings.push(
        `after its next start ${name} takes ${next} connections at most${option === "max-connections" ? "" : " from each account"}, and what runs ${now === "0" ? "any number" : now}: restart it if that is meant, or take it out (${source(option)})`,
      );
    else if (isRunning && option === "max-user-connections" && limit(now) < limit(next))
      warnings.push(
        `${name} takes ${now} connections at most from each account, and its option files do not say so: SET GLOBAL max_user_connections=${next}, or write it down`,
      );
  }

  const init = of("init-connect");
  const runsInit = [init.next, init.now].some((each) => each !== undefined && !NO_VALUE.test(each));
  if (isRunning && runsInit && isOther({ next: plainText(init.next), now: plainText(init.now) }))
    warnings.push(
      `each connection to ${name} begins with the statements of init_connect, and ends where one fails: those of the option files are not those that are in force. Restart it if that is meant, or make them the same (${source("init-connect")})`,
    );

  const network = of("skip-networking");
  if (isRunning && network.now !== undefined && isOn(network.next) && !isOn(network.now))
    blocked.push(
      `the next start of ${name} listens on no address (skip-networking), and what runs does: take it out (${source("skip-networking")})`,
    );
  const address = of("bind-address");
  if (isRunning && isOther(address)) {
    const said = `the next start of ${name} listens on ${address.next}, and what runs on ${address.now}`;
    if (isLoopback(address.next!) && !isLoopback(address.now!))
      blocked.push(
        `${said}: no other host would reach it. Restart it if that is meant, or change it (${source("bind-address")})`,
      );
    else if (!isOwn(address.next!, addresses))
      blocked.push(
        `${said}: this host has no such address, and the server would not start. Change it (${source("bind-address")})`,
      );
    else warnings.push(said);
  }
  const port = of("port");
  // 0 is what a server tells that listens on no address.
  if (isRunning && isOther(port) && port.next !== "0" && port.now !== "0")
    blocked.push(
      `the next start of ${name} listens on port ${port.next}, and what runs on ${port.now}: restart it if that is meant, or change it (${source("port")})`,
    );
  return { blocked, warnings };
}

function isOther({
  next,
  now,
}: {
  readonly next: string | undefined;
  readonly now: string | undefined;
}): boolean {
  return next !== undefined && now !== undefined && next !== now;
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && !/^(?:OFF|FALSE|0|NO)$/i.test(value);
}

/** A pool of clients is larger. */
const FEW_CONNECTIONS = 20;

/** "" of what has no value. */
function plainText(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  return NO_VALUE.test(value) ? "" : value.trim();
}

/** Whether the host has all of these; of a name, or of any address, that is not asked. */
function isOwn(bound: string, addresses: readonly string[]): boolean {
  return bound.split(",").every((each) => {
    const address = each.trim();
    const isAny = isIP(address) === 0 || /^(?:127\.|[0.]+$|[0:]+$|::1$)/.test(address);
    return isAny || addresses.some((own) => isSameIp(own, address));
  });
}

function isLoopback(address: string): boolean {
  return address.split(",").every((each) => /^(?:127\.|::1$|localhost$)/.test(each.trim()));
}

/** Whether what the next start goes by is a link to where the data is. */
function leadsThere(
  { surroundings }: InstalledFacts,
  next: string | undefined,
  now: string | undefined,
): boolean {
  const place = surroundings?.places.get(next ?? "");
  return place?.is === "value" && place.value.realPath === now;
}

/**
 * As the command line, SET PERSIST and the option files make it, in that order. Undefined where that was not told. `data`: the
 * directory that relative places are below.
 */
function nextValue(
  option: Option,
  facts: InstalledFacts,
  data = dataDirectory(facts, option),
): string | undefined {
  const variable = option.replaceAll("-", "_");
  const spelled = option.replaceAll("-", "[-_]");
  const given = new RegExp(`(?<![\\w-])--(?:loose[-_])?${spelled}(?:=["']?([^\\s"';]+))?(?=[\\s"';]|$)`).exec(
    facts.unitOptions,
  );
  const said =
    given !== null ? (given[1] ?? "ON") : (facts.persisted.get(variable) ?? facts.parser.says?.get(option));
  return said === undefined ? undefined : normalised(option, said, data);
}

function dataDirectory(facts: InstalledFacts, option: Option): string {
  return option === "datadir" ? "/" : (nextValue("datadir", facts) ?? "/");
}

function liveValue(option: Option, { live }: InstalledFacts): string | undefined {
  const value = live?.get(option.replaceAll("-", "_"));
  return value === undefined ? undefined : normalised(option, value, live?.get("datadir") ?? "/");
}

const NO_VALUE = /^(?:|\(No default value\)|NULL|\*)$/;

/** Places without a slash at their end, those of InnoDB as below the data. */
function normalised(option: Option, value: string, data: string): string {
  if (option === "bind-address") return NO_VALUE.test(value) ? "*" : value;
  if (option !== "datadir" && !/dir(?:ectory)?$/.test(option)) return value;
  const bare = NO_VALUE.test(value) || value === "./" || value === "." ? data : value;
  const whole = bare.startsWith("/") ? bare : `${data.replace(/\/+$/, "")}/${bare.replace(/^\.\//, "")}`;
  return whole.replace(/(?<=.)\/+$/, "");
}
