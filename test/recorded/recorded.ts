import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { Suite } from "../lab/suite.ts";

/** A converged host of a release: what it was asked for, and what `verify --record` kept of it. */
export interface RecordedRelease {
  /** The inventory's YAML. */
  readonly inventory: string;
  readonly recording: { readonly recorded: string; readonly hosts: Readonly<Record<string, unknown>> };
}

export const fileOf = (suite: Suite): URL => new URL(`./${suite}.json.gz`, import.meta.url);

export function recordedRelease(suite: Suite): RecordedRelease {
  return JSON.parse(gunzipSync(readFileSync(fileOf(suite))).toString());
}
