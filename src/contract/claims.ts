/** What a step will take of a host. Preflight and the joint apt run read it. */
export interface Claims {
  /** Debian package names. */
  readonly packages?: readonly string[];
  /** TCP ports that a service of the step listens on; `process` is its name in `ss -p` (comm). */
  readonly ports?: readonly {
    readonly port: number;
    readonly address: string;
    readonly process: string;
    readonly what: string;
  }[];
  readonly memory?: readonly { readonly bytes: number; readonly what: string }[];
  /** What the host must have that no change can give it. Preflight refuses before anything is changed. */
  readonly requires?: readonly Requirement[];
  /** Open files one process of the step needs. */
  readonly openFiles?: readonly { readonly count: number; readonly what: string }[];
}

/** `because` says what is wrong and what to do; undefined when the host has it. */
export interface Requirement {
  readonly setting: string;
  readonly want: string;
  readonly found: string;
  /** How it was read. */
  readonly source: string;
  readonly because: string | undefined;
}
