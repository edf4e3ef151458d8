import { commandLine } from "../command-line.ts";
import type { Boot } from "../contract/host.ts";
import type { HostName } from "../contract/inventory-view.ts";
import type { Evidence } from "../contract/reading.ts";
import { judge } from "../evidence/verdict.ts";
import { bootWords } from "./boot.ts";

/** As a step's, for rows and changes that are the host's own. */
export const BOOT = "boot";

const WANT = "booted since the last change";
const SOURCE = "boot_id, and the kernel's time stamps (ctime) of what decides how the host boots";

/** The row of a host whose boot is to be proved. */
export function bootRow(host: HostName, boot: Boot): Evidence {
  return judge({
    setting: "what boots",
    row: "boot",
    want: WANT,
    onDisk: { is: "inapplicable" },
    inForce:
      boot.is === "unknown"
        ? { is: "unreadable", source: SOURCE, because: boot.because }
        : { is: "read", value: boot.is === "proved" ? WANT : "changed since the boot", source: SOURCE },
    because:
      boot.is === "inferred"
        ? `${bootWords(boot)}. This proves it: ${commandLine("meshctl", "reboot", "-l", host)}`
        : undefined,
  });
}
