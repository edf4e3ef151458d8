// `npm run demo`: three throw-away hosts, the whole job, the evidence, and a reroute.
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { eventually, killBackend, register, startBackend } from "./e2e/backends.ts";
import { countAnswers, getThroughProxy } from "./e2e/http.ts";
import { demoLab, startLab } from "./lab/lab.ts";
import { labUnavailable } from "./lab/unavailable.ts";

const root = resolve(import.meta.dirname, "..");
const PATH = "/services/user-api";

function say(text: string): void {
  console.log(`\n\u001b[1m== ${text}\u001b[0m`);
}

function meshctl(...args: string[]): number {
  console.log(`$ bin/meshctl.js ${args.join(" ")}`);
  const { status } = spawnSync(process.execPath, ["bin/meshctl.js", ...args], {
    cwd: root,
    stdio: "inherit",
  });
  return status ?? 1;
}

function mustSucceed(what: string, status: number): void {
  if (status === 0) return;
  console.error(
    `\nThe demo stopped: ${what} ended with exit code ${status}. The hosts are still up to be looked at;`,
  );
  console.error("take them down with: npm run lab -- down");
  process.exit(1);
}

function show(answers: ReadonlyMap<string, number>): string {
  return [...answers].map(([answer, count]) => `${count} × ${answer}`).join(", ");
}

async function demo(): Promise<void> {
  const startedAtMs = Date.now();
  say("Building meshctl");
  mustSucceed(
    "the build",
    spawnSync("npm", ["run", "--silent", "build"], { cwd: root, stdio: "inherit" }).status ?? 1,
  );

  say("Booting three bare Debian hosts");
  const lab = await startLab({ name: demoLab, hosts: 3, keep: true, log: console.log });
  const [one, two, three] = lab.hosts as [
    (typeof lab.hosts)[0],
    (typeof lab.hosts)[0],
    (typeof lab.hosts)[0],
  ];
  for (const host of lab.hosts) console.log(`${host.name}  ${host.address}  Debian ${host.suite}`);

  say("Turning them into a mesh");
  mustSucceed("provision", meshctl("provision", "-i", "inventories/lab.yaml", "--yes"));

  say("What is wanted, on disk and in force");
  mustSucceed("verify", meshctl("verify", "-i", "inventories/lab.yaml"));

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
  console.log(`  npm run lab -- ssh kvm-03                       a shell on a host
  bin/meshctl.js verify -i inventories/lab.yaml   the evidence
  bin/meshctl.js plan   -i inventories/lab.yaml   what would change: nothing
  npm run lab -- down                             take it all down`);
}

const reason = labUnavailable();
if (reason === undefined) {
  await demo().catch((error: Error) => {
    console.error(`\nThe demo stopped: ${error.message}`);
    process.exitCode = 1;
  });
} else {
  console.error(reason);
  process.exitCode = 1;
}
