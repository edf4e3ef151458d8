import { installTimeoutMs, mustRun } from "../e2e/backends.ts";
import type { Trap, World } from "./trap.ts";

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

/** Plants rules of nftables, in the words of `nft -f`. */
export function withRules(rules: string): Trap["plant"] {
  return async ({ host, lab }) => {
    await installed({ host, lab }, "/usr/sbin/nft", "nftables");
    // bullseye's nft opens /dev/stdin anew, which a socket does not allow.
    await mustRun(host, "cat >/run/trap.nft && nft -f /run/trap.nft", rules);
  };
}
