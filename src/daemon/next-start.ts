import { parseSize, showBytes } from "../quantity-text.ts";
import { quotable } from "../terminal-text.ts";
import { unlikeStarted } from "./as-started.ts";
import { endingsOf } from "./endings.ts";
import type { Reach } from "./reach.ts";
import type { ProgramFact, UnitLine } from "./start-facts.ts";
import type { UnitFact } from "./unit.ts";
import {
  harmOf,
  holdsBack,
  isEmptied,
  isHarmless,
  isLong,
  isRisky,
  NO,
  PLAIN_VARIABLE,
  secondsOf,
  TELLING_VARIABLE,
} from "./unit-keys.ts";
import { nameOf, START_KEYS } from "./unit-start.ts";

/** What a service needs, and what must go on being run beside it. */
export interface StartNeeds {
  /** The least that it works with. */
  readonly memoryBytes: number;
  readonly tasks: number;
  /** Files of meshctl's own among those of the unit. */
  readonly own?: readonly string[];
  /** Programs that the unit has to run, by the property that runs them. */
  readonly runs?: readonly { readonly key: "ExecStartPre" | "ExecReload"; readonly program: string }[];
  /** Whether nothing but the package's own command may start it. */
  readonly isPackaged?: boolean;
  /** Who must get to it, and to whom it must get; none where that is nobody's matter. */
  readonly reach?: Reach;
}

export interface StartVerdict {
  /** Sentences about what keeps it from starting, or may. */
  readonly blocked: readonly string[];
  readonly warnings: readonly string[];
  readonly unread: { readonly source: string; readonly because: string } | undefined;
}

/** Where lines that end a unit are looked for. */
const ENDED_BY = "cron, rc.local, units and their scripts";
/** In what the reader says of a program. */
const LOST_LIBRARY = /, a library that it needs, is not there$/;

function seeksElsewhere({ start }: UnitFact): boolean {
  return start.environment.some((text) => nameOf(text) === "LD_LIBRARY_PATH");
}

/** What keeps a unit from its next start, or may, and what a person should know of it. */
export function judgeStart(unit: UnitFact, needs: StartNeeds): StartVerdict {
  const blocked: string[] = [];
  const warnings: string[] = [];
  let unread: StartVerdict["unread"];
  const { next } = unit;
  if (next === undefined || unit.load === "not-found") return { blocked, warnings, unread };

  for (const { path, found } of next.programs) {
    if (found.is === "unreadable") unread ??= { source: path, because: found.because };
    else if (found.is === "value" && LOST_LIBRARY.test(found.value.because) && seeksElsewhere(unit))
      unread ??= {
        source: path,
        because: `LD_LIBRARY_PATH of ${unit.name} says where its libraries are, and that was not followed`,
      };
    else if (found.is === "value" && found.value.because !== "")
      blocked.push(`${found.value.because}: ${unit.name} would not start`);
  }
  const [main] = next.programs;
  if (main?.found.is === "value" && next.runs !== undefined && replaced(main, next.runs, unit))
    warnings.push(
      `PID ${next.runs.pid} runs another file than ${main.path} is now: it was replaced since the start, and the next start takes the new one`,
    );

  for (const { path, found } of next.programs)
    if (found.is === "value" && leadsOut(path, found.value.realPath))
      warnings.push(
        `${path} leads to ${found.value.realPath}, which no package of Debian's brings: ${unit.name} would be started with it (update-alternatives --config, or the link)`,
      );

  for (const { key, program } of needs.runs ?? []) {
    const property = key === "ExecReload" ? next.reloads : next.startsBefore;
    // What systemd has yet to read it reads first.
    if (unit.needDaemonReload || property.some((each) => each.includes(program))) continue;
    const place = placesOf(next.lines, (line) => line.key === key, needs) || unit.fragmentPath;
    blocked.push(`${place} takes meshctl's ${key}= (${program}) out of ${unit.name}: take it out there`);
  }

  for (const line of next.lines) {
    if (needs.own?.includes(line.path)) continue;
    judgeLine(line, unit, needs, { blocked, warnings, unread: (found) => (unread ??= found) });
  }
  for (const other of next.conflictedBy) {
    if (next.boot.is !== "value" || !next.boot.value.units.has(other)) continue;
    blocked.push(
      `${other} says Conflicts=${unit.name}, and the next boot is to start both: only one of the two can run. systemctl disable ${other}, or take the line out there`,
    );
  }
  for (const other of next.circle ?? [])
    blocked.push(
      `${unit.name} is to be started before ${other} and after it, and systemd leaves one of them out: systemctl show -p Before -p After ${unit.name}, and take one of the lines out`,
    );
  for (const other of next.neverRun ?? [])
    warnings.push(
      `the next boot starts ${unit.name} after ${other}, which has not come up since this boot: systemctl start ${other} shows whether it ever does`,
    );
  if (next.endings.is === "unreadable") unread ??= { source: ENDED_BY, because: next.endings.because };
  else if (next.endings.is === "value") {
    const ends = endingsOf(next.endings.value, unit.name, needs.reach, next.triggers);
    blocked.push(...ends.blocked);
    warnings.push(...ends.warnings);
  }
  limits(unit, needs, blocked, warnings);
  if (next.asStarted?.is === "unreadable")
    unread ??= { source: `/proc/${unit.mainPid}`, because: next.asStarted.because };
  else if (next.asStarted?.is === "value") {
    const unlike = unlikeStarted(unit.name, next.asStarted.value);
    blocked.push(...unlike.blocked);
    warnings.push(...unlike.warnings);
  }
  managers(unit, needs, blocked, warnings, (found) => (unread ??= found));
  return { blocked, warnings, unread };
}

