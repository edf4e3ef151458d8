import { setTimeout as sleep } from "node:timers/promises";
import type { StepName } from "../contract/names.ts";
import type { AnyStep } from "../contract/step.ts";
import { type Answer, NotRead, NotUnderstood } from "../reader/answer.ts";
import type { HostReader } from "../reader/host-reader.ts";
import { lookThrough } from "../reader/look.ts";
import type { Ask, Fields, Question } from "../reader/protocol.ts";
import { Reader } from "../reader/reader.ts";
import type { LookRequest, StepFacts } from "./step-facts.ts";

/** What tells one run of a service from the next, and what systemd knows of its files. */
const IDENTITY = ["InvocationID", "MainPID", "NeedDaemonReload"];

/** What is read beside the steps: in their first round trip, and when no other answer is waited for. */
interface Beside<First, Last> {
  readonly first: (reader: Reader) => Promise<First>;
  /** `paths`: of what the steps have read. */
  readonly last: (reader: Reader, first: First, paths: ReadonlySet<string>) => Promise<Last>;
}

/**
 * Facts of the steps that look through the reader. One look is one moment: the steps of a service that was started again
 * meanwhile look again. When it happens each time, and systemd does it, they are told of the service as it is between two
 * starts; else they are not believed. Rejects when the host cannot be reached.
 */
export async function lookAt<First, Last>(
  reader: Pick<HostReader, "ask">,
  requests: readonly LookRequest[],
  beside: Beside<First, Last>,
): Promise<{
  readonly facts: ReadonlyMap<StepName, StepFacts>;
  readonly first: First;
  readonly last: Last;
}> {
  const facts = new Map<StepName, StepFacts>();
  const { first, last, ...look } = await lookOnce(reader, requests, facts, beside);
  let { moved } = look;
  for (const pauseMs of PAUSES_MS) {
    const again = requests.filter(({ step }) => moved.has(step.name));
    if (again.length === 0) break;
    await sleep(pauseMs);
    ({ moved } = await lookOnce(reader, again, facts, NOTHING));
  }
  const moving = requests.filter(({ step }) => moved.has(step.name));
  if (moving.length > 0) {
    const ofMoving = await lookBetweenStarts(reader, moving, facts, moved);
    moved = new Map([...moved].filter(([step]) => ofMoving.has(step)));
  }
  for (const [step, unit] of moved) {
    const times = `${PAUSES_MS.length + 1} times in a row`;
    const because = `${unit} changed while it was read, ${times}: is it started over and over? See journalctl -u ${unit}`;
    facts.set(step, broken(because));
  }
  return { facts, first, last };
}

/**
 * Before each further look at what moved: what systemd starts over and over has mostly ended as failed by the last, and what
 * it starts every few seconds stands still for one of them.
 */
const PAUSES_MS = [0, 300, 800, 1500];
const NOTHING = { first: async () => undefined, last: async () => undefined };

/** `moved`: the steps whose unit moved, with its name. `between`: units that are told of as between two starts. */
async function lookOnce<First, Last>(
  reader: Pick<HostReader, "ask">,
  requests: readonly LookRequest[],
  facts: Map<StepName, StepFacts>,
  beside: Beside<First, Last>,
  between: ReadonlyMap<StepName, string> = new Map(),
): Promise<{ readonly moved: ReadonlyMap<StepName, string>; readonly first: First; readonly last: Last }> {
  const ask = lookThrough(reader);
  const watches = requests.map((request) => ({
    ...request,
    units: new Map<string, Promise<string>>(),
    asking: askOf(ask, between.get(request.step.name)),
  }));
  const paths = new Set<string>();
  const [first] = await Promise.all([
    beside.first(new Reader(ask)),
    ...watches.map(async ({ step, desired, units, asking }) => {
      facts.set(step.name, await factsOf(step, new Reader(watching(asking, units, paths)), desired));
    }),
  ]);
  const askAgain = lookThrough(reader);
  const moved = new Map<StepName, string>();
  // Answered before anything else of its frame.
  const [last] = await Promise.all([
    beside.last(new Reader(askAgain), first, paths),
    ...watches.flatMap(({ step, units }) =>
      [...units].map(async ([unit, before]) => {
        if (between.get(step.name) === unit) return;
        const [was, is] = await Promise.all([before, identityOf(askAgain, ["unit", unit, ...IDENTITY])]);
        // What was not read at first the step tells: it is none that has moved.
        if (was !== is && was !== "unreadable") moved.set(step.name, unit);
      }),
    ),
  ]);
  return { moved, first, last };
}

