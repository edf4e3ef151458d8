// Lint, types, dead code, shell and Perl, side by side. Each prints when it is done; fails when one of them does.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

const node = process.execPath;
const bin = (name) => `node_modules/.bin/${name}`;
/** The longest first. */
const CHECKS = {
  types: [bin("tsc")],
  "shell scripts": [node, "scripts/shellcheck.mjs"],
  "dead code": [bin("knip")],
  "lint and format": [bin("biome"), "check", "."],
  "Perl programs": [node, "scripts/perl.mjs"],
};

async function run([command, ...args]) {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text) => {
      said += text;
    });
  const [code, signal] = await once(child, "close");
  return { code, signal, said };
}

/** What was installed a moment ago, somebody may still hold open for writing. */
const NOT_YET = "ETXTBSY";

const failed = [];
await Promise.all(
  Object.entries(CHECKS).map(async ([title, program]) => {
    let ended = await run(program);
    for (let again = 0; again < 5 && ended.code !== 0 && ended.said.includes(NOT_YET); again++) {
      await sleep(1000);
      ended = await run(program);
    }
    const { code, signal, said } = ended;
    if (code !== 0) failed.push(title);
    console.log(`── ${title}: ${code === 0 ? "passed" : `FAILED (${signal ?? `exit code ${code}`})`}`);
    if (said.trim() !== "") console.log(said.trimEnd());
  }),
);
if (failed.length > 0) console.error(`\nfailed: ${failed.join(", ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;
