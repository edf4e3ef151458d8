// Loads a bundle with what V8 made of it at the build. Compiling takes as long as all else that a start does.
const { readFileSync } = require("node:fs");
const { createRequire, wrap } = require("node:module");
const { dirname } = require("node:path");
const { Script } = require("node:vm");

/** Where the compiled form of a bundle is, for this very Node and this very text, whose first line is its digest. */
function compiledFile(bundle, text) {
  return `${bundle}.${text.slice(2, text.indexOf("\n"))}-${process.version}-${process.arch}.cache`;
}

/** The bundle as a script. V8 itself refuses a compiled form of another version or other flags. */
function scriptOf(bundle, text, cachedData) {
  return new Script(wrap(text), { filename: bundle, cachedData });
}

/** What the bundle, a CommonJS module, exports. */
function load(bundle) {
  const text = readFileSync(bundle, "utf8");
  let compiled;
  try {
    compiled = readFileSync(compiledFile(bundle, text));
  } catch {
    // Built by another Node: it is compiled as it runs.
  }
  const module = { exports: {} };
  const run = scriptOf(bundle, text, compiled).runInThisContext();
  run(module.exports, createRequire(bundle), module, bundle, dirname(bundle));
  return module.exports;
}

module.exports = { compiledFile, load, scriptOf };
