import type { Answer } from "../reader/answer.ts";

/** What the text of a file may depend on beside the inventory. */
export interface Machine {
  /** Codename of the Debian release: "bookworm". */
  readonly os: { readonly codename: string };
  /** As dpkg names it: "amd64". */
  readonly architecture: string;
  readonly memoryBytes: number;
}

export interface Listener {
  readonly address: string;
  readonly port: number;
  /** Name (comm) of the process; "" when it could not be told. */
  readonly process: string;
}

/** Whether what the host boots with is proved by a boot, and not only inferred from its files. */
export type Boot =
  /** Nothing that decides how it boots was changed since. */
  | { readonly is: "proved"; readonly bootedAt: Date }
  | {
      readonly is: "inferred";
      readonly bootedAt: Date | undefined;
      /** When the last of it was changed, by the host's clock. */
      readonly changedAt: Date;
      /** What was changed, the newest first, in words. */
      readonly what: string;
      /** Each by itself: a path, a unit, "package NAME", or "packages" of what only dpkg knows. */
      readonly changes: readonly string[];
    }
  | { readonly is: "unknown"; readonly because: string };

/** What is read of every host, whatever the steps are. */
export interface HostFacts {
  readonly os: {
    readonly id: string;
    readonly versionId: string;
    readonly codename: string;
    readonly prettyName: string;
  };
  readonly kernel: string;
  /** As dpkg names it: "amd64". */
  readonly architecture: string;
  /** As systemd-detect-virt names it: "kvm", "none" (bare metal), "systemd-nspawn" …; "" when it could not be told. */
  readonly virtualization: string;
  readonly cpus: number;
  /** min(MemTotal, cgroup limit), in bytes. */
  readonly memoryBytes: number;
  readonly bootId: string;
  readonly boot: Boot;
  readonly uptimeSeconds: number;
  /** Host clock minus ours, with the half round trip that it may be off by. */
  readonly clock: { readonly skewMs: number; readonly uncertaintyMs: number };
  /** Hard limit of open files for a service that systemd starts, as PID 1 has it. */
  readonly hardOpenFiles: number;
  /** IP addresses on the host's interfaces. */
  readonly addresses: readonly string[];
  readonly listeners: readonly Listener[];
  /** Path → sha256 of what meshctl wrote there last. */
  readonly manifest: ReadonlyMap<string, string>;
  /** Why, by whom and since when a person has locked the host against every run. */
  readonly lockedBy?: Answer<string>;
  /** Installed packages that some step claims: name → version. */
  readonly packages: ReadonlyMap<string, string>;
}
