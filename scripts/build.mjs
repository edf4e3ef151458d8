// Bundles src into one file, dist/cli/main.cjs: Node loads it in a fraction of the time that it takes for hundreds of
// small ones, and a converged run is mostly start-up. Checking types is `npm run check`.
import { createHash } from "node:crypto";
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { setFlagsFromString } from "node:v8";
import { gzipAsync } from "@gfx/zopfli";
import { build } from "esbuild";
import { compiledFile, scriptOf } from "../bin/load.js";
import { shortened, withParts } from "./pack.mjs";

/** Most runs ask nothing, and what asks is a third of all text. */
const APART = "inquirer";
/** Commands that ask no host are spared it. */
const SSH = "ssh2";
const LOADER = "../../bin/load.js";

rmSync("dist", { recursive: true, force: true });
const common = {
  outdir: "dist/cli",
  outExtension: { ".js": ".cjs" },
  bundle: true,
  // Half the text to read and compile at every start. Names stay: a stack trace shows them, and lines have numbers.
  minifyWhitespace: true,
  minifySyntax: true,
  lineLimit: 160,
  platform: "node",
  format: "cjs",
  target: "node20",
  // What is imported on demand is in the same file.
  supported: { "dynamic-import": false },
  logLevel: "warning",
  metafile: true,
};
const bundles = [];
const bundle = async (options) => bundles.push((await build({ ...common, ...options })).metafile);

await bundle({
  entryPoints: ["src/cli/main.ts"],
  external: [LOADER],
  // The same code as what Node would get, as modules of which only the used parts are taken.
  alias: { yaml: "./node_modules/yaml/browser/index.js" },
  plugins: [{ name: "assets", setup }],
});
// The client of the SSH library alone: its server and its agents of HTTP load half of Node.
await bundle({
  stdin: {
    contents: `module.exports = {
      ...require("ssh2/lib/agent.js"),
      Client: require("ssh2/lib/client.js"),
      utils: { parseKey: require("ssh2/lib/protocol/keyParser.js").parseKey },
    };`,
    resolveDir: ".",
    sourcefile: SSH,
  },
  entryNames: SSH,
  // It does without its native parts, which a compiler would have to make wherever meshctl is installed.
  plugins: [
    {
      name: "native parts",
      setup: ({ onLoad, onResolve }) => {
        onResolve({ filter: /\.node$|^cpu-features$/ }, ({ path }) => ({ path, namespace: "native" }));
        onLoad({ filter: /./, namespace: "native" }, () => ({ contents: `throw new Error("not built")` }));
      },
    },
  ],
});
// As a module of Node's own sees CommonJS: what is exported is the default.
await bundle({
  stdin: { contents: `module.exports = require("${APART}").default;`, resolveDir: ".", sourcefile: APART },
  entryNames: APART,
});
// The shell scripts that run on the hosts travel beside it, in their folders.
const READER = join("src", "reader", "reader.pl");
const PARTS = join("src", "reader", "host");
cpSync("src", "dist", {
  recursive: true,
  filter: (source) => !source.endsWith(".ts") && ![READER, PARTS].includes(source),
});
// But the reader, which is sent packed: a twentieth smaller than by zlib, and unpacked by any gzip.
const part = (file) => readFileSync(join("src", "reader", file), "utf8");
const { text: short } = shortened(withParts(readFileSync(READER, "utf8"), part));
writeFileSync(join("dist", "reader", "reader.pl.gz"), await gzipAsync(short, {}));

// The lab, which is test code, for those who have the package alone: `meshctl lab`.
const LAB = "test/lab";
await bundle({
  entryPoints: [`${LAB}/cli.ts`, `${LAB}/attendant.ts`],
  outdir: "dist/lab",
  outExtension: { ".js": ".mjs" },
  format: "esm",
  // commander requires modules of Node's.
  banner: {
    js: `import { createRequire } from "node:module";const require = createRequire(import.meta.url);`,
  },
});
for (const folder of [LAB, `${LAB}/vm`])
  for (const name of readdirSync(folder).filter((file) => /\.(sh|pl)$/.test(file)))
    cpSync(join(folder, name), join("dist/lab", name));

writeFileSync("dist/LICENSES.txt", licences());

for (const name of ["main", SSH]) compile(resolve(`dist/cli/${name}.cjs`));

/** Of every package that the bundles hold a part of. */
function licences() {
  const inputs = bundles.flatMap(({ inputs }) => Object.keys(inputs));
  const folders = inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []);
  return [...new Set(folders)].sort().map(licenceOf).join("\n\n");
}

function licenceOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  const text = file === undefined ? `License: ${license}` : readFileSync(join(folder, file), "utf8").trim();
  return `── ${name} ${version}\n\n${text}`;
}

/** All of it: what a run comes to is not known here. The flag is no part of the compiled form, which a run without it takes. */
function compile(bundle) {
  const bundled = readFileSync(bundle, "utf8");
  const text = `//${createHash("sha256").update(bundled).digest("hex").slice(0, 16)}\n${bundled}`;
  writeFileSync(bundle, text);
  setFlagsFromString("--no-lazy");
  const script = scriptOf(bundle, text);
  setFlagsFromString("--lazy");
  writeFileSync(compiledFile(bundle, text), script.createCachedData());
}

function setup({ onLoad, onResolve }) {
  onLoad({ filter: /[/\\]src[/\\].*\.ts$/ }, withOwnUrl);
  onResolve({ filter: new RegExp(`^${APART}$`) }, () => ({ path: `./${APART}.cjs`, external: true }));
  onResolve({ filter: new RegExp(`^${SSH}$`) }, () => ({ path: SSH, namespace: SSH }));
  const contents = `module.exports = require("${LOADER}").load(require("node:path").join(__dirname, "${SSH}.cjs"));`;
  onLoad({ filter: /./, namespace: SSH }, () => ({ contents, resolveDir: "." }));
}

/** A module finds its scripts by its own URL, which is the bundle's now. */
async function withOwnUrl({ path }) {
  // What is required when it is needed is in a bundle, too.
  if (path.endsWith("ssh2.ts"))
    return { loader: "ts", contents: `export const ssh2 = () => require("${SSH}");` };
  const url = `require("node:url").pathToFileURL(require("node:path").join(__dirname, ${JSON.stringify(`../${relative("src", path)}`)})).href`;
  return { loader: "ts", contents: (await readFile(path, "utf8")).replaceAll("import.meta.url", url) };
}
