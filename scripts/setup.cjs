// Runs before everything else, also under a Node too old for the rest: hence the old syntax.
// biome-ignore-all lint/style/useNodejsImportProtocol: Node 12 and older do not know it.
const childProcess = require("child_process");
const fs = require("fs");
const path = require("path");

const root = path.join(__dirname, "..");

function requireNode() {
  const version = process.versions.node.split(".").map(Number);
  if (version[0] > 20 || (version[0] === 20 && version[1] >= 19)) return;
  console.error(`meshctl needs Node 20.19 or newer; this is ${process.versions.node}.`);
  process.exit(3);
}

function changedAt(file) {
  try {
    return fs.statSync(path.join(root, file)).mtimeMs;
  } catch (_) {
    return 0;
  }
}

function npm(args) {
  const script = process.env.npm_execpath || "";
  const command = /npm-cli\.js$/.test(script) ? [process.execPath, script] : ["npm"];
  const quiet = ["--include=dev", "--no-audit", "--no-fund", "--loglevel=error"];
  return childProcess.spawnSync(command[0], command.slice(1).concat(args, quiet), {
    cwd: root,
    encoding: "utf8",
  });
}

function installPackages() {
  // npm writes the hidden file at the end of every install.
  if (changedAt("node_modules/.package-lock.json") >= changedAt("package-lock.json")) return;
  console.error("Installing the npm packages of package-lock.json.");
  if (npm(["ci"]).status === 0) return;
  // npm ci refuses a lock file made where the registry lacks the packages of other platforms (optional
  // binaries of the tools); install takes the same versions from it and passes those over.
  const result = npm(["install", "--no-save"]);
  if (result.status === 0) return;
  // The cause comes first; then npm prints its manual.
  const cause = (result.stderr || String(result.error || "")).trim().split("\n").slice(0, 8);
  console.error(cause.concat("npm could not install the packages; the lines above say why.").join("\n"));
  process.exit(1);
}

requireNode();
installPackages();
