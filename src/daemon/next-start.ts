import { showBytes } from "../quantity-text.ts";
import { quotable } from "../terminal-text.ts";
import type { ProgramFact, UnitLine } from "./start-facts.ts";
import type { UnitFact } from "./unit.ts";
import { isHarmless, isLong, isRisky, NO, PLAIN_VARIABLE, secondsOf, TELLING_VARIABLE } from "./unit-keys.ts";
import { START_KEYS } from "./unit-start.ts";

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
}

export interface StartVerdict {
  /** Sentences about what keeps it from starting, or may. */
  readonly blocked: readonly string[];
  readonly warnings: readonly string[];
  readonly unread: { readonly source: string; readonly because: string } | undefined;
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
    else if (found.is === "value" && found.value.because !== "")
      blocked.push(`${found.value.because}: ${unit.name} would not start`);
  }
  const [main] = next.programs;
  if (main?.found.is === "value" && next.runs !== undefined && replaced(main, next.runs, unit))
    warnings.push(
      `PID ${next.runs.pid} runs another file than ${main.path} is now: it was replaced since the start, and the next start takes the new one`,
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
  limits(unit, needs, blocked, warnings);
  managers(unit, blocked, warnings, (found) => (unread ??= found));
  return { blocked, warnings, unread };
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
  // It takes back what was said before.
  if (value === "" && !START_KEYS.includes(key)) {
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
      blocked.push(`${said}: nobody can start ${unit.name} by its name: take it out there`);
    return;
  }
  if (key === "Restart") {
    if (!/^(?:always|on-failure|on-abnormal)$/.test(value))
      warnings.push(`${said}: systemd does not start ${unit.name} again when it dies`);
    return;
  }
  if (key === "RestartSec") {
    if ((secondsOf(value) ?? 0) > 60) warnings.push(`${said}: ${unit.name} is away so long when it dies`);
    return;
  }
  if (isHarmless(key, value)) return;
  if (isRisky(key)) {
    if (isStarted) warnings.push(`${said} of ${unit.name} is not meshctl's`);
    else
      blocked.push(
        `${said} may keep ${unit.name} from starting, and what runs was not started with it: take it out there, or restart it to see`,
      );
    return;
  }
  warnings.push(`${said} of ${unit.name} is not meshctl's`);
}

function keepsFromStarting(
  key: string,
  { load, active }: { readonly load: string; readonly active: string },
): boolean {
  if (key === "Conflicts") return active === "active";
  if (load !== "loaded") return true;
  return key === "Requires" ? active === "failed" : active !== "active" && active !== "activating";
}

function limits(
  { name, next }: UnitFact,
  { memoryBytes, tasks }: StartNeeds,
  blocked: string[],
  warnings: string[],
): void {
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
    const least = Math.max(tasks, limit.tasks);
    if (limit.tasksMax < least)
      blocked.push(
        `TasksMax=${limit.tasksMax} of ${of} is less than the ${least} that are needed: systemctl cat ${limit.name} shows where it stands`,
      );
  }
}

function managers(
  { name, next, start }: UnitFact,
  blocked: string[],
  warnings: string[],
  unread: Verdicts["unread"],
): void {
  const { manager } = next!;
  if (manager.is === "unreadable") unread({ source: "systemctl show-environment", because: manager.because });
  if (manager.is !== "value") return;
  const own = new Set(start.environment.map((text) => text.split("=", 1)[0]!));
  const used = new Set(
    start.commands.flatMap((command) =>
      [...command.matchAll(/\$\{?(\w+)/g)].map(([, variable]) => variable!),
    ),
  );
  for (const { place, key, value } of manager.value) {
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
    } else if (isFelt(key, value)) {
      warnings.push(`${place} ${key}=${quotable(value)} holds for every service, ${name} too`);
    }
  }
}

/** Whether a service feels a setting of the manager's. */
function isFelt(key: string, value: string): boolean {
  if (/^DefaultLimit(?:AS|DATA|FSIZE|NPROC|CPU|STACK)$/.test(key))
    return value !== "infinity" && value !== "";
  if (key === "DefaultTimeoutStartSec") return !isLong(value);
  return /^(?:SystemCall|Capability|NoNewPrivileges|ProtectSystem)/.test(key) && value !== "";
}
