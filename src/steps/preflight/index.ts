import type { Reading } from "../../contract/reading.ts";
import type { Step } from "../../contract/step.ts";
import { everyone } from "../../waves.ts";
import { clockReading, unkeptClock } from "./clock.ts";
import { countryReadings } from "./country.ts";
import {
  type PreflightDesired,
  type PreflightParameters,
  preflightDesired,
  preflightParameters,
} from "./desired.ts";
import { diskReadings } from "./disk.ts";
import type { PreflightFacts } from "./facts.ts";
import { flushReadings } from "./flush.ts";
import { lookAtMachine } from "./look.ts";
import { osReading, virtualizationReading } from "./machine.ts";
import { managerReadings } from "./managers.ts";
import { addressReading, ensembleReadings } from "./place-in-mesh.ts";
import { localPortRangeReading, portReadings } from "./ports.ts";
import { requirementReadings } from "./requirements.ts";
import { memoryReading, openFilesReadings } from "./resources.ts";
import { roundTripReadings } from "./round-trip.ts";

function withWarning(row: Reading, warning: string | undefined): Reading {
  return warning === undefined || row.warning !== undefined ? row : { ...row, warning };
}

/** Whether a host can take what the playbook wants to put on it. Reads and compares; never changes anything. */
export const preflight: Step<PreflightParameters, PreflightDesired, PreflightFacts> = {
  name: "preflight",
  title: "Is the host fit",
  parameters: preflightParameters,
  desired: preflightDesired,
  claims: () => ({}),
  look: lookAtMachine,
  assess({ name, desired, facts, host, claims }, fleet) {
    return {
      readings: [
        osReading(desired, host),
        virtualizationReading(desired, host),
        memoryReading(desired, host, claims),
        ...openFilesReadings(desired, host, claims),
        ...diskReadings(desired, facts),
        ...flushReadings(desired, facts),
        ...countryReadings(name, desired),
        addressReading(desired, host),
        ...portReadings(host, claims),
        ...requirementReadings(claims),
        localPortRangeReading(facts, claims),
        withWarning(clockReading(name, desired, host, fleet), unkeptClock(facts, host)),
        ...roundTripReadings(desired, facts, fleet),
        ...ensembleReadings(desired),
        ...managerReadings(facts),
      ],
      changes: [],
    };
  },
  needs: "self",
  next: everyone,
  settle: { deadlineMs: 0, stableMs: 0 },
};
