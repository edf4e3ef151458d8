import { type HaproxyConfig, parseHaproxyConfig } from "./haproxy-config.ts";

/**
 * haproxy.cfg as HAProxy read it at its start or at the last `systemctl reload`, below a line "# invocation ID". The
 * haproxy step's drop-in has it written. A signal that somebody sends by hand leaves it as it is.
 */
export const LOADED_RECORD = "/run/meshctl/haproxy-loaded";

/**
 * The record's configuration, with its line numbers. Undefined when there is none, or when it is of another start than
 * the unit's `invocation`.
 */
export function loadedConfig(
  record: string | undefined,
  invocation: string | undefined,
): HaproxyConfig | undefined {
  if (record === undefined || !invocation) return undefined;
  return record.split("\n", 1)[0] === `# invocation ${invocation}` ? parseHaproxyConfig(record) : undefined;
}
