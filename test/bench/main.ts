// `npm run bench`: how long provisioning takes. `npm run bench -- look`: what a look costs, against plain logins. `npm run bench -- reroute`: what each fault costs requests.
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { benchFleet } from "./fleet/fleet.ts";
import { benchLook } from "./look.ts";
import { benchProvisioning } from "./provisioning.ts";
import { benchReroute } from "./reroute.ts";

const USAGE = `npm run bench                    how long provisioning takes
npm run bench -- look            what a look at converged hosts costs, against plain logins
  --lab NAME                     on a lab of three hosts that is up
npm run bench -- reroute         what each fault costs requests, as a table
  --json                         each measurement as a line of JSON instead
  --runs N                       how often each fault is measured (1)
  --only WORD                    only faults whose name has this in it
  --lab NAME                     on a lab of three hosts that is up
npm run bench -- fleet [N]       what verify of N simulated hosts costs this machine; without N for 10, 100, 500 and 1000
  --bad                          a tenth of the N hosts is dead, hangs, dies, lies or floods
  --delay MS                     how long a host takes for an answer (300)
  --recording FILE               of two lab hosts; made there where it is not
  --json                         each measurement as a line of JSON instead
  --node FLAG                    a flag for the Node that is measured, for example --cpu-prof
  -- ARGUMENT ...                for verify, for example --parallel 10`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    runs: { type: "string", default: "1" },
    only: { type: "string", default: "" },
    lab: { type: "string" },
    bad: { type: "boolean", default: false },
    delay: { type: "string", default: "300" },
    recording: { type: "string" },
    node: { type: "string", multiple: true, default: [] },
  },
});
const [what = "provisioning", count] = positionals;
const runs = Number(values.runs);
if (!["provisioning", "look", "reroute", "fleet"].includes(what) || !Number.isInteger(runs) || runs < 1) {
  console.error(USAGE);
  process.exit(3);
}
const root = resolve(import.meta.dirname, "../..");
if (process.env.MESHCTL_BENCH_OWN_NETWORK === undefined)
  spawnSync("npm", ["run", "--silent", "build"], { cwd: root, stdio: "inherit" });
if (what === "reroute") await benchReroute({ ...values, runs });
else if (what === "fleet")
  await benchFleet({
    ...values,
    count: count === undefined ? undefined : Number(count),
    isTenthBad: values.bad,
    delayMs: Number(values.delay),
    more: positionals.slice(2),
    nodeFlags: values.node,
  });
else if (what === "look") await benchLook(values.lab);
else await benchProvisioning();
