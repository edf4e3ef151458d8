#!/usr/bin/env node
// CommonJS, which Node starts sooner than a module.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`meshctl needs Node 20.19 or newer; this is ${process.versions.node}.`);
  process.exit(3);
}
const { existsSync } = require("node:fs");
const { join } = require("node:path");
const { load } = require("./load.js");

const bundle = join(__dirname, "../dist/cli/main.cjs");
if (!existsSync(bundle)) {
  console.error("meshctl is not built yet: run `npm install && npm run build` in its folder.");
  process.exit(3);
}
load(bundle).main(process.argv);
