import type { Step } from "../../contract/step.ts";
import { mergePortRanges, parsePortRanges } from "../../evidence/port-ranges.ts";
import { everyone } from "../../waves.ts";
import { assess, wantedSettings } from "./assess.ts";
import type { SysctlDesired } from "./desired.ts";
import { dropInFile } from "./drop-in.ts";
import type { SysctlFacts } from "./facts.ts";
import { lookAtKernelSettings } from "./look.ts";
import { ownPorts } from "./own-ports.ts";
import { RESERVED_PORTS, type SysctlParameters, sysctlParameters, TIME_STAMPS } from "./parameters.ts";
import { service } from "./service.ts";

/** Kernel settings: what /proc/sys has now, and which line of which file decides at the next boot. */
export const sysctl: Step<SysctlParameters, SysctlDesired, SysctlFacts> = {
  name: "sysctl",
  title: "Kernel settings",
  parameters: sysctlParameters,

  problems({ settings }) {
    const reuse = settings.get("net.ipv4.tcp_tw_reuse") ?? "0";
    if (reuse === "0" || settings.get(TIME_STAMPS) !== "0") return [];
    return [{ path: [TIME_STAMPS], message: "must be 1 for net.ipv4.tcp_tw_reuse to do anything" }];
  },

  desired({ settings, adopt }, host, inventory) {
    const { [RESERVED_PORTS]: reserved = "", ...others } = Object.fromEntries(settings);
    return {
      settings: new Map(Object.entries(others)),
      reserve: mergePortRanges([...ownPorts(host, inventory), ...(parsePortRanges(reserved) ?? [])]),
      adopt,
    };
  },

  claims: () => ({}),

  files: ({ desired }) => [
    {
      ...dropInFile(wantedSettings(desired, desired.reserve)),
      notes: [`${RESERVED_PORTS}: what the host has reserved already stays reserved and stands here too.`],
    },
  ],

  look: lookAtKernelSettings,

  assess: ({ desired, facts, host }) => assess(desired, facts, host),

  needs: "self",
  alone: true,
  next: everyone,
  service,
  // The kernel takes a value at once.
  settle: { deadlineMs: 2_000, stableMs: 0 },
};
