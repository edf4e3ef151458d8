import type { Change } from "../contract/change.ts";
import type { Hooks } from "../contract/hook.ts";
import type { Boot } from "../contract/host.ts";
import type { HostName } from "../contract/inventory-view.ts";
import type { StepName } from "../contract/names.ts";
import type { Evidence } from "../contract/reading.ts";
import type { Health } from "../contract/step.ts";
import type { Comparison } from "./gate.ts";

/** A change that was begun on a host. */
export interface MadeChange {
  readonly step: StepName;
  readonly change: string;
  readonly why: string;
  /** Whether the configuration from before it was put back, because the service did not come up with it. */
  readonly putBack?: boolean;
}

/** How a run ended for one host. */
export interface HostOutcome {
  readonly host: HostName;
  readonly is: "as wanted" | "restored" | "listed" | "drift" | "failed" | "unreachable" | "interrupted";
  /** What went wrong first, as one sentence. */
  readonly because?: string | undefined;
  /** Changes that were made and proved, in order. */
  readonly changed: readonly MadeChange[];
  /** Changes that were begun and that the host did not show to be in force: what they did is not known. */
  readonly unproven: readonly MadeChange[];
  readonly execs: number;
}

/** What happens in a run, in order. Reports and screens subscribe; the engine knows none of them. */
export type RunEvent =
  | {
      readonly event: "run";
      readonly command: string;
      readonly hosts: readonly HostName[];
      readonly steps: readonly StepName[];
    }
  | { readonly event: "observed"; readonly host: HostName; readonly durationMs: number }
  | { readonly event: "unreachable"; readonly host: HostName; readonly error: Error }
  | {
      readonly event: "evidence";
      readonly host: HostName;
      readonly step: StepName;
      readonly evidence: Evidence;
    }
  /** Whether what the host boots with is proved by a boot. */
  | { readonly event: "boot"; readonly host: HostName; readonly boot: Boot }
  | {
      readonly event: "planned";
      readonly host: HostName;
      readonly step: StepName;
      readonly change: Change;
      /** What becomes of the host's backends meanwhile, as one sentence; undefined where nothing does. */
      readonly drain?: string | undefined;
    }
  /** Who would be disrupted in which wave, should none fail; told where there is more than one wave, or a hold. */
  | {
      readonly event: "waves";
      readonly step: StepName;
      readonly waves: readonly (readonly HostName[])[];
      /** How long the mesh is watched after each. */
      readonly holdMs: number;
    }
  /** Commands of the user's own that run around a step's planned changes. */
  | {
      readonly event: "hooks";
      readonly step: StepName;
      readonly hosts: readonly HostName[];
      readonly hooks: Hooks;
    }
  /** One of them on a host: told when it begins and when it has ended. */
  | {
      readonly event: "hook";
      readonly host: HostName;
      readonly step: StepName;
      readonly when: keyof Hooks;
      readonly per: "host" | "wave";
      /** Hosts that it runs for. */
      readonly wave: readonly HostName[];
      readonly command: string;
      /** "lost": the connection ended first, so that nobody knows how it ended. */
      readonly is: "begun" | "passed" | "failed" | "lost";
      /** How it failed or was lost, as one sentence. */
      readonly because?: string | undefined;
      readonly durationMs?: number | undefined;
    }
  /** A wave disrupted services, and the mesh's health was compared with the best of this step before the wave. */
  | ({
      readonly event: "gate";
      readonly step: StepName;
      readonly wave: readonly HostName[];
      /** False when the mesh had become worse before the wave could be begun. */
      readonly begun: boolean;
      /** Hosts that told of the mesh; none where no step that the run looks at does. */
      readonly lookedAt: readonly HostName[];
      /** "stopped": the run was told to stop before it was decided. */
      readonly is: "passed" | "failed" | "stopped";
      readonly durationMs: number;
    } & Comparison)
  /** A host's backends around a change that their clients would notice. */
  | {
      readonly event: "drain";
      readonly host: HostName;
      readonly step: StepName;
      /** "out": they have left the mesh. "back": they may come back. "kept": they stay in it. "failed": of either. */
      readonly is: "out" | "back" | "kept" | "failed";
      /** Why they were kept, or what failed. */
      readonly because?: string | undefined;
      readonly durationMs: number;
    }
  | {
      readonly event: "step";
      readonly step: StepName;
      readonly title: string;
      readonly hosts: readonly HostName[];
    }
  | { readonly event: "changing"; readonly host: HostName; readonly step: StepName; readonly change: Change }
  | {
      readonly event: "waiting";
      readonly host: HostName;
      /** Undefined while the host itself is waited for, before any step. */
      readonly step?: StepName;
      readonly because: string;
    }
  | {
      readonly event: "changed";
      readonly host: HostName;
      readonly step: StepName;
      readonly change: Change;
      readonly durationMs: number;
    }
  | {
      readonly event: "failed";
      readonly host: HostName;
      readonly step: StepName;
      readonly because: string;
      /** What the host or the program said, several lines. */
      readonly output?: string | undefined;
    }
  /** The configuration from before the run is being put back, because the service does not come up with the new one. */
  | {
      readonly event: "putting-back";
      readonly host: HostName;
      readonly step: StepName;
      readonly because: string;
      readonly files: readonly string[];
    }
  /** … and whether the service is healthy with it. */
  | {
      readonly event: "put-back";
      readonly host: HostName;
      readonly step: StepName;
      readonly files: readonly string[];
      readonly health: Health["is"];
      readonly because: string;
    }
  /** Files that an earlier run replaced on a host, and that can be put back. */
  | {
      readonly event: "kept";
      readonly host: HostName;
      readonly of: string;
      /** `adopted` is the copy of a file that the run only took over: it does not go back by itself. */
      readonly files: readonly {
        readonly step: StepName;
        readonly path: string;
        readonly adopted?: string;
      }[];
    }
  | { readonly event: "note"; readonly host?: HostName; readonly text: string }
  | {
      readonly event: "summary";
      readonly exitCode: number;
      readonly hosts: readonly HostOutcome[];
      readonly durationMs: number;
    };

export type Emit = (event: RunEvent) => void;

/** What a program on a host says while a change is under way. It is for a person who waits, and in no report. */
export type Heard = {
  readonly host: HostName;
  /** What is under way there, as in "building KEY on HOST". */
  readonly during: string;
} & ({ readonly is: "line"; readonly line: string } | { readonly is: "begun" | "ended" });

export type Hear = (heard: Heard) => void;