/**
 * Further looks at steps whose unit moved each time. A service that systemd starts over and over is told of as it is between
 * two starts, so that all else of its step is read. Believed only where systemd started it again while these looks were
 * made, which takes longer than one of them where a start does: returns the steps where it did not, or of which another unit
 * moved.
 */
async function lookBetweenStarts(
  reader: Pick<HostReader, "ask">,
  requests: readonly LookRequest[],
  facts: Map<StepName, StepFacts>,
  units: ReadonlyMap<StepName, string>,
): Promise<ReadonlySet<StepName>> {
  const restartsAtFirst = new Map<StepName, number>();
  let doubted = requests;
  for (const pauseMs of PAUSES_BETWEEN_STARTS_MS) {
    await sleep(pauseMs);
    const restartsOf = (at: Reader) =>
      Promise.all(doubted.map(({ step }) => restartsIn(at, units.get(step.name)!)));
    const { first, last, moved } = await lookOnce(
      reader,
      doubted,
      facts,
      { first: restartsOf, last: restartsOf },
      units,
    );
    for (const [at, { step }] of doubted.entries())
      if (!restartsAtFirst.has(step.name)) restartsAtFirst.set(step.name, first[at]!);
    doubted = doubted.filter(
      ({ step }, at) => moved.has(step.name) || !(last[at]! > restartsAtFirst.get(step.name)!),
    );
    if (doubted.length === 0) break;
  }
  return new Set(doubted.map(({ step }) => step.name));
}

/** A start that fails may take seconds. */
const PAUSES_BETWEEN_STARTS_MS = [0, 500, 1500];

/** How often systemd has started a unit again by itself; NaN where that was not read. */
async function restartsIn(reader: Reader, name: string): Promise<number> {
  const unit = await reader.unit(name, ["NRestarts"]);
  return unit.is === "value" ? Number(unit.value.get("NRestarts")?.[0]) : Number.NaN;
}

/** What systemd says of a service between two starts. */
const BETWEEN_STARTS: ReadonlyMap<string, string> = new Map([
  ["ActiveState", "activating"],
  ["SubState", "auto-restart"],
  ["MainPID", "0"],
]);

/** Asks the host, but for what is another thing at each moment of a unit that is started over and over. */
function askOf(ask: Ask, unit: string | undefined): Ask {
  if (unit === undefined) return ask;
  const between = (answer: Answer<Fields>): Answer<Fields> => {
    if (answer.is !== "value") return answer;
    const told = (at: number) =>
      at % 2 === 1 ? BETWEEN_STARTS.get(String(answer.value[at - 1])) : undefined;
    return {
      is: "value",
      value: answer.value.map((field, at) => {
        const other = told(at);
        return other === undefined ? field : Buffer.from(other);
      }),
    };
  };
  const asked = async (question: Question) => {
    const answer = await ask(question);
    return question[0] === "unit" && question[1] === unit ? between(answer) : answer;
  };
  const { anew } = ask;
  return Object.assign(asked, anew === undefined ? {} : { anew: () => askOf(anew(), unit) });
}

async function factsOf(step: AnyStep, reader: Reader, desired: unknown): Promise<StepFacts> {
  try {
    return { is: "read", facts: await step.look(reader, desired) };
  } catch (error) {
    if (error instanceof NotRead) return broken(error.message);
    if (error instanceof NotUnderstood) return broken(`its look was not understood: ${error.message}`);
    throw error;
  }
}

/** Notes the units of which a step asks who runs, and the paths that it reads. */
function watching(ask: Ask, units: Map<string, Promise<string>>, paths: Set<string>): Ask {
  const asked = (question: Question) => {
    const [name, unit] = question;
    if (name === "unit" && unit !== undefined && IDENTITY.every((property) => question.includes(property)))
      units.set(unit, quiet(identityOf(ask, question)));
    if ((name === "file" || name === "list") && unit !== undefined) paths.add(unit);
    return ask(question);
  };
  return Object.assign(asked, ask.anew === undefined ? {} : { anew: ask.anew });
}

/** A host that is lost fails the look itself, and leaves nobody to wait for this. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

async function identityOf(ask: Ask, question: Question): Promise<string> {
  const answer = await ask(question);
  // What is not read at all is told by the step.
  if (answer.is !== "value") return answer.is;
  const words = answer.value.map(String);
  // A unit that is no service has no MainPID.
  const told = (property: string) => words.find((_, at) => at % 2 === 1 && words[at - 1] === property);
  return IDENTITY.map((property) => told(property) ?? "").join(" ");
}

function broken(because: string): StepFacts {
  return { is: "broken", because };
}
