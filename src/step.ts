import type { ZodType } from "zod";
import type { HostName, HostView, InventoryView } from "./inventory/view.ts";
import type { Answer } from "./reader/answer.ts";
import type { Reader } from "./reader/reader.ts";
import type { Content } from "./secret.ts";
import type { WaveSize } from "./waves.ts";

/** The playbook's key for a step, for example "sysctl". */
export type StepName = string;

/** One remote action, as data. Nothing here touches a host: only the engine carries it out, as root. */
export type Command =
  /** A program with its arguments. Any exit code but 0 fails the change. */
  | { readonly kind: "run"; readonly argv: readonly [string, ...string[]]; readonly timeoutMs: number }
  /** A script of ours, run by `sh` behind evidence/keeper.sh. Content of `stdin` is read from file descriptor 3. */
  | {
      readonly kind: "script";
      readonly file: URL;
      readonly args: readonly string[];
      readonly stdin?: Content;
      readonly timeoutMs: number;
    }
  /** Replaces a whole file atomically, keeps the old one for the run, records the digest in the manifest. */
  | (WantedFile & {
      readonly kind: "write";
      /** What the file holds now, for the diff; undefined when there is none. */
      readonly was?: string | undefined;
    })
  /** Removes a file of ours after keeping a copy for the run. */
  | { readonly kind: "remove"; readonly path: string; readonly was?: string | undefined }
  /** Installs Debian packages; the engine joins what other steps claim on the host into the same apt run. */
  | { readonly kind: "install"; readonly packages: readonly string[] }
  /** Takes over a foreign file, as the inventory's `adopt: true` allows: keeps a copy, records its digest as ours. */
  | { readonly kind: "adopt"; readonly path: string }
  /** Puts back what run `from` replaced at a path, if it is still as `expected`. Digests are sha256, "-" for no file. */
  | {
      readonly kind: "restore";
      readonly path: string;
      readonly from: string;
      readonly expected: string;
      readonly before: string;
      readonly diff: FileDiff;
    }
  /** Puts a file that is built once, kept on the control machine and pushed to every host that needs it. */
  | { readonly kind: "place"; readonly path: string; readonly artefact: Artefact };

/** A file as a step wants it. */
export interface WantedFile {
  readonly path: string;
  readonly content: Content;
  /** Octal, four digits: "0644". */
  readonly mode: string;
  /** "user:group". */
  readonly owner: string;
}

/** A file as it would be on a bare host. */
export interface RenderedFile extends WantedFile {
  /** What makes it another one on a living host, as whole sentences. */
  readonly notes?: readonly string[];
}

/** What the text of a file may depend on beside the inventory. */
export interface Machine {
  /** Codename of the Debian release: "bookworm". */
  readonly os: { readonly codename: string };
  /** As dpkg names it: "amd64". */
  readonly architecture: string;
  readonly memoryBytes: number;
}

export interface Artefact {
  /** Its name in the control machine's store. Equal keys mean equal content: letters, digits, ".", "_", "-" only. */
  readonly key: string;
  /** Where it is built when the store does not have it. */
  readonly buildHost: HostName;
  /** Debian packages the build needs. */
  readonly buildPackages: readonly string[];
  /** Writes the artefact to the path given as its first argument. Run by `sh` as root; its output is shown when it fails. */
  readonly build: {
    readonly file: URL;
    readonly args: readonly string[];
    /** Read by the script from file descriptor 3. */
    readonly stdin?: Content;
    /**
     * Files of the control machine, read when it is built. Behind `stdin` each is one line: "file", its name and
     * its content in base64, parted by blanks.
     */
    readonly files?: readonly string[];
    readonly timeoutMs: number;
  };
  /** Why what the build host made must not go to others, as one phrase; undefined when it may. Pure. */
  readonly refusal?: (content: Uint8Array) => string | undefined;
}

/** What one layer holds and where it was read. Four answers, never `undefined`. */
export type Layer =
  | { readonly is: "read" | "inferred"; readonly value: string; readonly source: string }
  | { readonly is: "absent"; readonly source: string }
  | { readonly is: "unreadable"; readonly source: string; readonly because: string }
  | { readonly is: "inapplicable" };

export type Verdict =
  | "proven"
  | "missing"
  | "different"
  | "shadowed"
  | "not-in-force"
  | "clamped"
  | "blocked"
  | "unknown"
  | "pending";

