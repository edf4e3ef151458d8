/** ssh_config as it applies to one host: lower-case keyword → values in order. */
export type SshConfigValues = ReadonlyMap<string, readonly string[]>;

/** What ssh is told on its command line: Match sections may ask for user and port. */
export interface SshConfigTarget {
  readonly name: string;
  readonly user: string | undefined;
  readonly port: number | undefined;
}
