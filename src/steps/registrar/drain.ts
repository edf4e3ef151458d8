import type { ScriptCommand } from "../../contract/change.ts";
import type { Drain } from "../../contract/step.ts";
import type { RegistrarDesired } from "./desired.ts";
import type { RegistrarFacts } from "./facts.ts";
import { REGISTRAR_UNIT } from "./paths.ts";

/** As long as the unit gives Nerve to stop, and some more. */
const SYSTEMCTL_TIMEOUT_MS = 60_000;
/** Requests end sooner. A client of a database that stays connected is not waited for any longer. */
const REST_MS = 10_000;

/** Nerve takes what it has registered away when it is stopped. It is started again at every boot. */
export function drain({ services }: RegistrarDesired, { process }: RegistrarFacts): Drain | undefined {
  if (services.length === 0 || process === undefined) return undefined;
  const ports = [...new Set(services.map(({ port }) => `${port}`))];
  return {
    leave: (undoneAfterMs) =>
      script("drain", [REGISTRAR_UNIT, `${Math.ceil(undoneAfterMs / 1000)}`], SYSTEMCTL_TIMEOUT_MS),
    rest: script("rest", [`${REST_MS / 1000}`, ...ports], REST_MS + SYSTEMCTL_TIMEOUT_MS),
    enter: script("undrain", [REGISTRAR_UNIT], SYSTEMCTL_TIMEOUT_MS),
  };
}

function script(name: string, args: readonly string[], timeoutMs: number): ScriptCommand {
  return { kind: "script", file: new URL(`./${name}.sh`, import.meta.url), args, timeoutMs };
}
