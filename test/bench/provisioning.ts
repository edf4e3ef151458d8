import { spawnSync } from "node:child_process";
import { inventoryFor, meshctl, summaryOf } from "../e2e/meshctl.ts";
import { startLab } from "../lab/lab.ts";
import { median, timed } from "./measure.ts";

const RUNS = 7;

function report(what: string, milliseconds: number, more = ""): void {
  console.log(`${what.padEnd(44)} ${(milliseconds / 1000).toFixed(2).padStart(8)} s  ${more}`);
}

async function repeat(work: () => unknown): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) times.push(await timed(work));
  return median(times);
}

/** How long the first provision, a converged run and a bare `ssh` take on three lab hosts. */
export async function benchProvisioning(): Promise<void> {
  const lab = await startLab({ hosts: 3, log: console.log });
  try {
    const inventory = await inventoryFor(lab);
    const provision = () => meshctl(["provision", "-i", inventory, "--yes", "--json"]);
    const first = await timed(async () => {
      const ended = await provision();
      if (ended.code !== 0)
        throw new Error(`The first provision ended with exit code ${ended.code}.\n${ended.stderr}`);
    });
    report("first provision of three hosts", first);
    const converged = summaryOf(await provision());
    const execs = converged.hosts.map(({ host, execs }) => `${host} ${execs}`).join(", ");
    report("converged run, whole command", await repeat(provision), `median of ${RUNS}; execs: ${execs}`);
    report("  of which the run itself", converged.duration_ms);
    report("meshctl --version", await repeat(() => meshctl(["--version"])), `median of ${RUNS}`);
    const ssh = () => spawnSync("ssh", [...lab.sshArguments(lab.hosts[0]!), "true"]);
    report("ssh HOST true", await repeat(ssh), `median of ${RUNS}`);
  } finally {
    await lab.down();
  }
}