/** Whether a program of a package's is a link to what somebody has put there. */
function leadsOut(path: string, realPath: string): boolean {
  const isOwn = (each: string) => /^\/(?:usr\/local|opt|srv|home|root|tmp|var|etc|mnt|media)\//.test(each);
  return !isOwn(path) && isOwn(realPath);
}

/** Of a script what runs is its interpreter. */
function replaced({ path, found }: ProgramFact, runs: { readonly program: string }, unit: UnitFact): boolean {
  const [command] = unit.start.commands;
  if (found.is !== "value" || command === undefined || !command.startsWith(path)) return false;
  // It may have made itself another program.
  if (/\/(?:ba|da|k|z)?sh$|\/(?:env|busybox)$/.test(found.value.realPath)) return false;
  return found.value.id !== "" && found.value.id !== runs.program && /^[\d:]+$/.test(runs.program);
}

function placesOf(
  lines: readonly UnitLine[],
  matches: (line: UnitLine) => boolean,
  { own = [] }: StartNeeds,
): string {
  return lines
    .filter((line) => matches(line) && !own.includes(line.path))
    .map(({ path, line }) => `${path}:${line}`)
    .join(", ");
}

interface Verdicts {
  readonly blocked: string[];
  readonly warnings: string[];
  readonly unread: (found: { readonly source: string; readonly because: string }) => void;
}

