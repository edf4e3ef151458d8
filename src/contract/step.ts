import type { ZodType } from "zod";
import type { Reader } from "../reader/reader.ts";
import type { WaveSize } from "../waves.ts";
import type { Change, Command, RenderedFile, ScriptCommand } from "./change.ts";
import type { Claims } from "./claims.ts";
import type { HostFacts, Machine } from "./host.ts";
import type { HostName, HostView, InventoryView } from "./inventory-view.ts";
import type { StepName } from "./names.ts";
import type { Reading } from "./reading.ts";

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

/** One thing that clients of the mesh depend on. `because` follows its name: "is DOWN (L4CON)". */
export type Vital =
  /** `unproven`, as `because`: it is used, and nothing has shown yet that it serves: "is UP 1/2: no check has passed yet". */
  | { readonly is: "well"; readonly unproven?: string | undefined; readonly server?: VitalServer }
  | { readonly is: "bad"; readonly because: string; readonly server?: VitalServer }
  | { readonly is: "unread"; readonly because: string };

/** Whom a vital is about, when it is a server of a proxy. */
export interface VitalServer {
  readonly service: string;
  /** "app-01 of user-api": the same wherever it listens; undefined where its name is not of that form. */
  readonly instance: string | undefined;
  /** IP address; undefined where the proxy does not tell. */
  readonly address: string | undefined;
  /** It is sent no request: drained by hand, or registered with weight 0. */
  readonly isSpared?: true;
  /** Of a further one on the same host: the name of the first one's vital, and which it is, from 2. */
  readonly further?: { readonly of: string; readonly number: number };
}

/** What a host is to be on the proxies, by the names of their vitals. */
export type Mark =
  /** What is wanted takes it out of the mesh: that it is gone, wherever it was, is no harm. */
  | { readonly is: "left" }
  /** It is this host's. `instance` as in VitalServer: gone from another address, it is no loss while it is well here. */
  | {
      readonly is: "own";
      readonly instance?: string;
      /** The same, as something before meshctl called it. */
      readonly formerly?: string;
      /** How many of it are wanted on the host, where that is more than one: further ones have left. */
      readonly count?: number;
    };

/** What a look at a host tells of the mesh's health, whatever the settings are. */
export type Vitals =
  | {
      readonly is: "read";
      /** By name, the same in each look: "server api_10.0.0.2 of user-api". */
      readonly of: ReadonlyMap<string, Vital>;
      /** Milliseconds until what has gone wrong shows here: a proxy finds out by its health checks. */
      readonly shownAfterMs: number;
    }
  | { readonly is: "unread"; readonly because: string };

/**
 * How a host's own backends leave the mesh for a while. What makes them leave has the host take them back by itself
 * `undoneAfterMs` later, should nobody do so before.
 */
export interface Drain {
  leave(undoneAfterMs: number): ScriptCommand;
  /** Waits on the host until those who are connected to them have gone, and not for ever. */
  readonly rest: ScriptCommand;
  readonly enter: ScriptCommand;
}

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
  /**
   * Why the old file must not be put back by meshctl, as one sentence; undefined when it may be. `facts` are undefined where
   * the host was not read.
   */
  keeps?(file: ReplacedFile, facts: F | undefined): string | undefined;
  /** Makes the service run what is on disk after these paths were put back. */
  activate(facts: F, paths: readonly string[]): readonly Command[];
  /** Which of those that wait may be activated now, or why none may. Default: all. */
  next?(waiting: readonly HostName[], fleet: Fleet<D, F>): readonly HostName[] | { readonly hold: string };
}

/** What a step alone decides about, whatever is asked of it. Names with "meshctl" in them are told by that. */
export interface Owned {
  /** Files, and with a slash at their end folders with all that is in them. */
  readonly paths: readonly string[];
  /** systemd units. */
  readonly units: readonly string[];
}

/** One unit of provisioning: one folder in src/steps, one line in the registry. P parameters, D desired, F facts. */
export interface Step<P = unknown, D = unknown, F = unknown> {
  readonly name: StepName;
  readonly title: string;
  /** Validates the YAML (playbook, group, host merged). Strict: unknown keys are errors. */
  readonly parameters: ZodType<P>;
  /**
   * Which parameters name files or folders of the control machine: keys that lead there, "*" for any. `problems` and
   * `desired` get absolute paths; a relative one starts beside the file that says it.
   */
  readonly localPaths?: readonly (readonly string[])[];
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
  /** What no other step may write or restart. */
  readonly owns?: Owned;
  /** Files that the step's own service writes anew as it runs: their change says nothing of how the host boots. */
  rewritten?(desired: D): readonly string[];
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
  /** Nothing of what is assessed depends on other hosts: with `--limit` they are not looked at for it. */
  readonly alone?: true;
  /** Who may change next, or why nobody may. `waiting` have a change to make. */
  next(waiting: readonly HostName[], fleet: Fleet<D, F>): readonly HostName[] | { readonly hold: string };
  /**
   * How many hosts a wave may disrupt, whatever the files and flags say: for a step whose `next` decides that by itself,
   * or whose service bears no more. Default: as they say, else one host, a quarter, all.
   */
  readonly serial?: readonly WaveSize[];
  /** The service that the step's files are for. What a step without one replaced is put back by hand only. */
  readonly service?: Service<D, F>;
  /** What the host tells of the mesh's health, by which a wave of any step is judged. Pure. */
  vitals?(desired: D, facts: F): Vitals;
  /** What the vitals of other hosts are to this one; no look is needed for it. Pure. */
  marks?(desired: D): ReadonlyMap<string, Mark>;
  /** How the backends that the step has put into the mesh leave it; undefined where there are none. Pure. */
  drain?(desired: D, facts: F): Drain | undefined;
  /** How long a change may take to come into force, and how long it must stay so. */
  readonly settle: { readonly deadlineMs: number; readonly stableMs: number };
}

/** The registry holds steps of every type; each is called only with what it made itself. */
// biome-ignore lint/suspicious/noExplicitAny: a list of generics over their own private types
export type AnyStep = Step<any, any, any>;