/** What a step knows of one setting. The verdict is derived from it in `evidence/verdict.ts`, never said by a step. */
export interface Reading {
  readonly setting: string;
  readonly want: string;
  readonly onDisk: Layer;
  readonly inForce: Layer;
  /** When a value is as wanted although it is not the same text (rounding, ranges, tabs). Default: equal text. */
  readonly accepts?: ((value: string, layer: "onDisk" | "inForce") => boolean) | undefined;
  /** Why a wrong layer is wrong, where the step can tell more than "it differs". */
  readonly cause?: "shadowed" | "clamped" | undefined;
  /** Set when the change must not be made: the reason, as one sentence that says what to do. */
  readonly blocked?: string | undefined;
  /** One sentence a person can act on. The engine words a plain difference itself. */
  readonly because?: string | undefined;
  /** Told before anything else that is open on the host: what waits behind it says less. */
  readonly urgent?: boolean | undefined;
  /** What a person should know although nothing needs to change: shown whatever the verdict. */
  readonly warning?: string | undefined;
  /** The file behind the row, when it is not as wanted. */
  readonly diff?: FileDiff | undefined;
  /** The change that closes it, or the step that will. */
  readonly closedBy?: { readonly change: string } | { readonly step: StepName } | undefined;
}

/** `was` is undefined when there is no such file. Secrets are masked in `want`. */
export interface FileDiff {
  readonly path: string;
  readonly was: string | undefined;
  readonly want: string;
}

/** A reading with its verdict. */
export interface Evidence extends Reading {
  readonly verdict: Verdict;
}

/** The unit of diff, backup, gate and restore: twelve rows of zoo.cfg are one change. */
export interface Change {
  /** Stable on a host from one observation to the next, for example "zoo.cfg". Proposed a second time, it has failed. */
  readonly id: string;
  readonly why: string;
  /** Shown in the plan and in the question before it, for example { kind: "restart", what: "zookeeper.service" }. */
  readonly disrupts?: { readonly kind: "reload" | "restart"; readonly what: string } | undefined;
  /** What a person should know before saying yes, for example a flush setting that weakens durability. */
  readonly warning?: string | undefined;
  /** Made before all else, where the change might shut meshctl out of the host. */
  readonly trial?: Trial;
  readonly commands: readonly Command[];
  /** A script of ours, run after the commands' files are staged and before any replaces the old one. The staged
   * copy of each write is in a directory given as the script's first argument, under the file's full path. */
  readonly validate?: { readonly file: URL; readonly args: readonly string[]; readonly timeoutMs: number };
  readonly activate: readonly Command[];
}

/**
 * What is tried and takes itself back. Its commands put the new state in force, and with it something on the host that
 * puts the old one back by itself. All else of the change is made over a connection that did not exist before, and
 * the first of those commands ends the waiting: a host that nobody can reach any more has its old state back.
 */
export interface Trial {
  readonly commands: readonly Command[];
  /** When it has been taken back at the latest, counted from the last command. */
  readonly undoneAfterMs: number;
}

/** What a step will take of a host. Preflight and the joint apt run read it. */
export interface Claims {
  /** Debian package names. */
  readonly packages?: readonly string[];
  /** TCP ports that a service of the step listens on; `process` is its name in `ss -p` (comm). */
  readonly ports?: readonly {
    readonly port: number;
    readonly address: string;
    readonly process: string;
    readonly what: string;
  }[];
  readonly memory?: readonly { readonly bytes: number; readonly what: string }[];
  /** What the host must have that no change can give it. Preflight refuses before anything is changed. */
  readonly requires?: readonly Requirement[];
  /** Open files one process of the step needs. */
  readonly openFiles?: readonly { readonly count: number; readonly what: string }[];
}

/** `because` says what is wrong and what to do; undefined when the host has it. */
export interface Requirement {
  readonly setting: string;
  readonly want: string;
  readonly found: string;
  /** How it was read. */
  readonly source: string;
  readonly because: string | undefined;
}

export interface Listener {
  readonly address: string;
  readonly port: number;
  /** Name (comm) of the process; "" when it could not be told. */
  readonly process: string;
}

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

/** Every host that has the step in the playbook, also those that `--limit` leaves alone. */
export type Fleet<D, F> = ReadonlyMap<
  HostName,
  | { readonly is: "seen"; readonly desired: D; readonly facts: F; readonly host: HostFacts }
  | { readonly is: "unseen"; readonly desired: D; readonly because: string }
>;

