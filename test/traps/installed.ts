import { installTimeoutMs, mustRun } from "../e2e/backends.ts";
import type { World } from "./trap.ts";

/** Installs the package that brings a program, where the host has none yet. */
export async function installed(
  { host, lab }: Pick<World, "host" | "lab">,
  program: string,
  debianPackage: string,
): Promise<void> {
  const apt = `env http_proxy=${lab.proxyUrl} DEBIAN_FRONTEND=noninteractive apt-get -q -y`;
  await mustRun(host, `test -x ${program} || ${apt} install ${debianPackage}`, undefined, {
    timeoutMs: installTimeoutMs,
  });
}
