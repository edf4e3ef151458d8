import type { Claims } from "../../contract/claims.ts";
import type { StepName } from "../../contract/names.ts";
import type { Reading } from "../../contract/reading.ts";
import { check } from "./check.ts";

/** What the steps of the playbook need of the host and cannot bring about. */
export function requirementReadings(claims: ReadonlyMap<StepName, Claims>): readonly Reading[] {
  return [...claims.values()].flatMap(({ requires = [] }) =>
    requires.map((requirement) => check({ ...requirement, fine: requirement.because === undefined })),
  );
}
