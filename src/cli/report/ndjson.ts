import type { FileDiff } from "../../contract/change.ts";
import type { Evidence, Layer } from "../../contract/reading.ts";
import { bootWords } from "../../engine/boot.ts";
import type { RunEvent } from "../../engine/events.ts";
import { maskForeignSecrets } from "../../foreign-secrets.ts";
import { maskSecrets } from "../../secret.ts";

/** Version of the event format. It only ever gains fields. */
const VERSION = 1;

/**
 * Writes every event as one JSON line. Secrets are masked here, whatever the event holds. With `noDiff` a diff has its
 * file's path alone.
 */
export function ndjsonReporter(
  run: string,
  write: (line: string) => void,
  options: { readonly noDiff?: boolean } = {},
): (event: RunEvent) => void {
  return (event) => write(eventLine(run, fields(event, options.noDiff === true)));
}

/** One event as a line, with what every event carries. */
export function eventLine(run: string, event: Record<string, unknown>): string {
  // Before they are encoded: a secret with a quote in it does not look like itself in JSON.
  const mask = (_key: string, value: unknown) => (typeof value === "string" ? maskSecrets(value) : value);
  const line = JSON.stringify({ v: VERSION, ts: new Date().toISOString(), run, ...event }, mask);
  return `${line.replace(STEERING, escaped)}\n`;
}

/** What a terminal obeys and JSON leaves as it is. */
const STEERING = /[\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

function escaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function fields(event: RunEvent, noDiff: boolean): Record<string, unknown> {
  switch (event.event) {
    case "evidence": {
      const { setting, want, onDisk, inForce, verdict, because, warning, diff, boot } = event.evidence;
      return {
        event: event.event,
        host: event.host,
        step: event.step,
        row: rowName(event.step, event.evidence),
        setting,
        want,
        on_disk: layer(onDisk),
        in_force: layer(inForce),
        verdict,
        since_boot: boot === undefined || boot.is === "unknown" ? undefined : boot.is === "proved",
        because,
        warning,
        diff: diff && shownDiff(diff, noDiff),
      };
    }
    case "planned":
    case "changing":
    case "changed": {
      const { id, why, disrupts, warning } = event.change;
      const files = event.change.commands.flatMap((command) =>
        command.kind === "write" || command.kind === "remove" || command.kind === "restore"
          ? [command.path]
          : [],
      );
      const duration = event.event === "changed" ? { duration_ms: Math.round(event.durationMs) } : {};
      return {
        event: event.event,
        host: event.host,
        step: event.step,
        change: id,
        why,
        disrupts,
        warning,
        files,
        ...duration,
      };
    }
    case "unreachable": {
      const { name, message } = event.error;
      const stage = "stage" in event.error ? event.error.stage : undefined;
      return { event: event.event, host: event.host, error: name, stage, because: message };
    }
    case "boot": {
      const { is, ...boot } = event.boot;
      const { bootedAt, changedAt, changes } = {
        bootedAt: undefined,
        changedAt: undefined,
        changes: undefined,
        ...boot,
      };
      return {
        event: event.event,
        host: event.host,
        is,
        booted_at: bootedAt?.toISOString(),
        changed_at: changedAt?.toISOString(),
        changes,
        because: is === "proved" ? undefined : bootWords(event.boot),
      };
    }
    case "observed":
      return { event: event.event, host: event.host, duration_ms: Math.round(event.durationMs) };
    case "summary":
      return {
        event: event.event,
        exit_code: event.exitCode,
        duration_ms: Math.round(event.durationMs),
        hosts: event.hosts.map(({ is, unproven, ...outcome }) => ({
          ...outcome,
          unproven: unproven.map(({ putBack, ...change }) =>
            putBack ? { ...change, put_back: true } : change,
          ),
          outcome: is,
        })),
      };
    default:
      return { ...event };
  }
}

/** Names a row for programs, whatever its title: "sysctl/net.ipv4.tcp_fin_timeout". */
function rowName(step: string, { row, setting }: Evidence): string {
  return `${step}/${row ?? setting.toLowerCase().replace(/[^a-z0-9._/:-]+/g, "-")}`;
}

/** What a host's file holds may be secrets that nobody told us of. */
function shownDiff({ path, was, want }: FileDiff, noDiff: boolean): Partial<FileDiff> {
  if (noDiff) return { path };
  const before = was === undefined ? {} : { was: maskForeignSecrets(was) };
  return { path, ...before, want: maskForeignSecrets(want) };
}

function layer(read: Layer): Record<string, unknown> {
  return read.is === "inapplicable" ? { is: read.is } : { ...read };
}
