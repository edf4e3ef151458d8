import { spawn, spawnSync } from "node:child_process";
import { convergedLab } from "../e2e/converged.ts";
import { inventoryFor, meshctl, type Summary, summaryOf } from "../e2e/meshctl.ts";
import { attachLab, type Lab, type LabHost } from "../lab/lab.ts";
import { hasAnsible, playbookFor } from "./ansible/ansible.ts";
import { median, timed } from "./measure.ts";

const RUNS = 9;

interface Count {
  /** Processes and threads that were started in the host. */
  readonly started: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/** The last process id that was given away, and the bytes of the host's interface: asked for without SSH. */
async function countersOf(host: LabHost): Promise<Count> {
  const { stdout } = await host.exec(
    "read -r _ _ _ _ last </proc/loadavg; cd /sys/class/net/host0/statistics && echo $last $(cat tx_bytes rx_bytes)",
  );
  const [started, sentBytes, receivedBytes] = stdout.trim().split(" ").map(Number);
  return { started: started!, sentBytes: sentBytes!, receivedBytes: receivedBytes! };
}

/** What some work costs a host; what the host starts and sends by itself is part of it. */
async function costs(host: LabHost, work: () => Promise<unknown>): Promise<Count> {
  const before = await countersOf(host);
  await work();
  const after = await countersOf(host);
  return {
    started: after.started - before.started,
    sentBytes: after.sentBytes - before.sentBytes,
    receivedBytes: after.receivedBytes - before.receivedBytes,
  };
}

/** Nothing can be told of a host in less: a login to each, side by side, and root. */
function floorOf(lab: Lab): () => Promise<void> {
  const login = (host: LabHost) =>
    new Promise<void>((done, fail) => {
      const child = spawn("ssh", [...lab.sshArguments(host), "sudo", "-n", "true"], { stdio: "ignore" });
      child.once("error", fail);
      child.once("exit", (code) =>
        code === 0 ? done() : fail(new Error(`ssh ${host.name} ended with exit code ${code}`)),
      );
    });
  return async () => {
    await Promise.all(lab.hosts.map(login));
  };
}

/**
 * What a look costs: a run on three converged hosts against the floor, one after the other over and over, so that what
 * else the machine does meets both. `name`: of a lab that is up and stays, whose hosts the first run makes converged.
 */
export async function benchLook(name?: string): Promise<void> {
  const lab = name === undefined ? await convergedLab() : await attachLab(name);
  try {
    const inventory = await inventoryFor(lab);
    let summary: Summary | undefined;
    const converged = async () => {
      const ended = await meshctl(["provision", "-i", inventory, "--yes", "--json"]);
      if (ended.code !== 0) throw new Error(`exit code ${ended.code}\n${ended.stderr}`);
      summary = summaryOf(ended);
    };
    const floor = floorOf(lab);
    await converged();
    const playbook = name === undefined && hasAnsible() ? await playbookFor(lab, lab.hosts) : undefined;
    if (playbook === undefined)
      console.log(
        `Without Ansible: ${name === undefined ? "ansible-playbook is not installed" : "a lab that stays gets no Python"}.`,
      );
    const kinds: Record<string, () => unknown> = {
      "three hosts, ssh HOST sudo -n true (floor)": floor,
      "three hosts, converged provision": converged,
      ...(playbook === undefined ? {} : { "three hosts, ansible-playbook, nothing to change": playbook.run }),
      "node -e 0": async () => spawnSync(process.execPath, ["-e", "0"]),
      "meshctl --version": () => meshctl(["--version"]),
      "meshctl validate": () => meshctl(["validate", "-i", inventory]),
    };
    const times = new Map(Object.keys(kinds).map((what) => [what, [] as number[]]));
    for (const work of Object.values(kinds)) await work();
    for (let run = 0; run < RUNS; run++)
      for (const [what, work] of Object.entries(kinds)) times.get(what)!.push(await timed(work));
    playbook?.remove();
    const [floorMs, convergedMs] = [...times.values()].map(median);
    const nodeMs = median(times.get("node -e 0")!);
    const against = (what: string) =>
      what.startsWith("three") ? { of: floorMs!, name: "floor" } : { of: nodeMs, name: "node -e 0" };
    for (const [what, all] of times) {
      const { of, name } = against(what);
      const ratio = (median(all) / of).toFixed(2);
      console.log(`${what.padEnd(50)} ${(median(all) / 1000).toFixed(2).padStart(7)} s  ${ratio} × ${name}`);
    }
    console.log(
      `The run itself took ${(summary!.duration_ms / 1000).toFixed(2)} s of ${(convergedMs! / 1000).toFixed(2)} s; execs: ${summary!.hosts.map(({ execs }) => execs).join(", ")}.`,
    );
    const host = lab.hosts[0]!;
    for (const [what, work] of [
      ["floor", floor],
      ["converged provision", converged],
    ] as const) {
      const all: Count[] = [];
      for (let run = 0; run < RUNS; run++) all.push(await costs(host, work));
      const of = (key: keyof Count) => median(all.map((count) => count[key]));
      console.log(
        `${what.padEnd(24)} ${of("started")} processes and threads, ${of("receivedBytes")} bytes to the host, ${of("sentBytes")} from it`,
      );
    }
    console.log(`Medians of ${RUNS} runs, one after the other.`);
  } finally {
    if (name === undefined) await lab.down();
  }
}
