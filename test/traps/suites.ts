import type { Suite } from "../lab/suite.ts";

/** The lab's inventory with what a release needs: sid is let in, and has the real MySQL. */
export function forSuite(suite: Suite, yaml: string): string {
  if (suite !== "sid") return yaml;
  return yaml
    .replace("version: 1\n", "version: 1\nallow_os: [sid]\n")
    .replace("mysql: { buffer_pool_size: 256M }", "mysql: { server: mysql, buffer_pool_size: 256M }");
}