function judgeLine(
  line: UnitLine,
  unit: UnitFact,
  needs: StartNeeds,
  { blocked, warnings, unread }: Verdicts,
): void {
  const { path, key, value, section, isStarted } = line;
  const place = `${path}:${line.line}`;
  const said = `${place} ${key}=${quotable(value)}`;
  if (section === "Install" || section.startsWith("X-") || key.startsWith("X-")) return;
  // What a path or a timer waits for is all that it is.
  if (/^(?:Path|Timer|Socket)$/.test(section)) {
    blocked.push(`${said} is not meshctl's, and decides when ${unit.name} does its work: take it out there`);
    return;
  }
  // It takes back what was said before.
  if (value === "" && !START_KEYS.includes(key) && !isEmptied(key)) {
    if (/^Exec/.test(key)) warnings.push(`${place} takes every ${key}= out of ${unit.name}`);
    return;
  }
  if (/^(?:Condition|Assert)/.test(key)) {
    if (line.holds?.is === "unreadable") unread({ source: place, because: line.holds.because });
    else if (line.holds?.is === "value" && !line.holds.value)
      blocked.push(
        `${said} does not hold, so ${unit.name} would not start: see to it, or take the line out there`,
      );
    return;
  }
  if (/^(?:Requires|Requisite|BindsTo|Conflicts)$/.test(key)) {
    const failing = (line.units ?? []).find((each) => keepsFromStarting(key, each));
    if (failing !== undefined)
      blocked.push(
        key === "Conflicts"
          ? `${said}: ${failing.unit} is ${failing.active}, and only one of the two can run: take the line out there`
          : `${said} needs ${failing.unit}, which is ${failing.load === "loaded" ? failing.active : failing.load}: take the line out there`,
      );
    return;
  }
  if (key === "Environment") {
    const names = value.split(" ").filter((name) => TELLING_VARIABLE.test(name));
    if (names.length > 0 && !isStarted)
      blocked.push(`${place} sets ${names.join(", ")} for ${unit.name}: take it out there`);
    else if (names.length > 0) warnings.push(`${place} sets ${names.join(", ")} for ${unit.name}`);
    return;
  }
  if (START_KEYS.includes(key)) {
    if (needs.isPackaged === true && key === "ExecStart")
      blocked.push(`${place} gives ${unit.name} another ExecStart=: take it out there`);
    else if (["User", "RootDirectory"].includes(key) && !isStarted)
      blocked.push(
        `${said}: ${unit.name} has not been started with it yet: take it out there, or restart it to see`,
      );
    return;
  }
  if (key === "RuntimeMaxSec") {
    if (value !== "infinity") blocked.push(`${said} ends ${unit.name} again and again: take it out there`);
    return;
  }
  if (/^RefuseManual/.test(key)) {
    if (!NO.test(value))
      blocked.push(`${said}: systemctl cannot start ${unit.name} by its name: take it out there`);
    return;
  }
  if (key === "Restart") {
    if (!/^(?:always|on-failure|on-abnormal)$/.test(value))
      warnings.push(`${said}: systemd does not start ${unit.name} again when it dies`);
    return;
  }
  if (/^StartLimitInterval(?:Sec)?$/.test(key)) {
    if (value === "infinity" || (secondsOf(value) ?? 0) > MOST_LIMIT_SECONDS)
      warnings.push(
        `${said}: systemd no longer starts ${unit.name} again when it dies a few times within that`,
      );
    return;
  }
  if (key === "RestartSec") {
    if ((secondsOf(value) ?? 0) > 60) warnings.push(`${said}: ${unit.name} is away so long when it dies`);
    return;
  }
  if (holdsBack(key, value)) {
    warnings.push(`${said} holds ${unit.name} back behind all others`);
    return;
  }
  const harm = harmOf(key, value);
  if (harm !== undefined) {
    warnings.push(`${said}: ${unit.name} ${harm}`);
    return;
  }
  if (isHarmless(key, value)) return;
  if (isRisky(key)) {
    if (isStarted) warnings.push(`${said} of ${unit.name} is not meshctl's`);
    // Nothing is lost by a start that fails.
    else if (unit.active === "inactive" || unit.active === "failed")
      warnings.push(`${said} may keep ${unit.name} from starting, which its next start shows`);
    else
      blocked.push(
        `${said} may keep ${unit.name} from starting, and what runs was not started with it: take it out there, or restart it to see`,
      );
    return;
  }
  warnings.push(`${said} of ${unit.name} is not meshctl's`);
}

/** Within longer, deaths that have nothing to do with each other count together. */
const MOST_LIMIT_SECONDS = 3600;

function keepsFromStarting(
  key: string,
  { load, active }: { readonly load: string; readonly active: string },
): boolean {
  if (key === "Conflicts") return active === "active";
  if (load !== "loaded") return true;
  return key === "Requires" ? active === "failed" : active !== "active" && active !== "activating";
}

