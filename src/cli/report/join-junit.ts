import { ConfigurationError } from "../../errors.ts";
import { requireEveryShard } from "../shard.ts";

/** One JUnit report of several, as `junitXml` writes them. Throws ConfigurationError where a host is in two, or a shard in none. */
export function joinJunit(parts: readonly { readonly file: string; readonly text: string }[]): string {
  const owners = new Map<string, string>();
  const shards: string[] = [];
  let seconds = 0;
  const suites = parts.map(({ file, text }) => {
    const [, shard, time, inside] =
      /^[\s\S]*?<testsuites name="meshctl(?:, shard (\d{1,4}\/\d{1,4}))?" time="([\d.]+)">\n([\s\S]*)<\/testsuites>\s*$/.exec(
        text,
      ) ?? [];
    if (inside === undefined)
      throw new ConfigurationError(`${file}: it is no whole report that --junit wrote`);
    if (shard !== undefined) shards.push(shard);
    seconds = Math.max(seconds, Number(time));
    for (const [, host] of inside.matchAll(/^ {2}<testsuite name="([^"]*)"/gm)) {
      const owner = owners.get(host!);
      if (owner !== undefined) throw new ConfigurationError(`${host} is in ${owner} and in ${file}`);
      owners.set(host!, file);
    }
    return inside;
  });
  requireEveryShard(shards);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="meshctl" time="${seconds.toFixed(3)}">\n${suites.join("")}</testsuites>\n`;
}
