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
// The lab is a program of its own, which is not to wait for all of meshctl.
if (process.argv[2] === "lab") {
  process.argv.splice(2, 1);
  import("../dist/lab/cli.mjs");
} else {
  load(bundle).main(process.argv);
}
