import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";
import { z } from "zod";
import type { Change, Command } from "../../../src/contract/change.ts";
import type { HostView, InventoryView } from "../../../src/contract/inventory-view.ts";
import type { Step } from "../../../src/contract/step.ts";
import type { RunEvent } from "../../../src/engine/events.ts";
import { Ledger } from "../../../src/engine/ledger.ts";
import { type RestoreOptions, restore } from "../../../src/engine/restore.ts";
import { type RunOptions, run } from "../../../src/engine/run.ts";
import { readThere } from "../../../src/reader/answer.ts";
import type { Reader } from "../../../src/reader/reader.ts";
import { everyone } from "../../../src/waves.ts";
import { LocalRemote } from "./local-remote.ts";
import { RealShell } from "./real-shell.ts";

interface Desired {
  readonly directory: string;
  readonly want: string;
}

interface Facts {
  readonly disk: string;
  readonly live: string;
  readonly count: number;
  readonly isBlocked: boolean;
}

export type ValueStep = Step<string, Desired, Facts>;

const file = (name: string) => new URL(`./${name}.sh`, import.meta.url);
export const set = (directory: string, want: string): Command => {
  return { kind: "script", file: file("set"), args: [directory, want], timeoutMs: 2_000 };
};
export const start = (directory: string, timeoutMs = 5_000): Command => {
  return { kind: "script", file: file("start"), args: [directory], timeoutMs };
};

/** As `$(cat PATH)` gives it. */
export async function textAt(reader: Reader, path: string): Promise<string> {
  return readThere(await reader.text(path), path).replace(/\n+$/, "");
}

/** A step that wants one value on disk and in force, in the host's folder. */
export function valueStep(changed: Partial<ValueStep> = {}): ValueStep {
  return {
    name: "value",
    title: "A value",
    parameters: z.string(),
    desired: (want, host) => ({ directory: host.address, want }),
    claims: () => ({}),
    async look(reader, { directory }) {
      const [disk, live, log, blocked] = await Promise.all([
        textAt(reader, `${directory}/disk`),
        textAt(reader, `${directory}/live`),
        textAt(reader, `${directory}/log`),
        reader.stat(`${directory}/blocked`),
      ]);
      const count = log === "" ? 0 : log.split("\n").length;
      return { disk, live, count, isBlocked: blocked.is === "value" };
    },
    assess({ desired: { directory, want }, facts: { disk, live, isBlocked } }) {
      const isOpen = disk !== want || live !== want;
      const commands = disk === want ? [] : [set(directory, want)];
      const change: Change = { id: "write", why: "it differs", commands, activate: [start(directory)] };
      return {
        readings: [
          {
            setting: "the value",
            want,
            onDisk: { is: "read", value: disk, source: "disk" },
            inForce: { is: "read", value: live, source: "live" },
            blocked: isBlocked ? "it is somebody else's" : undefined,
            closedBy: isOpen ? { change: change.id } : undefined,
          },
        ],
        changes: isOpen ? [change] : [],
      };
    },
    needs: "self",
    next: everyone,
    // Long enough for a busy machine; a change that shows does not wait for it.
    settle: { deadlineMs: 30_000, stableMs: 0 },
    ...changed,
  };
}

const roots: string[] = [];
afterAll(async () => {
  for (const root of roots) await rm(root, { recursive: true, force: true });
}, 60_000);

/** Hosts that are folders, all of which hold "old" and are to hold "new". */
export class World {
  readonly hosts: readonly string[];
  readonly events: RunEvent[] = [];
  readonly #root: string;
  readonly #remotes: ReadonlyMap<string, LocalRemote>;

