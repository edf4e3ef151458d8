/** How long each stage of a session may take. The connect stage has the inventory's connect_timeout. */
export interface Deadlines {
  readonly keyExchangeMs: number;
  /** Deciding about a host key; a person who is asked may take as long as the host waits. */
  readonly hostKeyMs: number;
  /** Behind PAM, directories and name look-ups this takes long on some hosts; sshd itself gives up after 120 s. */
  readonly authenticationMs: number;
  readonly channelMs: number;
  /** From the exec request until a root shell is ready: start-up files, sudo. */
  readonly shellMs: number;
  /** While something is sent to a script: how long the host may take none of it. A quiet script may be quiet. */
  readonly idleMs: number;
  /** Between keepalives; the third without an answer ends the connection. */
  readonly keepaliveMs: number;
}

export const DEADLINES: Deadlines = {
  keyExchangeMs: 20_000,
  hostKeyMs: 20_000,
  authenticationMs: 60_000,
  channelMs: 20_000,
  shellMs: 30_000,
  idleMs: 60_000,
  keepaliveMs: 10_000,
};
