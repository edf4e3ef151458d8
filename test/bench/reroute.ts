import { cpus } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, register, startBackend } from "../e2e/backends.ts";
import { serversOf } from "../e2e/haproxy.ts";
import { inventoryFor, meshctl } from "../e2e/meshctl.ts";
import { attachLab, type Lab, startLab } from "../lab/lab.ts";
import { type LoadResult, prioritize, resultOf, startLoad } from "../lab/open-loop.ts";
import { BACKEND_PORT, type Fault, faults, type Mesh, meshOf } from "./faults.ts";
import { rerouteTable } from "./reroute-table.ts";

const SERVICE = "user-api";
const PATH = `/services/${SERVICE}`;
const PORT = 8080;
const LOAD = { port: PORT, perSecond: 100, durationMs: 20_000 };
/** How long all is well before the fault. */
const BEFORE_MS = 4_000;

/** What the inventory says of checks, of all services or of the one that is measured. */
const CHECKS = {
  "seed's check": (yaml: string) => yaml.replace("  services:", "  fail_fast: false\n  services:"),
  fail_fast: (yaml: string) => yaml,
  "no check": (yaml: string) =>
    yaml.replace("port: 8080\n", "port: 8080\n      mode: http\n      check: false\n"),
} as const;

export type Checked = keyof typeof CHECKS;

export interface Measurement extends LoadResult {
  readonly fault: string;
  /** How servers are checked: "seed's check", "fail_fast", "no check". */
  readonly checked: Checked;
  /** Servers that HAProxy took out, back ends counted each time. */
  readonly left: number;
}

interface Options {
  readonly runs: number;
  readonly json: boolean;
  readonly only: string;
  readonly lab?: string | undefined;
}

/** What each fault costs requests under open-loop load, with each kind of check. */
export async function benchReroute({ runs, json, only, lab: name }: Options): Promise<void> {
  const say = (text: string) => console.error(text);
  const lab = name === undefined ? await startLab({ hosts: 3, log: say }) : await attachLab(name);
  const measurements: Measurement[] = [];
  try {
    const mesh = meshOf(lab);
    for (const checked of Object.keys(CHECKS) as Checked[]) {
      const struck = faults.filter(
        ({ name, isStall }) => name.includes(only) && (checked !== "no check" || isStall),
      );
      if (struck.length === 0) continue;
      say(`provisioning with ${checked}`);
      await provision(lab, checked);
      if (measurements.length === 0) await startBackends(mesh);
      for (let run = 1; run <= runs; run++) {
        for (const fault of struck) {
          const measured = { fault: fault.name, checked, ...(await measure(mesh, fault)) };
          measurements.push(measured);
          if (json) console.log(JSON.stringify(measured));
          else say(`  ${fault.name}, run ${run}: ${JSON.stringify(measured)}`);
        }
      }
    }
  } finally {
    if (name === undefined) await lab.down();
  }
  if (!json) console.log(`\n${rerouteTable(measurements)}\n\n${machine()}`);
}

async function provision(lab: Lab, checked: Checked): Promise<void> {
  const inventory = await inventoryFor(lab, CHECKS[checked]);
  const ended = await meshctl(["provision", "-i", inventory, "--yes"]);
  if (ended.code !== 0)
    throw new Error(`provision ended with exit code ${ended.code}\n${ended.stdout}${ended.stderr}`);
}

async function startBackends({ alpha, beta, proxy }: Mesh): Promise<void> {
  // On a lab that was used before they are registered already.
  const known = (await serversOf(proxy, SERVICE)).map(({ name }) => name);
  for (const [name, host] of [["alpha", alpha] as const, ["beta", beta] as const]) {
    await startBackend(host, name, BACKEND_PORT);
    if (known.some((server) => server.startsWith(`${name}_`))) continue;
    await register(alpha, PATH, { name, host, port: BACKEND_PORT });
  }
}

async function measure(mesh: Mesh, fault: Fault): Promise<Omit<Measurement, "fault" | "checked">> {
  await untilWell(mesh);
  const before = await timesDown(mesh);
  const load = await startLoad(mesh.proxy, LOAD);
  await sleep(BEFORE_MS);
  const faultAtMs = Date.now();
  await fault.strike(mesh);
  const result = resultOf(await load.ended, faultAtMs);
  // A new worker counts from nothing.
  const left = Math.max(0, (await timesDown(mesh)) - before);
  await fault.mend(mesh);
  return { ...result, left };
}

async function untilWell({ hosts, proxy }: Mesh): Promise<void> {
  await Promise.all(hosts.map(prioritize));
  await eventually(
    "both backends are up",
    () => serversOf(proxy, SERVICE),
    (servers) => servers.filter(({ status }) => /^(UP|no check)/.test(status)).length === 2,
    90_000,
  );
  // Nothing of the last fault is to be counted to the next.
  await sleep(2_000);
}

async function timesDown({ proxy }: Mesh): Promise<number> {
  const servers = await serversOf(proxy, SERVICE);
  return servers.reduce((sum, server) => sum + server.timesDown, 0);
}

function machine(): string {
  const [cpu] = cpus();
  return `100 requests a second for 20 s, the fault after 4 s; ${cpus().length} × ${cpu?.model.trim()}, Node ${process.version}`;
}
