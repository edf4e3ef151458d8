import type { HostName } from "../../contract/inventory-view.ts";
import type { Evidence, Layer } from "../../contract/reading.ts";
import type { HostOutcome, RunEvent } from "../../engine/events.ts";
import { maskSecrets } from "../../secret.ts";
import { oneLine } from "../../terminal-text.ts";
import { type Shard, shardText } from "../shard.ts";
import { ReportFile } from "./report-file.ts";

type EventOf<E extends RunEvent["event"]> = Extract<RunEvent, { event: E }>;

/** Writes a run as JUnit XML: a suite for each host, a case for each setting. */
export class JunitReport {
  readonly #file: ReportFile;
  readonly #rows: EventOf<"evidence">[] = [];
  readonly #failures: EventOf<"failed">[] = [];

  readonly #shard: Shard | undefined;

  /** Throws ConfigurationError when nothing can be written there. */
  constructor(file: string, shard?: Shard) {
    this.#shard = shard;
    this.#file = new ReportFile("--junit", file);
  }

  readonly see = (event: RunEvent): void => {
    if (event.event === "evidence") this.#rows.push(event);
    else if (event.event === "failed") this.#failures.push(event);
    else if (event.event === "summary")
      this.#file.write(junitXml(event, this.#rows, this.#failures, this.#shard));
  };

  /** Removes what a run that broke off has left. */
  end(): void {
    this.#file.end();
  }
}

interface Case {
  readonly group: string;
  readonly name: string;
  /** What stands in the place of a pass. */
  readonly problem?: { readonly is: "failure" | "error"; readonly type: string; readonly text: string };
  /** What a person should know, whether it passes or not. */
  readonly warning?: string | undefined;
}

/** The report's text, whose name says of which shard it is. Whatever is not proven is a failure; what could not be reached or done is an error. */
export function junitXml(
  summary: EventOf<"summary">,
  rows: readonly EventOf<"evidence">[],
  failures: readonly EventOf<"failed">[],
  shard?: Shard,
): string {
  const suites = summary.hosts.map((outcome) => suite(outcome, casesOf(outcome, rows, failures)));
  const name = shard === undefined ? "meshctl" : `meshctl, shard ${shardText(shard)}`;
  const time = (summary.durationMs / 1000).toFixed(3);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites${attributes({ name, time })}>\n${suites.join("")}</testsuites>\n`;
}

function casesOf(
  outcome: HostOutcome,
  rows: readonly EventOf<"evidence">[],
  failures: readonly EventOf<"failed">[],
): Case[] {
  const mine = <T extends { readonly host: HostName }>(event: T) => event.host === outcome.host;
  const cases: Case[] = rows.filter(mine).map(({ step, evidence }) => settingCase(step, evidence));
  for (const { step, because, output } of failures.filter(mine)) {
    const text = [oneLine(because), ...(output === undefined ? [] : [output])].join("\n");
    cases.push({ group: step, name: "run", problem: { is: "error", type: "failed", text } });
  }
  const hasProblem = cases.some(({ problem }) => problem !== undefined);
  // A host that could not be read has no settings, and must not look like one that has nothing to prove.
  if (outcome.is !== "as wanted" && !hasProblem) {
    const problem = { is: "error", type: outcome.is, text: oneLine(outcome.because ?? outcome.is) } as const;
    cases.push({ group: "host", name: outcome.is === "unreachable" ? "reachable" : "run", problem });
  }
  return cases;
}

function settingCase(step: string, evidence: Evidence): Case {
  const { setting, want, onDisk, inForce, verdict, because, warning } = evidence;
  const found = { group: step, name: oneLine(setting), warning };
  if (verdict === "proven") return found;
  // A host must not write lines of ours.
  const lines = [
    because ?? verdict,
    `want: ${want}`,
    `on disk: ${layer(onDisk)}`,
    `in force: ${layer(inForce)}`,
  ].map(oneLine);
  return {
    ...found,
    problem: { is: "failure", type: verdict, text: lines.join("\n") },
  };
}

function layer(read: Layer): string {
  switch (read.is) {
    case "read":
    case "inferred":
      return `${read.value} (${read.source})`;
    case "absent":
      return `absent (${read.source})`;
    case "unreadable":
      return `unreadable (${read.source}): ${read.because}`;
    case "inapplicable":
      return "–";
  }
}

function suite({ host }: HostOutcome, cases: readonly Case[]): string {
  const count = (is: "failure" | "error") => cases.filter(({ problem }) => problem?.is === is).length;
  const totals = { tests: cases.length, failures: count("failure"), errors: count("error") };
  const lines = cases.map(({ group, name, problem, warning }) => {
    const head = `    <testcase${attributes({ classname: `${host}.${group}`, name })}`;
    const inside = [
      ...(problem === undefined ? [] : [problemElement(problem)]),
      // JUnit has no case between passed and failed.
      ...(warning === undefined ? [] : [`<system-out>warning: ${escaped(oneLine(warning))}</system-out>`]),
    ];
    if (inside.length === 0) return `${head}/>\n`;
    return `${head}>\n${inside.map((element) => `      ${element}\n`).join("")}    </testcase>\n`;
  });
  return `  <testsuite${attributes({ name: host, ...totals })}>\n${lines.join("")}  </testsuite>\n`;
}

function problemElement({ is, type, text }: NonNullable<Case["problem"]>): string {
  const message = text.split("\n", 1)[0]!;
  return `<${is}${attributes({ type, message })}>${escaped(text)}</${is}>`;
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(
      ([name, value]) =>
        ` ${name}="${escaped(String(value)).replace(/[\n\t]/g, (c) => `&#${c.charCodeAt(0)};`)}"`,
    )
    .join("");
}

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Text that XML 1.0 allows; secrets are masked before anything is escaped. */
function escaped(text: string): string {
  return maskSecrets(text)
    .replace(/[^\t\n\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd")
    .replace(/[&<>"]/g, (character) => ENTITIES[character]!);
}
