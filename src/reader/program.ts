import { existsSync, readFileSync } from "node:fs";
import { scriptText } from "../script-text.ts";
import { packed, withoutComments, withParts } from "./pack.ts";

const START = new URL("./start.sh", import.meta.url);
const READER = new URL("./reader.pl", import.meta.url);
const part = (file: string) => scriptText(new URL(file, READER));
/** Made by scripts/build.mjs, which leaves out what it was made of. */
const PACKED = new URL("./reader.pl.gz", import.meta.url);

let program: Buffer | undefined;

/** The reader as it is sent, packed, after the script that starts it. */
export function readerProgram(): { readonly script: string; readonly program: Buffer } {
  program ??= existsSync(PACKED) ? readFileSync(PACKED) : packed(withParts(scriptText(READER), part));
  return { script: `set -- ${program.length}\n${withoutComments(scriptText(START))}\n`, program };
}
