import * as z from "zod";
import { EXIT, exitCodeOf } from "../../engine/exit-code.ts";
import { ConfigurationError } from "../../errors.ts";
import { requireEveryShard } from "../shard.ts";
import { jsonLine } from "./ndjson.ts";

const summaryLine = z.looseObject({
  event: z.literal("summary"),
  exit_code: z.number(),
  duration_ms: z.number(),
  /** "2/8". */
  shard: z
    .string()
    .regex(/^\d{1,4}\/\d{1,4}$/)
    .optional(),
  hosts: z.array(
    z.looseObject({
      host: z.string(),
      outcome: z.enum(["as wanted", "restored", "drift", "failed", "unreachable", "interrupted"]),
    }),
  ),
});

type Summary = z.infer<typeof summaryLine>;

/**
 * The events of several runs, one after the other, with one summary of all hosts at the end: the exit code is what one run
 * would have. Throws ConfigurationError where a run has no summary, a host is in two of them, or a shard is missing.
 */
export function joinNdjson(parts: readonly { readonly file: string; readonly text: string }[]): string {
  const owners = new Map<string, string>();
  const summaries: Summary[] = [];
  const lines = parts.flatMap(({ file, text }) => {
    const own = text.trimEnd().split("\n");
    const summary = summaryIn(file, own.at(-1)!);
    for (const { host } of summary.hosts) {
      const owner = owners.get(host);
      if (owner !== undefined) throw new ConfigurationError(`${host} is in ${owner} and in ${file}`);
      owners.set(host, file);
    }
    summaries.push(summary);
    return own.slice(0, -1);
  });
  requireEveryShard(summaries.flatMap(({ shard }) => shard ?? []));
  const hosts = summaries.flatMap((summary) => summary.hosts);
  const outcomes = hosts.map(({ outcome }) => ({ is: outcome }));
  // What failed although its hosts did not, as where not all could be told.
  const isWorse =
    summaries.some(({ exit_code }) => exit_code === EXIT.failed) && exitCodeOf(outcomes) === EXIT.asWanted;
  const { shard: _, ...first } = summaries[0]!;
  const joined = {
    ...first,
    exit_code: summaries.some(({ exit_code }) => exit_code === EXIT.interrupted)
      ? EXIT.interrupted
      : isWorse
        ? EXIT.failed
        : exitCodeOf(outcomes),
    duration_ms: Math.max(...summaries.map(({ duration_ms }) => duration_ms)),
    hosts,
  };
  return `${[...lines, ""].join("\n")}${jsonLine(joined)}`;
}

function summaryIn(file: string, line: string): Summary {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    throw new ConfigurationError(`${file}: its last line is cut off`);
  }
  // As it is, with its keys in their order.
  if (summaryLine.safeParse(parsed).success) return parsed as Summary;
  throw new ConfigurationError(`${file}: its run has not ended: the last line is no summary of a run`);
}
