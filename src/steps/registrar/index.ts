import type { Step } from "../../contract/step.ts";
import { GEM_PATHS } from "../../smartstack/gem-parameters.ts";
import { rubyRequirements } from "../../smartstack/gem-set.ts";
import { AS_NEXT_SAYS } from "../../waves.ts";
import { assess } from "./assess.ts";
import { type RegistrarDesired, registrarDesired, registrarProblems } from "./desired.ts";
import { drain } from "./drain.ts";
import type { RegistrarFacts } from "./facts.ts";
import { renderedFiles } from "./files.ts";
import { lookAtRegistrar } from "./look.ts";
import { type RegistrarParameters, registrarParameters } from "./parameters.ts";
import { marks, service } from "./service.ts";
import { next } from "./waves.ts";

/** Nerve: puts the services that a host runs into ZooKeeper while they are healthy. */
export const registrar: Step<RegistrarParameters, RegistrarDesired, RegistrarFacts> = {
  name: "registrar",
  title: "Registrar (Nerve)",
  parameters: registrarParameters,
  localPaths: GEM_PATHS,
  problems: registrarProblems,
  desired: registrarDesired,

  claims: ({ services }, host, facts) =>
    services.length === 0
      ? {}
      : {
          packages: ["ruby"],
          memory: [{ bytes: 60 * 1024 * 1024, what: "Nerve" }],
          requires: rubyRequirements("Nerve", host, facts),
        },

  files: ({ desired, machine }) => (desired.services.length === 0 ? [] : renderedFiles(desired, machine)),

  look: lookAtRegistrar,
  assess,
  needs: "self",
  next,
  serial: AS_NEXT_SAYS,
  service,
  marks,
  drain,
  settle: { deadlineMs: 60_000, stableMs: 5_000 },
};
