import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  createHostCgroups,
  endHostCgroups,
  execCgroup,
  hostProcesses,
  usesUnifiedHierarchy,
} from "./cgroups.ts";
import type { LabHost } from "./lab-host.ts";
import { bridge, namespaceFile, setHostLink } from "./network.ts";
import { hostDisk, stateDirectory } from "./paths.ts";
import { identify, isAlive, type ProcessIdentity } from "./process-identity.ts";
import type { HostRecord, LabRecord } from "./record.ts";
import { type Outcome, run } from "./run.ts";
import { sshAnswers } from "./ssh-answers.ts";
import type { Suite } from "./suite.ts";

const execScript = join(import.meta.dirname, "exec.sh");
const hostScript = join(import.meta.dirname, "host.sh");
const bootTimeoutMs = 90_000;
/** A question or an order; what installs packages is given longer. */
const execTimeoutMs = 60_000;

/** A lab host in a container: it shares the machine's kernel and clock. */
export class ContainerHost implements LabHost {
  readonly name: string;
  readonly address: string;
  readonly suite: Suite;
  readonly #lab: string;
  /** Read-only, the upper one first, as overlay file systems take them. */
  readonly #lower: string;
  readonly #memoryMax: string;
  #init: ProcessIdentity | undefined;

  constructor({ name: lab, memoryMax, layer }: LabRecord, record: HostRecord) {
    this.name = record.name;
    this.address = record.address;
    this.suite = record.suite;
    this.#lab = lab;
    this.#lower = [...(layer === undefined ? [] : [join(layer, record.name)]), record.base].join(":");
    this.#memoryMax = memoryMax;
  }

  isOn(): boolean {
    return hostProcesses(this.#lab, this.name).length > 0;
  }

  async powerOn(): Promise<void> {
    const cgroups = await createHostCgroups(this.#lab, this.name, this.#memoryMax);
    const log = openSync(join(stateDirectory(this.#lab), `${this.name}.console.log`), "a");
    // nsenter and not ip-netns-exec: the latter mounts a new /sys and hides the cgroups from systemd-nspawn.
    const supervisor = spawn(
      "unshare",
      [
        ...[
          "--mount",
          "--propagation",
          "private",
          "--",
          "nsenter",
          `--net=${namespaceFile(this.#lab)}`,
          "--",
        ],
        ...["sh", hostScript, this.name, this.#lower, hostDisk(this.#lab, this.name)],
        ...[usesUnifiedHierarchy(this.suite) ? "1" : "0", bridge, ...cgroups],
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
      ended = `exit code ${code ?? signal}`;
    });
    supervisor.unref();
    await this.#untilUp(() => ended);
  }

  async powerCut(): Promise<void> {
    await endHostCgroups(this.#lab, this.name);
  }

  async powerOff(): Promise<void> {
    await this.exec("systemctl poweroff");
    await this.#until("it is off", () => !this.isOn());
    await endHostCgroups(this.#lab, this.name);
  }

  async reboot(): Promise<void> {
    const before = this.#findInit();
    await this.exec("systemctl reboot");
    await this.#until("its systemd ends", () => !isAlive(before));
    await this.#untilUp();
  }

  vanish(): Promise<void> {
    return setHostLink(this.#lab, this.name, "down");
  }

  appear(): Promise<void> {
    return setHostLink(this.#lab, this.name, "up");
  }

  async exec(script: string, options: { timeoutMs?: number; input?: string } = {}): Promise<Outcome> {
    const timeoutMs = options.timeoutMs ?? execTimeoutMs;
    const startedMs = Date.now();
    const init = this.#findInit();
    const outcome = await run(
      "sh",
      [execScript, execCgroup(this.#lab, this.name), String(init.pid), String(timeoutMs / 1000), script],
      { input: options.input ?? "", timeoutMs: timeoutMs + 5_000 },
    );
    // timeout(1) ends with its own signal when it had to kill.
    if (outcome.code === 137 && Date.now() - startedMs >= timeoutMs) {
      throw new Error(`${this.name}: the script took longer than ${timeoutMs} ms and was killed: ${script}`);
    }
    return outcome;
  }

  networkNamespace(): string {
    return `/proc/${this.#findInit().pid}/ns/net`;
  }

  /** The host's process 1 as the machine sees it. */
  #findInit(): ProcessIdentity {
    if (this.#init !== undefined && isAlive(this.#init)) return this.#init;
    this.#init = hostProcesses(this.#lab, this.name)
      .filter(isFirstInItsNamespace)
      .map(identify)
      .find(Boolean);
    if (this.#init === undefined) throw new Error(`${this.name} is off.`);
    return this.#init;
  }

  async #untilUp(ended: () => string | undefined = () => undefined): Promise<void> {
    const check = async (): Promise<boolean> => {
      const reason = ended();
      if (reason !== undefined) {
        const console = readFileSync(join(stateDirectory(this.#lab), `${this.name}.console.log`), "utf8");
        throw new Error(
          `${this.name} did not boot (${reason}): ${console.trim().split("\n").slice(-5).join("\n")}`,
        );
      }
      return sshAnswers(this.address, 1_000);
    };
    await this.#until("sshd answers", check);
    await this.#until("systemd has started", async () => {
      const { stdout } = await this.exec("systemctl is-system-running", { timeoutMs: 10_000 });
      return ["running", "degraded"].includes(stdout.trim());
    });
  }

  async #until(what: string, check: () => boolean | Promise<boolean>): Promise<void> {
    const deadlineMs = Date.now() + bootTimeoutMs;
    while (!(await check())) {
      if (Date.now() > deadlineMs)
        throw new Error(
          `${this.name}: waited ${bootTimeoutMs / 1000} s until ${what}. With many labs up this machine runs out of ` +
            "inotify instances (sysctl fs.inotify.max_user_instances), about seven a host: take some down.",
        );
      await sleep(50);
    }
  }
}

/** Exactly one level below this machine's namespace, and number 1 there. */
function isFirstInItsNamespace(pid: number): boolean {
  try {
    return /^NSpid:\t\d+\t1$/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
