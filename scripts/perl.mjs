// Compiles every Perl program of the project, strictly and with the modules of perl-base alone: a Debian host need not
// have more.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { withParts } from "./pack.mjs";

const files = spawnSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.pl"], {
  encoding: "utf8",
})
  .stdout.split("\n")
  .filter((file) => file !== "" && existsSync(file));
const base = readdirSync("/usr/lib")
  .map((name) => `/usr/lib/${name}/perl-base`)
  .find((path) => existsSync(path));
if (base === undefined) {
  console.error(`this is no Debian system: ${files.length} Perl programs were NOT compiled.`);
  process.exit(process.env.CI ? 1 : 0);
}
/** A program with its parts, which are none by themselves. */
const parts = new Set();
const programs = files.map((file) => [
  file,
  withParts(readFileSync(file, "utf8"), (name) => {
    const part = join(dirname(file), name);
    parts.add(part);
    return readFileSync(part, "utf8");
  }),
]);
let failed = 0;
for (const [file, text] of programs) {
  if (parts.has(file)) continue;
  const pinned = `BEGIN { @INC = ("${base}") }`;
  const { status, stderr } = spawnSync("perl", ["-c", "-e", pinned, "-e", `#line 1 "${file}"\n${text}`], {
    encoding: "utf8",
  });
  const isStrict = /^use strict;$/m.test(text) && /^use warnings;$/m.test(text);
  if (status === 0 && stderr.trim() === "-e syntax OK" && isStrict) continue;
  failed += 1;
  console.error(isStrict ? stderr.trim() : `${file} lacks "use strict; use warnings;"`);
}
if (failed === 0) console.log(`perl: ${files.length - parts.size} programs compile`);
process.exit(failed === 0 ? 0 : 1);
