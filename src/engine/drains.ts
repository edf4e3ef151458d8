import { setTimeout as sleep } from "node:timers/promises";
import type { ScriptCommand } from "../contract/change.ts";
import type { HostName } from "../contract/inventory-view.ts";
import type { StepName } from "../contract/names.ts";
import type { Drain } from "../contract/step.ts";
import { isAway } from "../errors.ts";
import type { Remote } from "../remote/remote.ts";
import { scriptBlock } from "./apply.ts";
import { ChangeFailed } from "./change-failed.ts";
import { type Drainable, drainables, servingIn } from "./drain.ts";
import type { Emit, RunEvent } from "./events.ts";
import type { FleetView } from "./fleet.ts";
import { gate, type Marks, type MeshHealth, worseWords } from "./gate.ts";
import type { Ledger } from "./ledger.ts";
import { runChange } from "./run-change.ts";
import { LONGEST_PAUSE_MS, restMs, SHORTEST_PAUSE_MS } from "./settle.ts";

/** How long proxies may take to let a host go. A second or two is what it takes. */
const LEAVING_MS = 30_000;
/** What a change takes beside the time that its service may take. */
const BESIDE_MS = 120_000;

interface DrainsContext {
  readonly fleet: FleetView;
  readonly remoteOf: (host: HostName) => Remote;
  readonly emit: Emit;
  readonly ledger: Ledger;
  /** Looks at what the hosts tell of the mesh and of its backends. Never rejects. */
  readonly lookAt: (hosts: readonly HostName[]) => Promise<unknown>;
}

/** A host whose backends have left the mesh. */
interface Drained {
  readonly host: HostName;
  readonly drain: Drain;
}

/** Has a host's backends leave the mesh before what their clients would notice, and come back after it. */
export class Drains {
  readonly #step: StepName;
  readonly #context: DrainsContext;

  constructor(step: StepName, context: DrainsContext) {
    this.#step = step;
    this.#context = context;
  }

  /**
   * Returns when the proxies send the host no request any more, as those of `tellers` tell it. `lastsMs`: how long the change
   * may take. Undefined where its backends stay in the mesh. Never rejects.
   */
  async begin(host: HostName, tellers: readonly HostName[], lastsMs: number): Promise<Drained | undefined> {
    const startedAtMs = performance.now();
    await this.#context.lookAt([...new Set([host, ...tellers])]);
    const found = drainables(this.#context.fleet, tellers)(host);
    if (found.is === "none") return undefined;
    if (found.is !== "drained") {
      this.#tell(host, "kept", startedAtMs, found.because);
      return undefined;
    }
    const { drain } = found;
    const before = this.#health(tellers);
    try {
      await this.#run(host, drain.leave(LEAVING_MS + lastsMs + BESIDE_MS));
      const left = await this.#untilLeft(found, tellers, before);
      if (left === undefined) await this.#run(host, drain.rest);
      this.#tell(host, left === undefined ? "out" : "failed", startedAtMs, left);
    } catch (error) {
      this.#tell(host, "failed", startedAtMs, messageOf(error));
    }
    return { host, drain };
  }

  /** Never rejects: what fails here the host does by itself. */
  async end(drained: Drained | undefined): Promise<void> {
    if (drained === undefined) return;
    const { host, drain } = drained;
    const startedAtMs = performance.now();
    try {
      await this.#run(host, drain.enter);
      this.#tell(host, "back", startedAtMs);
    } catch (error) {
      this.#tell(host, "failed", startedAtMs, `${messageOf(error)}. The host has them back by itself`);
    }
  }

  /** Looks until nobody sends the host a request and all else is as it was; returns what is in the way in the end. */
  async #untilLeft(
    { own }: Extract<Drainable, { is: "drained" }>,
    tellers: readonly HostName[],
    before: MeshHealth,
  ): Promise<string | undefined> {
    const { lookAt } = this.#context;
    const left: Marks = new Map([["", new Map([...own].map((name) => [name, { is: "left" } as const]))]]);
    const untilMs = performance.now() + LEAVING_MS;
    for (let pauseMs = SHORTEST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      const beganAtMs = performance.now();
      await lookAt(tellers);
      const now = this.#health(tellers);
      const served = [...servingIn(now).served.keys()].filter((name) => own.has(name));
      const { worse } = gate(before, now, left);
      if (served.length === 0 && worse.length === 0) return undefined;
      if (performance.now() >= untilMs)
        return served.length > 0 ? `still served: ${served.join(", ")}` : worseWords(worse);
      await sleep(Math.max(pauseMs, restMs(performance.now() - beganAtMs)));
    }
  }

  #health(hosts: readonly HostName[]): MeshHealth {
    return new Map(hosts.map((host) => [host, this.#context.fleet.vitals(host)]));
  }

  async #run(host: HostName, command: ScriptCommand): Promise<void> {
    try {
      await runChange(this.#context.remoteOf(host), "the drain", [scriptBlock(command)]);
    } finally {
      this.#context.ledger.touch(host, { isOfMesh: true });
    }
  }

  #tell(
    host: HostName,
    is: Extract<RunEvent, { event: "drain" }>["is"],
    startedAtMs: number,
    because?: string,
  ): void {
    const durationMs = performance.now() - startedAtMs;
    this.#context.emit({ event: "drain", host, step: this.#step, is, because, durationMs });
  }
}

/** What a host that refuses or is lost says; anything else is a fault of ours. */
function messageOf(error: unknown): string {
  const { message } = error as Error;
  return error instanceof ChangeFailed || isAway(error) ? message : `a fault of meshctl: ${message}`;
}
