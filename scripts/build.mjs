// Bundles src into dist/cli: Node loads a few large files in half the time that it takes for hundreds of small ones,
// and a converged run is mostly start-up. What is imported on demand stays apart. Checking types is `npm run check`.
import { cpSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { relative } from "node:path";
import { build } from "esbuild";

rmSync("dist", { recursive: true, force: true });
await build({
  entryPoints: ["src/cli/main.ts"],
  outdir: "dist/cli",
  bundle: true,
  // Half the text to read and compile at every start. Names stay: a stack trace shows them, and lines have numbers.
  minifyWhitespace: true,
  minifySyntax: true,
  lineLimit: 160,
  splitting: true,
  platform: "node",
  format: "esm",
  target: "node20",
  // It finds its optional native parts by where its files are.
  external: ["ssh2"],
  // The same code as what Node would get, as modules of which only the used parts are taken.
  alias: { yaml: "./node_modules/yaml/browser/index.js" },
  // Packages that are still CommonJS require Node's own modules.
  banner: {
    js: `import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);`,
  },
  plugins: [
    { name: "assets", setup: ({ onLoad }) => onLoad({ filter: /[/\\]src[/\\].*\.ts$/ }, withOwnUrl) },
  ],
  logLevel: "warning",
});
// The shell scripts that run on the hosts travel beside it, in their folders.
cpSync("src", "dist", { recursive: true, filter: (source) => !source.endsWith(".ts") });

/** A module finds its scripts by its own URL, which is the bundle's now. */
async function withOwnUrl({ path }) {
  const url = `new URL(${JSON.stringify(`../${relative("src", path)}`)}, import.meta.url).href`;
  return { loader: "ts", contents: (await readFile(path, "utf8")).replaceAll("import.meta.url", url) };
}
