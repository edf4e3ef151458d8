import { eventually, mustRun } from "../e2e/backends.ts";
import type { Ended } from "../e2e/meshctl.ts";
import type { Lab, LabHost } from "../lab/lab.ts";
import type { Suite } from "../lab/suite.ts";

/** Three converged hosts: an ensemble, a proxy each, and a database on the third. */
export interface World {
  readonly lab: Lab;
  readonly suite: Suite;
  /** The host that the trap is planted on. */
  readonly host: LabHost;
  /** Runs meshctl's command with the trap's inventory and steps (`status` has none), with `--json`. */
  run(command: "plan" | "verify" | "provision" | "status", ...flags: readonly string[]): Promise<Ended>;
}

/** A row that `verify` must show of the trapped host. Every row that it names must be as it says. */
export interface Told {
  /** Where several steps have a row of that name: which of them is meant. */
  readonly step?: string;
  readonly setting: string | RegExp;
  readonly verdict: string;
  /**
   * The cause, as the row's `because` names it, or its `warning` where nothing needs to change. Words that no row
   * without the trap would have (causes.test.ts).
   */
  readonly because: RegExp;
  /** Words of what is on disk, where the cause of a whole file is in its diff. */
  readonly diff?: RegExp;
}

/** Something wrong that a naive tool reports as done. One a file, in the folder of the step that has to see it. */
export interface Trap {
  /** A sentence: what is wrong with the host. */
  readonly title: string;
  /** Steps to look at, as `--steps` takes them; all unless given. */
  readonly steps?: string;
  /** Where it is planted: kvm-03, which has every step, unless given. */
  readonly host?: "kvm-01" | "kvm-02" | "kvm-03";
  /** Releases it can be planted on; all unless given, with the reason as a comment beside it. */
  readonly suites?: readonly Suite[];
  /** What is asked for, where that is part of the trap. */
  readonly inventory?: (yaml: string) => string;
  readonly plant: (world: World) => Promise<unknown>;
  /** Each names rows that `verify` shows, at least one; no row may be named by two. */
  readonly told: readonly Told[];
  /** Of `verify`: 2, drift, unless given. */
  readonly verifyCode?: number;
  /** Words of `verify` on standard error, for mistakes that are told before any host is read. */
  readonly said?: RegExp;
  readonly outcome: /** `provision` makes the change and proves it, and so does the `verify` after it. */
    | { readonly is: "mended" }
    /** Nothing is wrong for meshctl: `provision` changes nothing. */
    | { readonly is: "left alone" }
    /**
     * `provision` refuses with the reason in the host's summary, or on standard error with code 3: no file of the
     * host is touched and no service is started anew.
     */
    | { readonly is: "refused"; readonly code: number; readonly because: RegExp }
    /** `provision` tries, and fails with the reason in the host's summary. */
    | { readonly is: "failed"; readonly code: number; readonly because: RegExp };
  /** What must be true of the host after `provision`, beyond the evidence. Throws. */
  readonly after?: (world: World) => Promise<unknown>;
  /** Takes away what `provision` leaves. The host is converged by a further `provision` after it. */
  readonly clear?: (world: World) => Promise<unknown>;
}

/** A trap that a script plants and perhaps another clears: most of them. */
export const sh =
  (script: string, limit?: { timeoutMs: number }) =>
  ({ host }: World): Promise<string> =>
    mustRun(host, script, undefined, limit);

/** Waits until HAProxy has said that a reload failed; older ones do not say it, and a few seconds are enough. */
export const awaitFailedReload =
  "for _ in $(seq 40); do systemctl show -P StatusText haproxy | grep -q 'Reload failed' && break; sleep 0.1; done";

/** The lab's inventory with more said of one host, for example "sysctl: { net.ipv4.tcp_fin_timeout: 20 }". */
export function atHost(yaml: string, host: string, parameters: string): string {
  return yaml.replace(new RegExp(`^( {2}${host}: \\{ .*) \\}$`, "m"), `$1, ${parameters} }`);
}

/** A program of somebody's takes a TCP port of the host; its unit is named "squatter". */
export async function squat(host: LabHost, address: string, port: number): Promise<void> {
  const listen = `IO::Socket::INET->new(LocalAddr => "${address}", LocalPort => ${port}, Listen => 5, ReuseAddr => 1)`;
  // No variable: systemd-run would expand its name.
  const program = `push @held, ${listen} or die; sleep 600`;
  const start = "systemd-run --quiet --collect --unit=squatter perl -MIO::Socket::INET -e";
  await mustRun(host, `${start} '${program}'`);
  const listens = () => mustRun(host, `ss -Hltn sport = ${port}`);
  await eventually(`a squatter on port ${port}`, listens, (sockets) => sockets !== "");
}