/** With less a service is throttled, and not only shares the host with others. */
const LEAST_PROCESSORS = 0.2;
const LEAST_DISK_BYTES = 1 << 20;

/** Where clouds tell machines of themselves: no service of ours asks there. */
const LINK_LOCAL = /^(?:169\.254\.|fe80:|fd00:ec2:)/;

function limits(
  { name, next }: UnitFact,
  { memoryBytes, tasks }: StartNeeds,
  blocked: string[],
  warnings: string[],
): void {
  // What any of them lets through gets through: a unit's rules are its own and those of its slices together.
  const isAnyAllowed = next!.limits.some(({ allowed }) => allowed.length > 0);
  for (const limit of next!.limits) {
    const of = limit.name === name ? name : `${limit.name}, which ${name} is in,`;
    if (limit.memoryMax < memoryBytes)
      blocked.push(
        `MemoryMax=${showBytes(limit.memoryMax)} of ${of} is less than the ${showBytes(memoryBytes)} that ${name} needs: systemctl cat ${limit.name} shows where it stands`,
      );
    else if (limit.memoryHigh < memoryBytes)
      warnings.push(
        `MemoryHigh=${showBytes(limit.memoryHigh)} of ${of} is less than the ${showBytes(memoryBytes)} that ${name} needs: it would be slowed down`,
      );
    // Of the unit itself its lines tell, and the kernel's settings need no packets.
    const isTold = limit.name === name || name === "systemd-sysctl.service";
    const denied = isTold ? [] : limit.denied.filter((each) => !LINK_LOCAL.test(each));
    if (denied.length > 0) {
      const said = `IPAddressDeny= of ${of} keeps packets of ${denied.slice(0, 3).join(", ")} from it`;
      if (!isAnyAllowed && denied.some((each) => each.endsWith("/0")))
        blocked.push(`${said}: systemctl cat ${limit.name} shows where it stands`);
      else warnings.push(said);
    }
    if (limit.processors < LEAST_PROCESSORS)
      warnings.push(
        `CPUQuota= of ${of} leaves ${Math.round(limit.processors * 100)}% of a processor, and ${name} is slowed down: systemctl cat ${limit.name} shows where it stands`,
      );
    if (limit.diskBytes < LEAST_DISK_BYTES)
      warnings.push(
        `${of} may read or write ${limit.diskBytes} bytes in a second, and ${name} is slowed down: systemctl cat ${limit.name} shows where it stands`,
      );
    const least = Math.max(tasks, limit.tasks);
    if (limit.tasksMax < least)
      blocked.push(
        `TasksMax=${limit.tasksMax} of ${of} is less than the ${least} that are needed: systemctl cat ${limit.name} shows where it stands`,
      );
  }
}

