import { closeSync, openSync } from "node:fs";
import { EXIT } from "../engine/exit-code.ts";

const listeners = new Set<() => void>();
let isGone = false;

/**
 * Watches for the end of those who read what this program prints: a reader that leaves (`2>&1 | head`), a terminal that
 * is closed, a full disk behind `> FILE`. Work that listens is told once; without any, a closed terminal ends the program.
 */
export function watchDeparture(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", departed);
  process.on("SIGHUP", () => {
    const isHeard = listeners.size > 0 || isGone;
    departed();
    if (!isHeard) process.exit(EXIT.interrupted);
  });
}

/** Calls `listener` once nobody reads any more; at once when that is so already. Returns the way to be no longer told. */
export function onDeparture(listener: () => void): () => void {
  listeners.add(listener);
  if (isGone) listener();
  return () => listeners.delete(listener);
}

function departed(): void {
  // Every further line of output fails as well.
  if (isGone) return;
  isGone = true;
  process.once("exit", letGoOfTerminal);
  for (const listener of [...listeners]) listener();
}

/** Node gives the terminal its settings back when it ends, and aborts when there is none any more (exit code 134). */
function letGoOfTerminal(): void {
  for (const descriptor of [0, 1, 2]) {
    try {
      closeSync(descriptor);
      // The lowest number that is free.
      openSync("/dev/null", "r+");
    } catch {
      // It was closed before: nothing will be given back to it.
    }
  }
}
