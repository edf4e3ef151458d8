import { EXIT } from "../engine/exit-code.ts";
import { onDeparture } from "./departure.ts";

/** ^C for what changes nothing that lasts: the first asks to stop, as a closed terminal does; a second ends the program. */
export function stopSignal(): { readonly signal: AbortSignal; unwatch(): void } {
  const stop = new AbortController();
  const interrupt = () => {
    if (stop.signal.aborted) process.exit(EXIT.interrupted);
    stop.abort();
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  const leave = onDeparture(() => stop.abort());
  return {
    signal: stop.signal,
    unwatch() {
      process.off("SIGINT", interrupt);
      process.off("SIGTERM", interrupt);
      leave();
    },
  };
}

/** What is under way only reads: it may be dropped anywhere. */
export function unlessStopped<T>(work: Promise<T>, stop: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const drop = () => resolve(undefined);
    if (stop.aborted) drop();
    stop.addEventListener("abort", drop, { once: true });
    work.then(resolve, reject).finally(() => stop.removeEventListener("abort", drop));
  });
}
