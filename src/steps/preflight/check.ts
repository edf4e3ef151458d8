import type { StepName } from "../../contract/names.ts";
import type { Reading } from "../../contract/reading.ts";

/** One thing a host must be or have. */
interface Check {
  readonly setting: string;
  readonly want: string;
  readonly found: string;
  /** How it was read. */
  readonly source: string;
  readonly fine: boolean;
  /** When it is not fine: what is wrong and what to do. */
  readonly because?: string | undefined;
  /** A later step that sees to it: then the host need not stop here. */
  readonly leftTo?: StepName | undefined;
  readonly warning?: string | undefined;
}

/** A row about the host itself: no file of meshctl's decides it, and no change of preflight's can close it. */
export function check({ setting, want, found, source, fine, because, leftTo, warning }: Check): Reading {
  return {
    setting,
    want,
    onDisk: { is: "inapplicable" },
    inForce: { is: "read", value: found, source },
    accepts: () => fine,
    because,
    blocked: fine || leftTo !== undefined ? undefined : because,
    closedBy: leftTo === undefined ? undefined : { step: leftTo },
    warning,
  };
}

/** A row that nothing could be read for, which proves nothing: the host stops here as it does where it is not fit. */
export function unread({
  setting,
  want,
  source,
  because,
}: {
  readonly setting: string;
  readonly want: string;
  readonly source: string;
  /** Why not, and what to do. */
  readonly because: string;
}): Reading {
  const inForce = { is: "unreadable", source, because } as const;
  return { setting, want, onDisk: { is: "inapplicable" }, inForce, because };
}
