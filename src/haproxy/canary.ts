/**
 * The backend that `meshctl probe` registers for a moment, and its node. Always of the same name, so that HAProxy's file
 * holds one line of it and no more; synapse-patches.rb knows it too.
 */
export const CANARY = "meshctl-probe";

/** Whether a server in HAProxy is a canary, wherever it listens. */
export function isCanary(server: string): boolean {
  return server.startsWith(`${CANARY}_`);
}
