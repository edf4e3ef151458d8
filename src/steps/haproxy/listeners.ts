import type { Listener } from "../../contract/host.ts";

const WILDCARDS = new Set(["*", "0.0.0.0", "::"]);

/** Who listens where a front end binds: on that very address, or on all of them. */
export function holderOf(listeners: readonly Listener[], bind: string, port: number): Listener | undefined {
  const candidates = listeners.filter((listener) => listener.port === port);
  return (
    candidates.find(({ address }) => bare(address) === bare(bind)) ??
    candidates.find(({ address }) => WILDCARDS.has(bare(address)) || WILDCARDS.has(bare(bind)))
  );
}

/** Without brackets and without the interface. */
function bare(address: string): string {
  return address.replace(/^\[|\]$/g, "").split("%", 1)[0]!;
}
