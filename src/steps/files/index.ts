import type { Step } from "../../contract/step.ts";
import { everyone } from "../../waves.ts";
import { assess } from "./assess.ts";
import { type FilesDesired, filesDesired } from "./desired.ts";
import type { FilesFacts } from "./facts.ts";
import { lookAtFiles } from "./look.ts";
import { type FilesParameters, filesParameters } from "./parameters.ts";
import { filesProblems, type OwnedBySteps } from "./problems.ts";
import { service } from "./service.ts";

/** What meshctl knows nothing of: files of the user's own with their packages, units and check. `owned` is other steps'. */
export function filesStep(owned: OwnedBySteps): Step<FilesParameters, FilesDesired, FilesFacts> {
  return {
    name: "files",
    title: "Files of your own",
    parameters: filesParameters,
    localPaths: [["files", "*", "src"]],
    problems: filesProblems(owned),
    desired: filesDesired,
    claims: ({ packages }) => ({ packages }),
    files: ({ desired }) => desired.files,
    look: lookAtFiles,
    assess: ({ desired, facts, host }) => assess(desired, facts, host),
    needs: "self",
    alone: true,
    next: everyone,
    service,
    settle: { deadlineMs: 30_000, stableMs: 3_000 },
  };
}
