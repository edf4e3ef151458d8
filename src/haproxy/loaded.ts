import type { FileFact } from "../evidence/file.ts";
import type { Answer } from "../reader/answer.ts";
import type { Reader } from "../reader/reader.ts";
import { directiveOf, type HaproxyConfig, parseHaproxyConfig } from "./config.ts";

/**
 * haproxy.cfg as HAProxy read it at its start or at the last `systemctl reload`, below a line "# invocation ID". The
 * haproxy step's drop-in has it written. A signal that somebody sends by hand leaves it as it is.
 */
export const LOADED_RECORD = "/run/meshctl/haproxy-loaded";

/** The record's text. */
export async function readLoadedRecord(reader: Reader): Promise<Answer<string>> {
  return reader.longText(LOADED_RECORD);
}

/**
 * The record's configuration, with its line numbers. Absent when there is none, or when it is of another start than the
 * unit's `invocation`.
 */
export function loadedConfig(record: Answer<string>, invocation: string | undefined): Answer<HaproxyConfig> {
  if (record.is !== "value") return record;
  const isOfThisStart =
    invocation !== undefined && record.value.split("\n", 1)[0] === `# invocation ${invocation}`;
  return isOfThisStart ? { is: "value", value: parseHaproxyConfig(record.value) } : { is: "absent" };
}

/**
 * As `loadedConfig`, and without a record as haproxy.cfg is, where the worker is younger than its last change: then the worker
 * has read it so.
 */
export async function loadedOrRead(
  reader: Reader,
  record: Answer<string>,
  invocation: string | undefined,
  { config, worker }: { readonly config: FileFact; readonly worker: number | undefined },
): Promise<Answer<HaproxyConfig>> {
  const loaded = loadedConfig(record, invocation);
  const { content, changed } = config;
  if (record.is !== "absent" || worker === undefined || content === undefined || changed === undefined)
    return loaded;
  const process = await reader.process(worker, ["started"]);
  if (process.is !== "value" || !(Number(process.value.parts[0]) >= changed)) return loaded;
  return { is: "value", value: parseHaproxyConfig(content) };
}

/**
 * What the worker serves with: what was loaded last, where the worker gives back that one's settings in its
 * `description`. Else a reload failed, or the worker was started by another hand, and it is not on record.
 */
export function servedConfig(
  loaded: Answer<HaproxyConfig>,
  description: string | undefined,
): Answer<HaproxyConfig> {
  if (loaded.is !== "value") return loaded;
  const described = directiveOf(loaded.value, "global", "", "description")?.value;
  return settingsIn(described) === settingsIn(description) ? loaded : { is: "absent" };
}

/**
 * The configuration that the worker was started with, servers and all: the record's or the file's, whichever has the
 * worker's whole description. Undefined while a reload is under way, when neither has.
 */
export function startedWith(
  loaded: Answer<HaproxyConfig>,
  onDisk: HaproxyConfig | undefined,
  description: string | undefined,
): HaproxyConfig | undefined {
  const known = [loaded.is === "value" ? loaded.value : undefined, onDisk];
  return known.find(
    (config) =>
      config && description && directiveOf(config, "global", "", "description")?.value === description,
  );
}

/** The settings' digest in a `description` of ours; "" in any other. The watcher adds one of the whole file. */
export function settingsIn(description: string | undefined): string {
  return /^meshctl-([0-9a-f]{64})(?:-[0-9a-f]{16})?$/.exec(description ?? "")?.[1] ?? "";
}
