import type { Outcome } from "./run.ts";
import type { Suite } from "./suite.ts";

/** A throw-away Debian host: real systemd, real sshd, its own disk, network and address. */
export interface LabHost {
  readonly name: string;
  readonly address: string;
  readonly suite: Suite;
  isOn(): boolean;
  /** Boots the host. Resolves when sshd answers and systemd has started everything it was to start. */
  powerOn(): Promise<void>;
  /** A power cut: everything in the host ends at once, nothing is told, nothing is synced. */
  powerCut(): Promise<void>;
  /** Shuts the host down, each service in its own time. Resolves when nothing of it runs. */
  powerOff(): Promise<void>;
  /** Reboots and resolves when sshd answers again. */
  reboot(): Promise<void>;
  /** Pulls the host's network cable: to the others it is gone, without a word. */
  vanish(): Promise<void>;
  appear(): Promise<void>;
  /**
   * Runs a shell script as root inside the host, without sshd or network. What it leaves running in the
   * background belongs to no unit: start services by systemd-run.
   * Throws when the host is off or the script outlives `timeoutMs` (60 s unless given; it is killed then).
   */
  exec(script: string, options?: { timeoutMs?: number; input?: string }): Promise<Outcome>;
  /** For nsenter(1): where 127.0.0.1 is the host's. Throws for a virtual machine, which has a kernel of its own. */
  networkNamespace(): string;
}
