import type { Held, Outcome } from "../../../src/remote/remote.ts";

/** Carries out what a host is sent: real-shell.ts by a real `sh`, told-shell.ts in this process. */
export interface Shell {
  run(script: string): Promise<Pick<Outcome, "exitCode" | "stdout" | "stderr">>;
  hold(script: string): Promise<Held>;
}

/** Paths that scripts of the engine have for themselves; each host has its own below its folder. */
export const MOVED = ["/run/meshctl", "/var/lib/meshctl", "/usr/sbin/policy-rc.d"];
