import { parseProbeOutput, rowsOf } from "../evidence/probe-output.ts";
import type { Remote } from "../remote/remote.ts";
import { scriptText } from "../script-text.ts";
import { type AnyStep, type HostFacts, ProbeNotUnderstood, type StepName } from "../step.ts";
import { lastLines } from "../terminal-text.ts";
import { byThisClock, hostFactsOf } from "./host-facts.ts";
import { lookAt } from "./look.ts";
import { readerOf } from "./readers.ts";
import { type Block, sideBySide } from "./script-block.ts";

/** What one look at a host gave. */
export type Observation =
  | {
      readonly is: "seen";
      readonly host: HostFacts;
      readonly facts: ReadonlyMap<StepName, StepFacts>;
    }
  | { readonly is: "unseen"; readonly error: Error };

/** A step's own facts, or why its probe gave none. */
export type StepFacts =
  | { readonly is: "read"; readonly facts: unknown }
  | { readonly is: "broken"; readonly because: string };

export interface ProbeRequest {
  readonly step: AnyStep;
  readonly desired: unknown;
}

const KEEPER = new URL("../evidence/keeper.sh", import.meta.url);
const PRELUDE = new URL("../evidence/prelude.sh", import.meta.url);
/** Its record goes before the prologue's own. */
const CLOCK = new URL("./clock.sh", import.meta.url);
const PROLOGUE = new URL("./prologue.sh", import.meta.url);
const PROBE_TIMEOUT_MS = 20_000;
const TOO_LONG = `took more than ${PROBE_TIMEOUT_MS / 1000} s`;

/**
 * Looks at a host: facts of the host and of every step asked for, in one exec, and over the reader for the steps that have a
 * `look`. Changes nothing. Never throws.
 */
export async function observe(remote: Remote, requests: readonly ProbeRequest[]): Promise<Observation> {
  try {
    const looks = requests.filter(({ step }) => step.look !== undefined);
    const [probed, looked] = await Promise.all([
      probe(
        remote,
        requests.filter(({ step }) => step.look === undefined),
      ),
      looks.length === 0 ? [] : lookAt(readerOf(remote), looks),
    ]);
    return { is: "seen", host: probed.host, facts: new Map([...probed.facts, ...looked]) };
  } catch (error) {
    return { is: "unseen", error: error as Error };
  }
}

/** What the scripts print. Throws when the host cannot be read. */
async function probe(
  remote: Remote,
  requests: readonly ProbeRequest[],
): Promise<{ readonly host: HostFacts; readonly facts: ReadonlyMap<StepName, StepFacts> }> {
  const { script, parse } = sideBySide([
    block("prologue", [PROLOGUE], []),
    ...requests.map((request) => probeBlock(request)),
  ]);
  const outcome = await remote.run(`${scriptText(CLOCK)}${script}`, {
    during: "observation",
    timeoutMs: 30_000 + PROBE_TIMEOUT_MS,
  });
  const [prologue, ...results] = parse(outcome.stdout, outcome.stderr);
  if (prologue === undefined) {
    throw new ProbeNotUnderstood(`the host printed no facts: ${lastLines(outcome.stderr || outcome.stdout)}`);
  }
  // Half a list of packages or of our own files would look like a host that has none.
  if (tookTooLong(prologue)) throw new ProbeNotUnderstood(`reading the host ${TOO_LONG}`);
  const host = hostFactsOf(parseProbeOutput(prologue.stdout), byThisClock(outcome));
  const facts = new Map<StepName, StepFacts>();
  for (const { step } of requests) {
    const result = results.find(({ name }) => name === step.name);
    facts.set(step.name, result === undefined ? broken("its probe did not run") : read(step, result));
  }
  return { host, facts };
}

function probeBlock({ step, desired }: ProbeRequest): Block {
  if (step.probe === undefined) throw new Error(`the step ${step.name} has neither a look nor a probe`);
  const probe = step.probe(desired);
  return block(step.name, [probe.functions ?? [], probe.file].flat(), probe.args);
}

function block(name: string, files: readonly URL[], args: readonly string[]): Block {
  const text = [KEEPER, PRELUDE, ...files].map(scriptText).join("\n");
  return { name, text, args, timeoutMs: PROBE_TIMEOUT_MS };
}

function read(step: AnyStep, result: { exitCode: number; stdout: string; stderr: string }): StepFacts {
  if (tookTooLong(result)) return broken(`its probe ${TOO_LONG}`);
  if (result.exitCode !== 0) {
    return broken(`its probe ended with exit code ${result.exitCode}: ${lastLines(result.stderr)}`);
  }
  try {
    const output = parseProbeOutput(result.stdout);
    const [unread] = rowsOf(output, "unread");
    // Taken for absent it could be a reason to change something.
    if (unread !== undefined) return broken(`${unread[0]} was not read: ${unread[1]}`);
    return { is: "read", facts: step.facts!(output) };
  } catch (error) {
    if (error instanceof ProbeNotUnderstood) return broken(`its probe was not understood: ${error.message}`);
    throw error;
  }
}

function tookTooLong({ exitCode }: { exitCode: number }): boolean {
  return exitCode === 124 || exitCode === 137;
}

function broken(because: string): StepFacts {
  return { is: "broken", because };
}

/** Runs `work` for every item, at most `limit` at once. Rejects with the first error after all have ended. */
export async function inParallel<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const queue = [...items];
  const workers = Array.from({ length: Math.min(limit, queue.length) }, async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  });
  const ended = await Promise.allSettled(workers);
  for (const end of ended) if (end.status === "rejected") throw end.reason;
}
