import { type BootLine, showHow } from "./boot-lines.ts";

/** Programs that bring a host back to what somebody else has written down for it. */
const PROGRAMS =
  "puppet|pxp-agent|chef-client|cinc-client|salt-minion|salt-call|ansible-pull|cf-agent|cf-execd|rudder";

/** Programs that set a host's clock once. */
const CLOCK_SETTERS = "ntpdate|ntpdig|sntp|rdate|htpdate";

/** One of these stands in each of the lines below. */
export const MANAGER_WORDS = [...PROGRAMS.split("|"), ...CLOCK_SETTERS.split("|")];
export const MANAGER_LINES = `.*?\\b(?:(?:${PROGRAMS})(?![\\w./-])|(?:${CLOCK_SETTERS})\\b)`;

const SETS_CLOCK = new RegExp(`(?:^|["'=;&|]|\\s|bin/)(?:${CLOCK_SETTERS})(?:-debian)?(?![\\w./:@])`);

/** Whether cron sets the clock again and again. */
export function isClockKept(lines: readonly BootLine[]): boolean {
  return lines.some(
    ({ by, line, text }) =>
      by === "cron" &&
      line > 0 &&
      !/^\s*(?:#|@reboot)|\b(?:apt|apt-get|rm|pgrep|echo)\b/.test(text) &&
      SETS_CLOCK.test(text),
  );
}

const STARTED = new RegExp(`(?:^|["'=:!+-]|\\s|bin/)(${PROGRAMS})(?![\\w./:@-])`);

/** Who may set back what meshctl sets, with what and when, one sentence each. */
export function managersOf(lines: readonly BootLine[]): readonly string[] {
  const found = new Map<string, string>();
  for (const { path, line, text, by } of lines) {
    // What is told, removed or configured of it starts nothing.
    const isCommand =
      !/^\s*#|\b(?:rm|apt|apt-get|dpkg|systemctl|service|echo|logger|pgrep|pidof)\b|^-?\/etc\//.test(text);
    const program = STARTED.exec(text)?.[1];
    // A user may have that name, with files and jobs of its own.
    if (/^(?:puppet|rudder)$/.test(program ?? "") && !/\b(?:puppet|rudder)\s+(?:agent|apply)\b/.test(text))
      continue;
    if (line === 0 || program === undefined || !isCommand || / ExecStop/.test(by)) continue;
    if (["logrotate", "apt", "login"].includes(by)) continue;
    if (!found.has(program)) found.set(program, `${program} (${path}:${line}, ${showHow(by)})`);
  }
  return [...found.values()];
}
