import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createHostCgroups, endHostCgroups, hostProcesses } from "../cgroups.ts";
import type { LabHost } from "../lab-host.ts";
import { createTap, namespaceFile, setHostLink } from "../network.ts";
import { stateDirectory } from "../paths.ts";
import type { HostRecord, LabRecord } from "../record.ts";
import type { Outcome } from "../run.ts";
import { sshAnswers } from "../ssh-answers.ts";
import type { Suite } from "../suite.ts";
import { type Accelerator, processors } from "./accelerator.ts";
import { diskFile, hardwareAddress, seedFile } from "./disk.ts";
import { GuestAgent } from "./guest-agent.ts";
import { imageInitrd, imageKernel } from "./image.ts";

const machineScript = join(import.meta.dirname, "machine.sh");
/** Emulated, on a machine that has other things to do. */
const bootTimeoutMs = 1_800_000;
const sshAnswerMs = 60_000;
const pauseMs = 2_000;
const execTimeoutMs = 120_000;
const memoryMiB = 1024;

/** A lab host on a virtual machine: kernel, clock, memory, disk and boot are its own. */
export class VirtualMachine implements LabHost {
  readonly name: string;
  readonly address: string;
  readonly suite: Suite;
  readonly #lab: string;
  readonly #image: string;
  readonly #accelerator: Accelerator;
  readonly #memoryMax: string;
  readonly #agent: GuestAgent;

  constructor({ name: lab, memoryMax }: LabRecord, record: HostRecord, accelerator: Accelerator) {
    this.name = record.name;
    this.address = record.address;
    this.suite = record.suite;
    this.#lab = lab;
    this.#image = record.base;
    this.#accelerator = accelerator;
    this.#memoryMax = memoryMax;
    this.#agent = new GuestAgent(this.#file("agent"));
  }

  isOn(): boolean {
    return this.#processes().length > 0;
  }

  async powerOn(): Promise<void> {
    const cgroups = await createHostCgroups(this.#lab, this.name, this.#memoryMax);
    const tap = await createTap(this.#lab, this.name);
    const log = openSync(this.#file("qemu.log"), "a");
    const supervisor = spawn(
      "nsenter",
      [
        ...[`--net=${namespaceFile(this.#lab)}`, "--", "sh", machineScript, cgroups.join(" ")],
        ...["qemu-system-x86_64", ...this.#arguments(tap)],
      ],
      {
        detached: true,
        stdio: ["ignore", log, log],
        cwd: "/",
        env: { PATH: process.env.PATH, LC_ALL: "C.UTF-8" },
      },
    );
    closeSync(log);
    let ended: string | undefined;
    supervisor.on("error", (error) => {
      ended = error.message;
    });
    supervisor.on("exit", (code, signal) => {
      ended = `exit code ${code ?? signal}: ${readFileSync(this.#file("qemu.log"), "utf8").trim()}`;
    });
    supervisor.unref();
    await this.#untilUp(() => ended);
  }

  async powerCut(): Promise<void> {
    await endHostCgroups(this.#lab, this.name);
  }

  async powerOff(): Promise<void> {
    await this.exec("systemctl --no-block poweroff");
    await this.#until("it is off", () => !this.isOn());
    await endHostCgroups(this.#lab, this.name);
  }

  async reboot(): Promise<void> {
    const before = await this.#bootId();
    await this.exec("systemctl --no-block reboot");
    await this.#until("it boots", async () => ![before, undefined].includes(await this.#bootId()));
    await this.#untilUp();
  }

  vanish(): Promise<void> {
    return setHostLink(this.#lab, this.name, "down");
  }

  appear(): Promise<void> {
    return setHostLink(this.#lab, this.name, "up");
  }

  async exec(script: string, options: { timeoutMs?: number; input?: string } = {}): Promise<Outcome> {
    if (!this.isOn()) throw new Error(`${this.name} is off.`);
    const timeoutMs = options.timeoutMs ?? execTimeoutMs;
    const startedMs = Date.now();
    const outcome = await this.#agent.run(script, options.input ?? "", timeoutMs);
    if (outcome.code === 137 && Date.now() - startedMs >= timeoutMs) {
      throw new Error(`${this.name}: the script took longer than ${timeoutMs} ms and was killed: ${script}`);
    }
    return outcome;
  }

  networkNamespace(): string {
    throw new Error(`${this.name} is a virtual machine: its network is in a kernel of its own.`);
  }

  #arguments(tap: string): string[] {
    const [lab, host] = [this.#lab, this.name];
    return [
      ...[
        "-name",
        host,
        "-machine",
        "q35",
        "-accel",
        this.#accelerator,
        "-cpu",
        processors[this.#accelerator],
      ],
      ...["-smp", "1", "-m", String(memoryMiB), "-nodefaults", "-no-user-config", "-display", "none"],
      ...["-kernel", imageKernel(this.#image), "-initrd", imageInitrd(this.#image)],
      ...["-append", "root=/dev/vda rw console=ttyS0 mitigations=off"],
      ...[
        "-chardev",
        `file,id=console,path=${this.#file("console.log")},append=on`,
        "-serial",
        "chardev:console",
      ],
      // A crash of this machine ends the lab, so syncing to disk buys nothing.
      ...["-drive", `file=${diskFile(lab, host)},format=qcow2,if=virtio,cache=unsafe`],
      ...["-drive", `file=${seedFile(lab, host)},format=raw,if=virtio,readonly=on`],
      ...["-netdev", `tap,id=cable,ifname=${tap},script=no,downscript=no`],
      ...["-device", `virtio-net-pci,netdev=cable,mac=${hardwareAddress(this.address)}`],
      ...["-device", "virtio-rng-pci", "-device", "virtio-serial-pci"],
      ...["-chardev", `socket,id=agent,path=${this.#file("agent")},server=on,wait=off`],
      ...["-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0"],
    ];
  }

  #file(kind: string): string {
    return join(stateDirectory(this.#lab), `${this.name}.${kind}`);
  }

  #processes(): number[] {
    return hostProcesses(this.#lab, this.name);
  }

  /** Undefined when nobody answers, as while it boots. */
  async #bootId(): Promise<string | undefined> {
    try {
      return (await this.exec("cat /proc/sys/kernel/random/boot_id")).stdout;
    } catch {
      return undefined;
    }
  }

  async #untilUp(ended: () => string | undefined = () => undefined): Promise<void> {
    // It is asked seldom and waited for long: emulated, what answers takes seconds of the boot's own time.
    await this.#until("systemd has started", async () => {
      const reason = ended();
      if (reason !== undefined) throw new Error(`${this.name} did not boot: ${reason}`);
      const state = await this.exec("systemctl is-system-running --wait", { timeoutMs: bootTimeoutMs }).catch(
        () => undefined,
      );
      return ["running", "degraded"].includes(state?.stdout.trim() ?? "");
    });
    await this.#until("sshd answers", () => sshAnswers(this.address, sshAnswerMs));
  }

  async #until(what: string, check: () => boolean | Promise<boolean>): Promise<void> {
    const deadlineMs = Date.now() + bootTimeoutMs;
    while (!(await check())) {
      if (Date.now() > deadlineMs)
        throw new Error(`${this.name}: waited ${bootTimeoutMs / 1000} s until ${what}.`);
      await sleep(pauseMs);
    }
  }
}
