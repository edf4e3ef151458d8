import type { Health, Service } from "../../contract/step.ts";
import { restart } from "./changes.ts";
import type { MysqlFacts } from "./facts.ts";
import { serviceBecause, stateOf } from "./in-force.ts";
import type { MysqlDesired } from "./parameters.ts";

/** The database server. One that is on its way up or down is left alone, however long it takes. */
export const service: Service<MysqlDesired, MysqlFacts> = {
  health({ installed }): Health | undefined {
    if (installed === undefined) return undefined;
    const { server, live, liveError } = installed;
    const because = serviceBecause(installed);
    switch (stateOf(installed)) {
      case "running":
        if (because === undefined && live !== undefined) return { is: "healthy" };
        return {
          is: "undecided",
          because: because ?? `${server.unit} runs and does not answer: ${liveError || "not in time"}`,
        };
      case "changing":
        return { is: "undecided", because: because! };
      case "stopped":
      case "failed":
        return { is: "broken", because: because! };
    }
  },
  activate: ({ installed }) => (installed === undefined ? [] : [restart(installed.server)]),
};
