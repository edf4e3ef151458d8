import { spawn } from "node:child_process";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Lab } from "../lab/lab.ts";

const root = resolve(import.meta.dirname, "../..");
/** The runs of tests are none of this machine's user. */
const stateHome = join(tmpdir(), `meshctl-e2e-state-${process.pid}`);

/** One line of `--json`. */
export type JsonEvent = { readonly event: string; readonly [field: string]: unknown };

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Events, when `--json` was among the arguments of a command that goes to hosts. */
  readonly events: readonly JsonEvent[];
}

export interface RunOptions {
  env?: NodeJS.ProcessEnv;
  /** Of Node, for example to load something into the command line. */
  nodeFlags?: readonly string[];
  /** After which it is killed and `ended` rejects; long enough for hosts that are bare unless given. */
  timeoutMs?: number;
}

/** Commands that change hosts; all others only ask. */
const CHANGING = ["provision", "restore"];
const timeoutMsOf = (command: string): number => (CHANGING.includes(command) ? 540_000 : 240_000);
/** For the change under way, which an interrupted run finishes. */
const interruptedMs = 120_000;

/** Runs the built command line as a user would, from the project's folder. */
export function meshctl(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return startMeshctl(args, options).ended;
}

/** A command line that runs, to be watched and signalled. */
export interface Running {
  /** Rejects when the run was killed for its time limit. */
  readonly ended: Promise<Ended>;
  /** The first event that fits, of those to come. Rejects when the run ends without one. Needs `--json`. */
  event(fits: (event: JsonEvent) => boolean): Promise<JsonEvent>;
  /** Resolves once what it printed fits. Rejects when the run ends before. */
  printed(pattern: RegExp): Promise<void>;
  signal(name: NodeJS.Signals): void;
}

const runs = new Set<Running>();

/** Ends what a test has started and not waited for: as by ^C, and by force where that takes too long. */
export async function endRuns(): Promise<void> {
  const each = [...runs].map(async (run) => {
    const kill = setTimeout(() => run.signal("SIGKILL"), interruptedMs);
    // It may be one that the test holds still.
    run.signal("SIGCONT");
    run.signal("SIGINT");
    await run.ended.catch(() => {});
    clearTimeout(kill);
  });
  await Promise.all(each);
}

export function startMeshctl(args: readonly string[], options: RunOptions = {}): Running {
  const child = spawn(
    process.execPath,
    [...(options.nodeFlags ?? []), join(root, "bin/meshctl.js"), ...args],
    {
      cwd: root,
      env: { ...process.env, XDG_STATE_HOME: stateHome, CI: "true", ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  // What goes to no host prints one value instead.
  const printsEvents = args.includes("--json") && !["hosts", "render"].includes(args[0]!);
  const events: JsonEvent[] = [];
  const watchers = new Set<(event: JsonEvent) => void>();
  const readers = new Set<() => void>();
  let [stdout, stderr, unread] = ["", "", ""];
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    for (const read of readers) read();
    if (!printsEvents) return;
    const lines = (unread + text).split("\n");
    unread = lines.pop()!;
    for (const line of lines) {
      const event = JSON.parse(line) as JsonEvent;
      events.push(event);
      for (const watcher of watchers) watcher(event);
    }
  });
  const limitMs = options.timeoutMs ?? timeoutMsOf(args[0]!);
  const ended = new Promise<Ended>((done, failed) => {
    const late = setTimeout(() => {
      const text = `meshctl ${args.join(" ")} took longer than ${limitMs / 1000} s and was killed`;
      failed(new Error(`${text}:\n${stdout.slice(-2000)}${stderr}`));
      child.kill("SIGKILL");
    }, limitMs);
    child.once("close", (code) => {
      clearTimeout(late);
      runs.delete(running);
      // A signal of ours ended it when there is no exit code.
      done({ code: code ?? -1, stdout, stderr, events });
    });
  });
  // Whoever waits for it is told; a test that has failed meanwhile does not.
  ended.catch(() => {});
  const running: Running = {
    ended,
    event: (fits) =>
      new Promise((found, lost) => {
        watchers.add((event) => {
          if (fits(event)) found(event);
        });
        ended.then(() => lost(new Error(`The run ended without the event:\n${stderr}`)), lost);
      }),
    printed: (pattern) =>
      new Promise((found, lost) => {
        const read = () => pattern.test(stdout) && found();
        readers.add(read);
        read();
        ended.then(() => lost(new Error(`The run ended without ${pattern}:\n${stdout}${stderr}`)), lost);
      }),
    signal: (name) => void child.kill(name),
  };
  runs.add(running);
  return running;
}

/** The demo's inventory made to fit another lab, changed by `edit`. Returns its path. */
export async function inventoryFor(
  lab: Lab,
  edit: (yaml: string) => string = (yaml) => yaml,
): Promise<string> {
  const yaml = await readFile(join(root, "inventories/lab.yaml"), "utf8");
  const prefix = lab.hosts[0]!.address.replace(/[0-9]+$/, "");
  const fitted = yaml.replaceAll("198.18.0.", prefix).replaceAll("/run/meshctl-lab/demo", lab.directory);
  const file = join(await mkdtemp(join(tmpdir(), "meshctl-e2e-")), "inventory.yaml");
  await writeFile(file, edit(fitted));
  return file;
}

/** The demo's inventory cut down to its third host: an ensemble of one, a proxy and a database. For `inventoryFor`. */
export function oneHost(yaml: string): string {
  return yaml
    .replace(/^ {2}kvm-0[12]:.*\n/gm, "")
    .replaceAll("[kvm-01, kvm-02, kvm-03]", "[kvm-03]")
    .replace(/(kvm-03: \{ address: [0-9.]+)13/, "$111");
}

/** The inventory with services that all three hosts register, each a line: "user-api: { port: 9000 }". For `inventoryFor`. */
export function registeredByAll(yaml: string, ...services: readonly string[]): string {
  const lines = services.map((service) => `        ${service}\n`).join("");
  return `${yaml.trimEnd()}

  backends:
    hosts: [kvm-01, kvm-02, kvm-03]
    registrar:
      services:
${lines}`;
}

/** The rows of a run that are not proven, as short text, for messages and for asserting that there are none. */
export function openRows({ events }: Ended): string[] {
  return events
    .filter(({ event, verdict }) => event === "evidence" && verdict !== "proven")
    .map((row) => `${row.host} ${row.step} ${row.setting}: ${row.verdict}: ${row.because}`);
}

export interface Summary {
  readonly exit_code: number;
  readonly duration_ms: number;
  readonly hosts: readonly {
    readonly host: string;
    readonly outcome: string;
    readonly because?: string;
    readonly changed: readonly { readonly step: string; readonly change: string }[];
    readonly unproven: readonly { readonly step: string; readonly change: string }[];
    readonly execs: number;
  }[];
}

export function summaryOf({ events, stderr }: Ended): Summary {
  const last = events.at(-1);
  if (last?.event !== "summary") throw new Error(`The run ended without a summary:\n${stderr}`);
  return last as unknown as Summary;
}
