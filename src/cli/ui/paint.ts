import { Chalk, type ChalkInstance } from "chalk";

/** Colours for a stream: none when it is not a terminal, NO_COLOR is set or `--no-color` was given. */
export function paintFor(stream: { isTTY?: boolean }, wanted: boolean): ChalkInstance {
  // chalk itself ignores NO_COLOR on a terminal (https://no-color.org).
  const off = !wanted || Boolean(process.env.NO_COLOR) || (stream.isTTY !== true && !process.env.FORCE_COLOR);
  return new Chalk({ level: off ? 0 : 1 });
}
