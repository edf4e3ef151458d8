import { ConfigurationError } from "../../errors.ts";

/** One JUnit report of several, as `junitXml` writes them. Throws ConfigurationError where a host is in two of them. */
export function joinJunit(parts: readonly { readonly file: string; readonly text: string }[]): string {
  const owners = new Map<string, string>();
  let seconds = 0;
  const suites = parts.map(({ file, text }) => {
    const [, time, inside] =
      /^[\s\S]*?<testsuites name="meshctl" time="([\d.]+)">\n([\s\S]*)<\/testsuites>\s*$/.exec(text) ?? [];
    if (inside === undefined)
      throw new ConfigurationError(`${file}: it is no whole report that --junit wrote`);
    seconds = Math.max(seconds, Number(time));
    for (const [, host] of inside.matchAll(/^ {2}<testsuite name="([^"]*)"/gm)) {
      const owner = owners.get(host!);
      if (owner !== undefined) throw new ConfigurationError(`${host} is in ${owner} and in ${file}`);
      owners.set(host!, file);
    }
    return inside;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="meshctl" time="${seconds.toFixed(3)}">\n${suites.join("")}</testsuites>\n`;
}