  constructor(...hosts: string[]) {
    this.hosts = hosts;
    this.#root = mkdtempSync(join(tmpdir(), "meshctl-engine-"));
    roots.push(this.#root);
    for (const host of hosts) {
      mkdirSync(join(this.#root, host));
      this.put(host, "disk", "old");
      this.put(host, "live", "old");
      this.put(host, "log", "");
    }
    this.#remotes = new Map(hosts.map((host) => [host, new LocalRemote(host, join(this.#root, host))]));
  }

  /** From now on scripts really run on these hosts, in a real `sh`: for what is the shell's own. */
  inShell(hosts = this.hosts): this {
    for (const remote of hosts.map((host) => this.remote(host)))
      remote.shell = new RealShell(remote.directory);
    return this;
  }

  put(host: string, name: string, text = ""): void {
    const file = join(this.#root, host, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  remove(host: string, name: string): void {
    rmSync(join(this.#root, host, name));
  }

  list(host: string, name: string): readonly string[] {
    return readdirSync(join(this.#root, host, name)).sort();
  }

  /** Octal permissions. */
  mode(host: string, name: string): string {
    return (statSync(join(this.#root, host, name)).mode & 0o7777).toString(8);
  }

  read(host: string, name: string): string {
    return readFileSync(join(this.#root, host, name), "utf8");
  }

  has(host: string, name: string): boolean {
    return existsSync(join(this.#root, host, name));
  }

  remote(host: string): LocalRemote {
    return this.#remotes.get(host)!;
  }

  get inventory(): InventoryView {
    const view = (name: string): HostView => {
      return { name, address: join(this.#root, name), groups: [], parameters: new Map() };
    };
    return {
      file: "inventory.yaml",
      hosts: new Map(this.hosts.map((name) => [name, view(name)])),
      groups: new Map(),
      mesh: { ensemble: [], proxies: [], services: [] } as unknown as InventoryView["mesh"],
      network: { proxy: undefined, caCertificates: undefined },
      allowOs: [],
    };
  }

  /** Runs steps on all hosts. Returns the exit code; `events` are those of this run. */
  async run(
    command: RunOptions["command"],
    // biome-ignore lint/suspicious/noExplicitAny: steps of every type, as in the registry
    steps: readonly Step<any, any, any>[],
    changed: Partial<RunOptions> = {},
  ): Promise<number> {
    return run({ ...(await this.#options(steps)), command, ...changed });
  }

  /** Restores a run, or lists what can be restored. */
  async restore(
    // biome-ignore lint/suspicious/noExplicitAny: steps of every type, as in the registry
    steps: readonly Step<any, any, any>[],
    changed: Partial<RestoreOptions> & Pick<RestoreOptions, "of">,
  ): Promise<number> {
    return restore({ ...(await this.#options(steps)), ...changed });
  }

  // biome-ignore lint/suspicious/noExplicitAny: steps of every type, as in the registry
  async #options(steps: readonly Step<any, any, any>[]): Promise<Omit<RunOptions, "command">> {
    this.events.length = 0;
    for (const remote of this.#remotes.values()) await remote.connectAnew();
    const parameters = new Map(this.hosts.map((host) => [host, "new"]));
    const plays = [{ hosts: this.hosts, steps: steps.map((step) => ({ step, parameters })) }];
    return {
      run: "20261122-190312-4f2a",
      inventory: this.inventory,
      job: { plays },
      limit: () => true,
      steps: () => true,
      parallel: 10,
      remoteOf: (host) => this.remote(host),
      storeDirectory: join(this.#root, "store"),
      ledger: new Ledger(),
      emit: (event) => this.events.push(event),
      confirm: async () => true,
      stop: new AbortController().signal,
    };
  }

  /** What happened, as short words: "changing a write". */
  get story(): string[] {
    return this.events.flatMap((event) => {
      if (event.event === "changing" || event.event === "changed")
        return [`${event.event} ${event.host} ${event.change.id}`];
      return event.event === "failed" ? [`failed ${event.host}`] : [];
    });
  }

  get summary(): RunEvent & { event: "summary" } {
    const last = this.events.at(-1);
    if (last?.event !== "summary") throw new Error("the last event is no summary");
    return last;
  }

  outcome(host: string) {
    return this.summary.hosts.find((outcome) => outcome.host === host)!;
  }
}
