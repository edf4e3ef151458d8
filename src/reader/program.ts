import { gzipSync } from "node:zlib";
import { scriptText } from "../script-text.ts";

const START = new URL("./start.sh", import.meta.url);
const READER = new URL("./reader.pl", import.meta.url);

let packed: Buffer | undefined;

/** The reader as it is sent, after the script that starts it: without comments, packed. */
export function readerProgram(): { readonly script: string; readonly program: Buffer } {
  packed ??= gzipSync(
    scriptText(READER)
      .split("\n")
      .map((line) => line.trimStart())
      .filter((line) => line !== "" && !line.startsWith("#"))
      .join("\n"),
  );
  return { script: `set -- ${packed.length}\n${scriptText(START)}`, program: packed };
}