function managers(
  { name, next, start }: UnitFact,
  needs: StartNeeds,
  blocked: string[],
  warnings: string[],
  unread: Verdicts["unread"],
): void {
  const { manager } = next!;
  if (manager.is === "unreadable") unread({ source: "systemctl show-environment", because: manager.because });
  if (manager.is !== "value") return;
  const own = new Set(start.environment.map(nameOf));
  const used = new Set(
    start.commands.flatMap((command) =>
      [...command.matchAll(/\$\{?(\w+)/g)].map(([, variable]) => variable!),
    ),
  );
  const isSetAgain = (key: string, index: number) =>
    /^Default(?:Limit|TasksMax)/.test(key) &&
    (manager.value.slice(index + 1).some((later) => later.key === key) ||
      next!.lines.some((line) => line.key === key.slice("Default".length)));
  for (const [index, { place, key, value }] of manager.value.entries()) {
    if (/^(?:Default|Manager)?Environment$/.test(key)) {
      const names = value.split(" ").filter((variable) => variable !== "" && !own.has(variable));
      const telling = names.filter((variable) => TELLING_VARIABLE.test(variable) || used.has(variable));
      const remedy = place.startsWith("/")
        ? "take it out there"
        : `systemctl unset-environment ${telling.join(" ")}`;
      if (telling.length > 0)
        blocked.push(
          `${telling.join(", ")} is set for every service (${place}), and ${name} would be started with it: ${remedy}`,
        );
      const others = names.filter(
        (variable) => !telling.includes(variable) && !PLAIN_VARIABLE.test(variable),
      );
      if (others.length > 0) warnings.push(`${others.join(", ")} is set for every service (${place})`);
    } else if (key === "Generator") {
      unread({
        source: place,
        because:
          "systemd has not run this generator since it was changed, and the next boot does: systemctl daemon-reload",
      });
    } else if (!name.endsWith(".service") || name.startsWith("systemd-")) {
      // Of a path or a target there is no program, and systemd's own services begin before any disk is mounted.
    } else if (key === "Preload") {
      warnings.push(`${place} puts ${quotable(value)} into every program, ${name} too`);
    } else if (key === "Kernel") {
      const word = value.split(" ").find((each) => keepsFromBooting(each, name));
      if (word !== undefined)
        blocked.push(
          `${place} has the next boot begin with ${quotable(word)}: take it out, in /etc/default/grub too, and update-grub`,
        );
    } else if (key === "Fstab") {
      blocked.push(
        `${place} mounts ${quotable(value)} at boot, and what it names is not there: the host would end in emergency mode before ${name} starts. Take the line out, or say nofail in it`,
      );
    } else if (isSetAgain(key, index)) {
      // A later file, or the unit itself, has the last word.
    } else if (isTooLittle(key, value, Math.max(needs.tasks, next!.limits[0]?.tasks ?? 0))) {
      blocked.push(
        `${place} ${key}=${quotable(value)} holds for every service and may keep ${name} from starting: take it out there`,
      );
    } else if (isFelt(key, value)) {
      warnings.push(`${place} ${key}=${quotable(value)} holds for every service, ${name} too`);
    }
  }
}

/** What a thread of Java's takes at most, unless it is told. */
const STACK_BYTES = 1 << 20;

/** Whether a limit for every service is less than one needs. */
function isTooLittle(key: string, value: string, tasks: number): boolean {
  if (key === "DefaultTasksMax") return /^\d+$/.test(value) && Number(value) < tasks;
  if (!/^DefaultLimit(?:AS|DATA|FSIZE|NPROC|CPU|STACK|NOFILE)$/.test(key) || value === "") return false;
  // A service begins with the soft limit; that of open files HAProxy and Java raise to the hard one.
  const [soft = "", hard = soft] = value.split(":");
  if (key === "DefaultLimitNOFILE") return Number(hard) < 1024;
  if (key === "DefaultLimitSTACK") return (parseSize(soft) ?? Number.POSITIVE_INFINITY) < STACK_BYTES;
  return !isHarmless(key.slice("Default".length), soft);
}

/** Whether a word of the kernel's command line keeps a unit from being started at boot. */
function keepsFromBooting(word: string, name: string): boolean {
  if (/^(?:[sS1]|single|rescue|emergency)$/.test(word)) return true;
  const [, init] = /^init=(.*)$/.exec(word) ?? [];
  if (init !== undefined) return !/^(?:\/usr)?\/(?:sbin\/init|(?:bin|lib\/systemd)\/systemd)$/.test(init);
  // The disk as it is now would not be there, or what is written to it is lost at the next shutdown.
  if (/^(?:systemd\.volatile=(?!no\b|0\b|false\b)|overlayroot=(?!disabled\b|$))/.test(word)) return true;
  const [, key, value = ""] = /^systemd\.(mask|unit)=(.*)$/.exec(word) ?? [];
  if (key === "mask") return value === name || `${value}.service` === name;
  return key === "unit" && !/^(?:default|multi-user|graphical)\.target$/.test(value);
}

/** Whether a service feels a setting of the manager's. */
function isFelt(key: string, value: string): boolean {
  if (key === "DefaultTimeoutStartSec") return !isLong(value);
  return /^(?:SystemCall|Capability|NoNewPrivileges|ProtectSystem)/.test(key) && value !== "";
}
