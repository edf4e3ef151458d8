// `npm run bench`: how long provisioning takes. `npm run bench -- look`: what a look costs, against plain logins. `npm run bench -- reroute`: what each fault costs requests.
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { benchLook } from "./look.ts";
import { benchProvisioning } from "./provisioning.ts";
import { benchReroute } from "./reroute.ts";

const USAGE = `npm run bench                    how long provisioning takes
npm run bench -- look            what a look at converged hosts costs, against plain logins
npm run bench -- reroute         what each fault costs requests, as a table
  --json                         each measurement as a line of JSON instead
  --runs N                       how often each fault is measured (1)
  --only WORD                    only faults whose name has this in it
  --lab NAME                     on a lab of three hosts that is up`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    runs: { type: "string", default: "1" },
    only: { type: "string", default: "" },
    lab: { type: "string" },
  },
});
const [what = "provisioning"] = positionals;
const runs = Number(values.runs);
if (!["provisioning", "look", "reroute"].includes(what) || !Number.isInteger(runs) || runs < 1) {
  console.error(USAGE);
  process.exit(3);
}
const root = resolve(import.meta.dirname, "../..");
spawnSync("npm", ["run", "--silent", "build"], { cwd: root, stdio: "inherit" });
if (what === "reroute") await benchReroute({ ...values, runs });
else if (what === "look") await benchLook();
else await benchProvisioning();
