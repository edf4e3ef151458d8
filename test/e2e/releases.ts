import { parseSuite, type Suite } from "../lab/suite.ts";

/** The release of the lab hosts in a run of `npm run test:matrix`; bookworm otherwise. */
export const releaseOfRun = (): Suite => parseSuite(process.env.MESHCTL_SUITE ?? "bookworm");

/** The lab's inventory for hosts of a release: sid is let in. */
export const letIn = (release: Suite, yaml: string): string =>
  release === "sid" ? yaml.replace("version: 1\n", "version: 1\nallow_os: [sid]\n") : yaml;

/** The same with the database that is tried on the release: sid has the real MySQL. */
export function fitRelease(release: Suite, yaml: string): string {
  const fitted = letIn(release, yaml);
  if (release !== "sid") return fitted;
  return fitted.replace(
    "mysql: { buffer_pool_size: 256M }",
    "mysql: { server: mysql, buffer_pool_size: 256M }",
  );
}
