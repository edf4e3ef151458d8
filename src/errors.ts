/** A mistake in files or flags: nothing was touched. Exit code 3. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
}

/** No session could be had with the host. `stage` says how far the attempt came. Nothing ran there. */
export class HostUnreachable extends Error {
  override readonly name = "HostUnreachable";
  readonly host: string;
  readonly stage: ConnectStage;
  /** Whether it may come right by itself, as with a host that boots; never so of refused credentials and wrong keys. */
  readonly mayPass: boolean;

  constructor(
    host: string,
    stage: ConnectStage,
    message: string,
    options: ErrorOptions & { readonly mayPass?: boolean } = {},
  ) {
    super(message, options);
    this.host = host;
    this.stage = stage;
    this.mayPass = options.mayPass ?? (stage === "name resolution" || stage === "connect");
  }
}

export type ConnectStage =
  | "settings"
  | "name resolution"
  | "connect"
  | "jump host"
  | "key exchange"
  | "host key"
  | "authentication"
  | "channel"
  | "privilege"
  | "boot";

/** The session ended or a deadline passed while a command ran: its outcome is unknown. */
export class HostLost extends Error {
  override readonly name = "HostLost";
  readonly host: string;
  readonly during: string;

  constructor(host: string, during: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.host = host;
    this.during = during;
  }
}

/** Whether the host was not to be had, or was lost: that tells nothing of what it is. */
export function isAway(error: unknown): error is HostUnreachable | HostLost {
  return error instanceof HostUnreachable || error instanceof HostLost;
}

/** A remote command that ran and failed: the evidence is its exit code and what it said. */
export class CommandFailed extends Error {
  override readonly name = "CommandFailed";
  readonly host: string;
  readonly exitCode: number;
  readonly output: string;

  constructor(host: string, what: string, exitCode: number, output: string) {
    super(`${what} failed with exit code ${exitCode}`);
    this.host = host;
    this.exitCode = exitCode;
    this.output = output;
  }
}
