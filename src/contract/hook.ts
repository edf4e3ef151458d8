/** A command of the user's own that runs around a step's changes. */
export interface Hook {
  /** Text that `sh` reads. */
  readonly command: string;
  readonly timeoutMs: number;
  /** On each host that is changed, or once for a wave, on its first host. */
  readonly per: "host" | "wave";
}

/** In the order in which they run. */
export interface Hooks {
  /** Before the first change of a step on a host; one that fails keeps the change from being made. */
  readonly before: readonly Hook[];
  /** After the last change of a step on a host is proven; one that fails takes the changes back. */
  readonly after: readonly Hook[];
}

export const NO_HOOKS: Hooks = { before: [], after: [] };
