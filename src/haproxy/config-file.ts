import type { Layer } from "../contract/reading.ts";
import type { FileFact } from "../evidence/file.ts";
import { readFileFact } from "../evidence/read-file.ts";
import type { Reader } from "../reader/reader.ts";
import { HAPROXY_CONFIG } from "./paths.ts";

/**
 * haproxy.cfg whole, which holds every server of the mesh, thousands of them too. `wanted` is its text where that is known
 * to the byte.
 */
export async function lookAtConfig(reader: Reader, wanted?: string): Promise<FileFact> {
  return readFileFact(reader, HAPROXY_CONFIG, { wanted, mayBePackaged: true, isLong: true });
}

/** What is known of anything that haproxy.cfg says, where its text was not read; undefined where it was. */
export function withoutText(config: FileFact): Layer | undefined {
  if (config.kind === "absent") return { is: "absent", source: HAPROXY_CONFIG };
  const because = whyUnread(config);
  return because === undefined ? undefined : { is: "unreadable", source: HAPROXY_CONFIG, because };
}

/** Undefined where its text was read, and where there is none. */
export function whyUnread({ kind, because, content }: FileFact): string | undefined {
  if (because !== undefined || kind === "absent" || content !== undefined) return because;
  return kind === "regular" ? "it is larger than 3 MiB" : `it is a ${kind}`;
}