export interface Assessed {
  readonly readings: readonly Reading[];
  /** In the order they must be made. The engine makes the first, observes, and assesses again. */
  readonly changes: readonly Change[];
}

/** Whether a step's service does its work now, whatever its settings are. */
export type Health =
  | { readonly is: "healthy" }
  /** It is down, or refuses the configuration that is on disk. `because` is the evidence. */
  | { readonly is: "broken"; readonly because: string }
  /** Nobody can tell yet, a database that still shuts down for one: never a reason to put anything back. */
  | { readonly is: "undecided"; readonly because: string };

/** A file that a run replaced. Content is undefined where there is no file, and of one larger than 256 KiB. */
export interface ReplacedFile {
  readonly path: string;
  readonly before: string | undefined;
  readonly now: string | undefined;
}

/** What the engine needs to put the old configuration of a step's service back. All of it is pure. */
export interface Service<D, F> {
  /** Undefined when no such service is installed. Peers tell of one that waits for them whether it does so in vain. */
  health(
    facts: F,
    self?: { readonly name: HostName; readonly desired: D; readonly fleet: Fleet<D, F> },
  ): Health | undefined;
  /** Why the old file must not be put back by meshctl, as one sentence; undefined when it may be. */
  keeps?(file: ReplacedFile): string | undefined;
  /** Makes the service run what is on disk after these paths were put back. */
  activate(facts: F, paths: readonly string[]): readonly Command[];
  /** Which of those that wait may be activated now, or why none may. Default: all. */
  next?(waiting: readonly HostName[], fleet: Fleet<D, F>): readonly HostName[] | { readonly hold: string };
}

/** One unit of provisioning: one folder in src/steps, one line in the registry. P parameters, D desired, F facts. */
export interface Step<P = unknown, D = unknown, F = unknown> {
  readonly name: StepName;
  readonly title: string;
  /** Validates the YAML (playbook, group, host merged). Strict: unknown keys are errors. */
  readonly parameters: ZodType<P>;
  /** What is wrong in the files beyond one key's type; `path` is within the parameters. Pure, but for
   * files of the control machine that the parameters name. */
  problems?(
    parameters: P,
    host: HostView,
    inventory: InventoryView,
  ): readonly { path: readonly (string | number)[]; message: string }[];
  /** Pure, from the inventory alone. Never allocates what a living host may already have (ids). */
  desired(parameters: P, host: HostView, inventory: InventoryView): D;
  /** `facts` is undefined while the step has not been read on the host. */
  claims(desired: D, host: HostFacts, facts?: F): Claims;
  /** Every file that the step, or what it installs, writes on a bare host. Pure; made as `assess` makes them. */
  files?(self: {
    readonly name: HostName;
    readonly desired: D;
    readonly machine: Machine;
  }): readonly RenderedFile[];
  /**
   * Reads what the step has to know of a host; asks as much as it can at once. What was not read is told as such in the
   * facts; what nothing can be told without is thrown as NotRead. Throws NotUnderstood on answers it does not understand.
   */
  look(reader: Reader, desired: D): Promise<F>;
  assess(
    self: {
      readonly name: HostName;
      readonly desired: D;
      readonly facts: F;
      readonly host: HostFacts;
      /** What every step of the playbook claims on this host. */
      readonly claims: ReadonlyMap<StepName, Claims>;
    },
    fleet: Fleet<D, F>,
  ): Assessed;
  /**
   * Whose facts `next`, `service.next` and `service.health` go by: those of the hosts that wait and change, or those of
   * every member. They are looked at again before each wave.
   */
  readonly needs: "self" | "all";
  /** Who may change next, or why nobody may. `waiting` have a change to make. */
  next(waiting: readonly HostName[], fleet: Fleet<D, F>): readonly HostName[] | { readonly hold: string };
  /**
   * How many hosts a wave may disrupt, whatever the files and flags say: for a step whose `next` decides that by itself,
   * or whose service bears no more. Default: as they say, else one host, a quarter, all.
   */
  readonly serial?: readonly WaveSize[];
  /** The service that the step's files are for. What a step without one replaced is put back by hand only. */
  readonly service?: Service<D, F>;
  /** How long a change may take to come into force, and how long it must stay so. */
  readonly settle: { readonly deadlineMs: number; readonly stableMs: number };
}

/** The registry holds steps of every type; each is called only with what it made itself. */
// biome-ignore lint/suspicious/noExplicitAny: a list of generics over their own private types
export type AnyStep = Step<any, any, any>;
