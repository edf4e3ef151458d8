import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { LabHost } from "./lab-host.ts";

export interface LoadedRequest {
  /** Wall clock, as `Date.now()` has it anywhere on this machine. */
  readonly startedAtMs: number;
  /** How much later than it was due: the generator's own fault, not the mesh's. */
  readonly lateMs: number;
  readonly tookMs: number;
  /** HTTP status; 0 when no whole answer came. */
  readonly status: number;
}

export interface Load {
  /** Every request, in the order they were due. */
  readonly ended: Promise<readonly LoadedRequest[]>;
  /** Begins no further request. */
  stop(): void;
}

/**
 * Open-loop load on a port of the host's own 127.0.0.1: a request that fails or hangs keeps no other one back.
 * Runs on this machine in the host's network namespace, so that nothing is installed there. Resolves once it has begun.
 */
export async function startLoad(
  host: LabHost,
  { port, perSecond, durationMs }: { port: number; perSecond: number; durationMs: number },
): Promise<Load> {
  const generator = join(import.meta.dirname, "load-generator.ts");
  const child = spawn(
    "chrt",
    [
      ...[
        "--rr",
        "1",
        "nsenter",
        `--net=${host.networkNamespace()}`,
        "--",
        process.execPath,
        "--import",
        "tsx",
        generator,
      ],
      ...[port, perSecond, durationMs].map(String),
    ],
    { cwd: import.meta.dirname, stdio: ["ignore", "pipe", "inherit"] },
  );
  let output = "";
  const ended = once(child, "close").then(([code]) => {
    if (code !== 0) throw new Error(`The load generator ended with exit code ${code}.`);
    return output
      .split("\n")
      .slice(1)
      .filter(Boolean)
      .map((line) => JSON.parse(line) as LoadedRequest);
  });
  const begun = new Promise<void>((resolve) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      resolve();
    });
  });
  await Promise.race([begun, ended]);
  return { ended, stop: () => void child.kill("SIGTERM") };
}

/**
 * Lets the host's HAProxy and backends run before everything else on this machine, as the load generator does: what is
 * measured is the mesh, not its neighbours here.
 */
export async function prioritize(host: LabHost): Promise<void> {
  await host.exec("for pid in $(pidof haproxy perl); do chrt --all-tasks --rr --pid 1 $pid; done");
}

/** Lets them be what they are elsewhere: no limit of a processor's time holds for what `prioritize` has made of them. */
export async function deprioritize(host: LabHost): Promise<void> {
  await host.exec("for pid in $(pidof haproxy perl); do chrt --all-tasks --other --pid 0 $pid; done");
}

/** What became of the requests, and how long after the fault the last bad one started. */
export interface LoadResult {
  readonly requests: number;
  /** Neither answered by a backend nor in time: no answer, or one that the proxy made up. */
  readonly failed: number;
  /** Answered by a backend, with its own 500. */
  readonly refused: number;
  /** Took longer than 250 ms, failed or not. */
  readonly slow: number;
  /** Undefined when no request was failed or slow after the fault. */
  readonly lastBadMs: number | undefined;
  /** The generator's worst delay. */
  readonly lateMs: number;
}

const SLOW_MS = 250;

export function resultOf(requests: readonly LoadedRequest[], faultAtMs: number): LoadResult {
  const hasFailed = ({ status }: LoadedRequest) => status !== 200 && status !== 500;
  const isSlow = ({ tookMs }: LoadedRequest) => tookMs > SLOW_MS;
  const bad = requests.filter((request) => hasFailed(request) || isSlow(request));
  const last = bad.at(-1);
  return {
    requests: requests.length,
    failed: requests.filter(hasFailed).length,
    refused: requests.filter(({ status }) => status === 500).length,
    slow: requests.filter(isSlow).length,
    lastBadMs: last && last.startedAtMs - faultAtMs,
    lateMs: Math.round(Math.max(...requests.map(({ lateMs }) => lateMs))),
  };
}
