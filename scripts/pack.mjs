// How the reader's program is put together, for scripts that run before anything is built.
import { readFileSync } from "node:fs";
import { transformSync } from "esbuild";

const { code } = transformSync(readFileSync("src/reader/pack.ts"), { loader: "ts", format: "esm" });
export const { shortened, withParts } = await import(`data:text/javascript,${encodeURIComponent(code)}`);
