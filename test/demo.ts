/** `lab demo`: three throw-away hosts, the whole job, the evidence, and a reroute. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { eventually, killBackend, register, startBackend } from "./e2e/backends.ts";
import { countAnswers, getThroughProxy } from "./e2e/http.ts";
import { demoLab, startLab } from "./lab/lab.ts";
import { isPackaged, labCommand, repositoryRoot } from "./lab/paths.ts";

/** As shown, and as typed: a clone has meshctl in its bin. */
export const meshctlCommand = isPackaged ? "meshctl" : "bin/meshctl.js";
/** Of the hosts that the demo boots. */
export const demoInventory = isPackaged
  ? join(repositoryRoot, "inventories/lab.yaml")
  : "inventories/lab.yaml";
export const DEMO_HOSTS = 3;
const PATH = "/services/user-api";

function say(text: string): void {
  console.log(`\n\u001b[1m== ${text}\u001b[0m`);
}

function meshctl(...args: string[]): number {
  console.log(`$ ${meshctlCommand} ${args.join(" ")}`);
  const { status } = spawnSync(process.execPath, [join(repositoryRoot, "bin/meshctl.js"), ...args], {
    stdio: "inherit",
  });
  return status ?? 1;
}

function mustSucceed(what: string, status: number): void {
  if (status === 0) return;
  throw new Error(
    `The demo stopped: ${what} ended with exit code ${status}. The hosts are still up to be looked at; ` +
      `take them down with: ${labCommand} down`,
  );
}

function show(answers: ReadonlyMap<string, number>): string {
  return [...answers].map(([answer, count]) => `${count} × ${answer}`).join(", ");
}

export async function demo(): Promise<void> {
  const startedAtMs = Date.now();
  say("Booting three bare Debian hosts");
  const lab = await startLab({ name: demoLab, hosts: DEMO_HOSTS, keep: true, log: console.log });
  const [one, two, three] = lab.hosts as [
    (typeof lab.hosts)[0],
    (typeof lab.hosts)[0],
    (typeof lab.hosts)[0],
  ];
  for (const host of lab.hosts) console.log(`${host.name}  ${host.address}  Debian ${host.suite}`);

  say("Turning them into a mesh");
  mustSucceed("provision", meshctl("provision", "-i", demoInventory, "--yes"));

  say("What is wanted, on disk and in force");
  mustSucceed("verify", meshctl("verify", "-i", demoInventory));

  say("Two backends of user-api, on kvm-01 and kvm-02; requests go to kvm-03's own proxy, 127.0.0.1:8080");
  await startBackend(one, "alpha", 9001);
  await startBackend(two, "beta", 9001);
  await register(one, PATH, { name: "alpha", host: one, port: 9001 });
  await register(one, PATH, { name: "beta", host: two, port: 9001 });
  const proxied = () => countAnswers(three, 8080, 10);
  await eventually("both backends answer", proxied, (answers) => answers.has("alpha") && answers.has("beta"));
  console.log(`10 requests: ${show(await proxied())}`);

  say("alpha is killed");
  await killBackend(one, "alpha");
  console.log(`10 requests right after it: ${show(await proxied())}`);
  const healedMs = await eventually(
    "beta answers",
    () => getThroughProxy(three, 8080),
    (body) => body === "beta",
  );
  console.log(`Rerouted: beta answers, asked ${(healedMs / 1000).toFixed(1)} s later. Nobody was woken.`);

  say(`Done in ${Math.round((Date.now() - startedAtMs) / 1000)} s. The hosts stay up; look around:`);
  console.log(`  ${labCommand} ssh kvm-03   a shell on a host
  ${meshctlCommand} verify -i ${demoInventory}   the evidence
  ${meshctlCommand} plan -i ${demoInventory}   what would change: nothing
  ${labCommand} down   take it all down`);
}
