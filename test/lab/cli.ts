import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { Command, InvalidArgumentError } from "commander";
import { DEMO_HOSTS, demo, demoInventory, meshctlCommand } from "../demo.ts";
import { attachLab, demoLab, type Lab, type LabHost, nameOption, startLab } from "./lab.ts";
import { labCommand, stateDirectory } from "./paths.ts";
import { allRecords } from "./record.ts";
import { removeLab, sweepStaleLabs } from "./remove.ts";
import { parseSuite, type Suite, suites } from "./suite.ts";
import { labUnavailable } from "./unavailable.ts";

const say = (line: string): void => void process.stderr.write(`${line}\n`);

function argument<T>(parse: (word: string) => T): (word: string) => T {
  return (word) => {
    try {
      return parse(word);
    } catch (error) {
      throw new InvalidArgumentError((error as Error).message);
    }
  };
}

function hostCount(word: string): number {
  if (!/^[1-9]\d*$/.test(word)) throw new InvalidArgumentError("expected how many hosts, for example 3");
  return Number(word);
}

function hostIn(lab: Lab, name: string): LabHost {
  const host = lab.hosts.find((candidate) => candidate.name === name);
  if (host !== undefined) return host;
  throw new Error(
    `The lab '${lab.name}' has no host '${name}'; it has ${lab.hosts.map((h) => h.name).join(", ")}.`,
  );
}

async function up(hosts: number, options: { suite: Suite; name: string; vm?: boolean }): Promise<void> {
  const startedMs = Date.now();
  const lab = await startLab({ ...options, hosts, keep: true, log: say });
  say(`The lab '${lab.name}' is up after ${((Date.now() - startedMs) / 1000).toFixed(1)} s:`);
  for (const host of lab.hosts) say(`  ${host.name}  ${host.address}  ${host.suite}`);
  const name = nameOption(lab.name);
  if (lab.name === demoLab && hosts >= DEMO_HOSTS && options.vm !== true)
    say(`Make a mesh:  ${meshctlCommand} provision -i ${demoInventory}`);
  say(`Look around:  ${labCommand} ssh${name} ${lab.hosts[0]!.name}`);
  say(`Take it down: ${labCommand} down${name}`);
}

async function ssh(hostName: string, command: string[], options: { name: string }): Promise<void> {
  const lab = await attachLab(options.name);
  const child = spawn("ssh", [...lab.sshArguments(hostIn(lab, hostName)), ...command], { stdio: "inherit" });
  process.exitCode = await new Promise<number>((resolve) =>
    child.on("close", (code) => resolve(code ?? 255)),
  );
}

async function exec(hostName: string, command: string[], options: { name: string }): Promise<void> {
  const lab = await attachLab(options.name);
  const outcome = await hostIn(lab, hostName).exec(command.join(" "));
  process.stdout.write(outcome.stdout);
  process.stderr.write(outcome.stderr);
  process.exitCode = outcome.code;
}

async function status(): Promise<void> {
  for (const name of await sweepStaleLabs()) say(`Removed what was left of the lab '${name}'.`);
  const records = await allRecords();
  if (records.length === 0) say(`No lab is up. Start one with: ${labCommand} up`);
  for (const record of records) {
    const owner = record.owner === undefined ? "" : `, owned by process ${record.owner.pid}`;
    console.log(`${record.name}: ${record.ready ? "up" : "starting"} since ${record.createdAt}${owner}`);
    if (!record.ready) continue;
    for (const host of (await attachLab(record.name)).hosts) {
      console.log(`  ${host.name}  ${host.address}  ${host.suite}  ${host.isOn() ? "on" : "off"}`);
    }
  }
}

async function down(options: { name: string; all?: boolean }): Promise<void> {
  const swept = await sweepStaleLabs();
  const names = options.all ? (await allRecords()).map((record) => record.name) : [options.name];
  for (const name of names) {
    if (!options.all && !existsSync(stateDirectory(name))) {
      say(swept.includes(name) ? `Removed what was left of the lab '${name}'.` : `No lab '${name}' is up.`);
      continue;
    }
    await removeLab(name);
    say(`The lab '${name}' is down.`);
  }
}

const program = new Command(labCommand)
  .description(
    "Throw-away Debian hosts on this machine, to try meshctl on: systemd-nspawn containers on a network of their own. " +
      "Needs root and Debian; what it lacks it installs with apt.",
  )
  .enablePositionalOptions()
  .hook("preAction", () => {
    const reason = labUnavailable();
    if (reason !== undefined) throw new Error(reason);
  });

const nameFlag = ["--name <lab>", "which lab", demoLab] as const;

program
  .command("up")
  .description("boot N hosts (3 unless given)")
  .argument("[N]", "how many", hostCount, 3)
  .option("--suite <suite>", `their Debian release: ${suites.join(", ")}`, argument(parseSuite), "bookworm")
  .option("--vm", "QEMU virtual machines in place of containers: slow where there is no KVM")
  .option(...nameFlag)
  .action(up);
program
  .command("ssh")
  .description("open a shell on a host, or run a command there")
  .argument("<host>")
  .argument("[command...]")
  .option(...nameFlag)
  .passThroughOptions()
  .action(ssh);
program
  .command("exec")
  .description("run a command as root on a host without SSH")
  .argument("<host>")
  .argument("<command...>")
  .option(...nameFlag)
  .passThroughOptions()
  .action(exec);
program.command("status").description("list the labs of this machine").action(status);
program
  .command("down")
  .description("end a lab and remove everything of it")
  .option(...nameFlag)
  .option("--all", "all labs, also those of running tests")
  .action(down);

program
  .command("demo")
  .description("boot three hosts, make a mesh of them, show the evidence and a reroute")
  .action(demo);

// The attendant takes a half-started lab down as soon as we are gone.
process.on("SIGINT", () => process.exit(130));
process.on("SIGTERM", () => process.exit(143));

try {
  await program.parseAsync();
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
