#!/usr/bin/env node
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`meshctl needs Node 20.19 or newer; this is ${process.versions.node}.`);
  process.exit(3);
}
import("../dist/cli/main.js").then(
  ({ main }) => main(process.argv),
  (error) => {
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    console.error("meshctl is not built yet: run `npm install && npm run build` in its folder.");
    process.exit(3);
  },
);
