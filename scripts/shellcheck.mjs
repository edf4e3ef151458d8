// Checks every shell script of the project. Installs shellcheck where it may (root on a Debian system).
import { spawnSync } from "node:child_process";

const files = spawnSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.sh"], {
  encoding: "utf8",
})
  .stdout.split("\n")
  .filter(Boolean);

function isInstalled() {
  return spawnSync("shellcheck", ["--version"], { stdio: "ignore" }).status === 0;
}

if (
  !isInstalled() &&
  process.getuid?.() === 0 &&
  spawnSync("apt-get", ["--version"], { stdio: "ignore" }).status === 0
) {
  const quiet = { stdio: "ignore", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
  spawnSync("apt-get", ["update"], quiet);
  spawnSync("apt-get", ["install", "-y", "--no-install-recommends", "shellcheck"], quiet);
}
if (!isInstalled()) {
  console.error(`shellcheck is not installed: ${files.length} shell scripts were NOT checked.`);
  process.exit(process.env.CI ? 1 : 0);
}
const { status } = spawnSync("shellcheck", ["--shell=sh", ...files], { stdio: "inherit" });
if (status === 0) console.log(`shellcheck: ${files.length} scripts are clean`);
process.exit(status ?? 1);
