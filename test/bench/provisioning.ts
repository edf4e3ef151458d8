import { spawnSync } from "node:child_process";
import { inventoryFor, meshctl, summaryOf } from "../e2e/meshctl.ts";
import { type Lab, startLab } from "../lab/lab.ts";
import { installByHand, packagesOf, quorum, reload } from "./by-hand.ts";
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

async function onBareHosts<T>(work: (lab: Lab) => Promise<T>): Promise<T> {
  const lab = await startLab({ hosts: 3, log: console.log });
  try {
    return await work(lab);
  } finally {
    await lab.down();
  }
}

/**
 * How long the first provision, a converged run and a bare `ssh` take on three lab hosts; the first provision also against
 * what cannot be had in less: apt for the same packages on hosts that are as bare, and what a quorum and a reload take.
 */
export async function benchProvisioning(): Promise<void> {
  const lab = await startLab({ hosts: 3, log: console.log });
  try {
    const inventory = await inventoryFor(lab);
    const before = await Promise.all(lab.hosts.map(packagesOf));
    const provision = () => meshctl(["provision", "-i", inventory, "--yes", "--json"]);
    const first = await timed(async () => {
      const ended = await provision();
      if (ended.code !== 0)
        throw new Error(`The first provision ended with exit code ${ended.code}.\n${ended.stderr}`);
    });
    const brought = new Map<string, readonly string[]>();
    for (const [at, host] of lab.hosts.entries())
      brought.set(
        host.name,
        [...(await packagesOf(host))].filter((name) => !before[at]!.has(name)),
      );
    const quorumMs = await quorum(lab.hosts);
    const reloadMs = await reload(lab.hosts);
    const aptMs = await onBareHosts((bare) => installByHand(bare, brought));
    const byHandMs = aptMs + quorumMs + reloadMs;
    report("first provision of three hosts", first, `${(first / byHandMs).toFixed(2)} × by hand`);
    const counts = [...brought.values()].map((names) => names.length).join(", ");
    report("the same packages by apt, on bare hosts", aptMs, `packages of each: ${counts}`);
    report("a quorum, all members started at once", quorumMs);
    report("a reload of HAProxy", reloadMs);
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
