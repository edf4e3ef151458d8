import type { FileDiff } from "../../contract/change.ts";
import type { Hook } from "../../contract/hook.ts";
import type { Evidence, Layer } from "../../contract/reading.ts";
import { bootWords } from "../../engine/boot.ts";
import type { RunEvent } from "../../engine/events.ts";
import { maskForeignSecrets } from "../../foreign-secrets.ts";
import { hasSecrets, maskSecrets } from "../../secret.ts";
import { type Shard, shardText } from "../shard.ts";

/** Version of the event format. It only ever gains fields. */
const VERSION = 1;

/**
 * Writes every event as one JSON line. Secrets are masked here, whatever the event holds. With `noDiff` a diff has its
 * file's path alone. The summary of a shard says which, so that `join` knows when one is missing.
 */
export function ndjsonReporter(
  run: string,
  write: (line: string) => void,
  options: { readonly noDiff?: boolean; readonly shard?: Shard | undefined } = {},
): (event: RunEvent) => void {
  const { noDiff = false, shard } = options;
  const part = shard === undefined ? {} : { shard: shardText(shard) };
  return (event) => {
    // Standard output and the journal say the same of most events.
    const isSame =
      event.event !== "summary" && (event.event !== "evidence" || event.evidence.diff === undefined);
    if (isSame && last?.event === event && last.run === run) return write(last.line);
    const line = eventLine(run, {
      ...fields(event, noDiff),
      ...(event.event === "summary" ? part : {}),
    });
    last = isSame ? { event, run, line } : undefined;
    write(line);
  };
}

/** The line of the last event, where it is the same with any options. */
let last: { readonly event: RunEvent; readonly run: string; readonly line: string } | undefined;

/** No event has words of its own for what every event carries. */
type Fields = Readonly<Record<string, unknown>> & {
  readonly v?: never;
  readonly ts?: never;
  readonly run?: never;
};

/** One event as a line, with what every event carries. */
export function eventLine(run: string, event: Fields): string {
  // Before they are encoded: a secret with a quote in it does not look like itself in JSON.
  const mask = (_key: string, value: unknown) => (typeof value === "string" ? maskSecrets(value) : value);
  // Called for each value, it takes longer than all else of a line.
  return jsonLine(
    { v: VERSION, ts: new Date().toISOString(), run, ...event },
    hasSecrets() ? mask : undefined,
  );
}

/** A value as one line that steers no terminal; `replacer` as JSON.stringify takes it. */
export function jsonLine(value: unknown, replacer?: (key: string, value: unknown) => unknown): string {
  return `${JSON.stringify(value, replacer).replace(STEERING, escaped)}\n`;
}

/** What a terminal obeys and JSON leaves as it is. */
const STEERING = /[\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

function escaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function fields(event: RunEvent, noDiff: boolean): Fields {
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
      const drain = event.event === "planned" ? event.drain : undefined;
      const duration = event.event === "changed" ? { duration_ms: Math.round(event.durationMs) } : {};
      return {
        event: event.event,
        host: event.host,
        step: event.step,
        change: id,
        why,
        disrupts,
        warning,
        drain,
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
    case "waves": {
      const { holdMs, ...waves } = event;
      return { ...waves, hold_ms: holdMs };
    }
    case "gate": {
      const { durationMs, lookedAt, notCompared, ...told } = event;
      return {
        ...told,
        looked_at: lookedAt,
        not_compared: notCompared,
        duration_ms: Math.round(durationMs),
      };
    }
    case "hooks": {
      const { hooks, ...told } = event;
      const shown = (list: readonly Hook[]) =>
        list.map(({ command, timeoutMs, per }) => ({ command, timeout_ms: timeoutMs, per }));
      return { ...told, before: shown(hooks.before), after: shown(hooks.after) };
    }
    case "hook": {
      const { durationMs, ...told } = event;
      return { ...told, duration_ms: durationMs && Math.round(durationMs) };
    }
    case "drain":
      return {
        event: event.event,
        host: event.host,
        step: event.step,
        is: event.is,
        because: event.because,
        duration_ms: Math.round(event.durationMs),
      };
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
export function rowName(step: string, { row, setting }: Evidence): string {
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
