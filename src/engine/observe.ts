import { parseProbeOutput, rowsOf } from "../evidence/probe-output.ts";
import { NotRead, NotUnderstood } from "../reader/answer.ts";
import type { Remote } from "../remote/remote.ts";
import { scriptText } from "../script-text.ts";
import type { AnyStep, HostFacts, StepName } from "../step.ts";
import { lastLines } from "../terminal-text.ts";
import { clockOf, lookAtHost } from "./host-facts.ts";
import { lookAt } from "./look.ts";
import { readerOf } from "./readers.ts";
import { type Block, sideBySide } from "./script-block.ts";
import type { ProbeRequest, StepFacts } from "./step-facts.ts";

/** What one look at a host gave. */
export type Observation =
  | {
      readonly is: "seen";
      readonly host: HostFacts;
      readonly facts: ReadonlyMap<StepName, StepFacts>;
    }
  | { readonly is: "unseen"; readonly error: Error };

const KEEPER = new URL("../evidence/keeper.sh", import.meta.url);
const PRELUDE = new URL("../evidence/prelude.sh", import.meta.url);
const PROBE_TIMEOUT_MS = 20_000;
const TOO_LONG = `took more than ${PROBE_TIMEOUT_MS / 1000} s`;

/**
 * Looks at a host: facts of the host and of every step asked for, over the reader, and in one exec for the steps that have
 * no `look` yet. Changes nothing. Never throws.
 */
export async function observe(remote: Remote, requests: readonly ProbeRequest[]): Promise<Observation> {
  try {
    const looks = requests.filter(({ step }) => step.look !== undefined);
    const probes = requests.filter(({ step }) => step.look === undefined);
    const [probed, { first, last, facts }] = await Promise.all([
      probe(remote, probes),
      lookAt(readerOf(remote), looks, { first: lookAtHost, last: (reader) => reader.clock() }),
    ]);
    const host = { ...first, clock: clockOf(last) };
    return { is: "seen", host, facts: new Map([...probed, ...facts]) };
  } catch (error) {
    // That the connection was lost says more than what was not read for it.
    const lost = error instanceof NotRead && error.cause instanceof Error ? error.cause : undefined;
    return { is: "unseen", error: lost ?? (error as Error) };
  }
}

/** What the scripts print. Throws when the host cannot be read. */
async function probe(
  remote: Remote,
  requests: readonly ProbeRequest[],
): Promise<ReadonlyMap<StepName, StepFacts>> {
  const facts = new Map<StepName, StepFacts>();
  const [one, ...others] = requests.map(probeBlock);
  if (one === undefined) return facts;
  const { script, parse } = sideBySide([one, ...others]);
  const outcome = await remote.run(script, { during: "observation", timeoutMs: 30_000 + PROBE_TIMEOUT_MS });
  const results = parse(outcome.stdout, outcome.stderr);
  if (results.length === 0)
    throw new NotUnderstood(`the host printed nothing: ${lastLines(outcome.stderr || outcome.stdout)}`);
  for (const { step } of requests) {
    const result = results.find(({ name }) => name === step.name);
    facts.set(step.name, result === undefined ? broken("its probe did not run") : read(step, result));
  }
  return facts;
}

function probeBlock({ step, desired }: ProbeRequest): Block {
  if (step.probe === undefined) throw new Error(`the step ${step.name} has neither a look nor a probe`);
  const { functions = [], file, args } = step.probe(desired);
  const text = [KEEPER, PRELUDE, functions, file].flat().map(scriptText).join("\n");
  return { name: step.name, text, args, timeoutMs: PROBE_TIMEOUT_MS };
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
    if (error instanceof NotUnderstood) return broken(`its probe was not understood: ${error.message}`);
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
