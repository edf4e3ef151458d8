import type { RunEvent } from "../engine/events.ts";
import { run, runName } from "../engine/run.ts";
import { ConfigurationError } from "../errors.ts";
import type { HostName } from "../inventory/view.ts";
import { remoteOpener } from "../remote/open.ts";
import type { Remote } from "../remote/remote.ts";
import type { Evidence } from "../step.ts";
import { Interruption } from "./interruption.ts";
import { limitOf, load, stepsOf } from "./load.ts";
import { type RunFlags, storeDirectory } from "./options.ts";
import { ndjsonReporter } from "./report/ndjson.ts";
import { askHostKey, askPassphrase, confirmChanges } from "./ui/ask.ts";
import { type EvidenceRow, evidenceTable } from "./ui/evidence-table.ts";
import { paintFor } from "./ui/paint.ts";
import { type PlannedChange, planView } from "./ui/plan-view.ts";
import { Progress } from "./ui/progress.ts";
import { summaryView } from "./ui/summary.ts";

export interface RunCommand {
  readonly command: "plan" | "verify" | "provision";
  /** Go ahead without asking. */
  readonly yes?: boolean;
}

/** Runs plan, verify or provision and shows it. Returns the exit code. Throws ConfigurationError before any host is touched. */
export async function runCommand({ command, yes = false }: RunCommand, flags: RunFlags): Promise<number> {
  const { inventory, job } = await load(flags);
  const limit = limitOf(flags.limit, inventory);
  const steps = stepsOf(flags.steps, job);
  const interactive =
    process.stdin.isTTY === true && process.stderr.isTTY === true && !process.env.CI && !flags.json;
  if (command === "provision" && !yes && !interactive) {
    throw new ConfigurationError(
      "provision asks before it changes anything, and nobody can answer here: say --yes",
    );
  }

  const verbose = flags.verbose === true;
  const wordsPaint = paintFor(process.stderr, flags.color);
  const progress = new Progress(process.stderr, { paint: wordsPaint, verbose });
  const remotes = new Map<HostName, Remote>();
  const open = remoteOpener({
    ...(interactive
      ? {
          askHostKey: (question) => progress.pause(() => askHostKey(question)),
          askPassphrase: (file) => progress.pause(() => askPassphrase(file)),
        }
      : {}),
    warn: (message) => progress.see({ event: "note", text: message }),
  });
  const remoteOf = (host: HostName): Remote => {
    const known = remotes.get(host) ?? open(host, inventory.hosts.get(host)!.ssh);
    remotes.set(host, known);
    return known;
  };

  const screen = new Screen(command, { color: flags.color, verbose });
  const name = runName();
  const report = flags.json ? ndjsonReporter(name, (line) => process.stdout.write(line)) : screen.see;
  const interruption = new Interruption({
    command,
    report: (event) => {
      progress.see(event);
      report(event);
    },
    execsOf: (host) => remoteOf(host).execs,
  });
  const emit = (event: RunEvent) => {
    interruption.see(event);
    progress.see(event);
    report(event);
  };
  interruption.watch();
  try {
    const exitCode = await run({
      run: name,
      command,
      inventory,
      job,
      limit,
      steps,
      parallel: flags.parallel,
      remoteOf,
      storeDirectory: storeDirectory(),
      emit,
      stop: interruption.signal,
      confirm: async () => {
        progress.end();
        if (yes) return true;
        process.stderr.write(`${screen.plan(process.stderr)}\n`);
        const answer = await confirmChanges();
        if (answer !== "yes") screen.isPlanAll = true;
        if (answer === "interrupted") interruption.stop();
        return answer === "yes";
      },
    });
    return exitCode;
  } finally {
    interruption.unwatch();
    await Promise.all([...remotes.values()].map((remote) => remote.end()));
  }
}

/** Collects a run's events and prints them for a person: data to standard output, once, at the end. */
class Screen {
  /** Whether the plan is shown and nothing comes of it, so that the table needs not repeat it. */
  isPlanAll: boolean;
  readonly #command: RunCommand["command"];
  readonly #options: { color: boolean; verbose: boolean };
  readonly #rows: EvidenceRow[] = [];
  readonly #planned = new Map<HostName, PlannedChange[]>();
  /** "HOST PATH" of the files whose diffs the plan shows. */
  readonly #written = new Set<string>();

  constructor(command: RunCommand["command"], options: { color: boolean; verbose: boolean }) {
    this.#command = command;
    this.isPlanAll = command === "plan";
    this.#options = options;
  }

  readonly see = (event: RunEvent): void => {
    const { verbose } = this.#options;
    const paint = paintFor(process.stdout, this.#options.color);
    if (event.event === "evidence") {
      this.#rows.push(event);
    } else if (event.event === "planned") {
      for (const command of event.change.commands)
        if (command.kind === "write") this.#written.add(`${event.host} ${command.path}`);
      const changes = this.#planned.get(event.host) ?? [];
      this.#planned.set(event.host, [...changes, event]);
    } else if (event.event === "summary") {
      // What a planned change closes is told by the plan, but for the diff of a file that is written by others.
      const told = (host: HostName, { closedBy, verdict, diff }: Evidence) =>
        this.isPlanAll &&
        (verdict === "pending" || (closedBy !== undefined && "change" in closedBy)) &&
        (diff?.was === undefined || this.#written.has(`${host} ${diff.path}`));
      const open = this.#rows.filter(
        ({ host, evidence }) =>
          (evidence.verdict !== "proven" && !told(host, evidence)) || evidence.warning !== undefined,
      );
      const rows = this.#command === "verify" || verbose ? this.#rows : open;
      const table = evidenceTable(rows, { paint, columns: process.stdout.columns ?? 140, verbose });
      const parts = [
        table,
        this.#command === "plan" ? this.plan(process.stdout) : "",
        summaryView(event, paint),
      ];
      process.stdout.write(`${parts.filter((part) => part !== "").join("\n\n")}\n`);
    }
  };

  /** Everything that would be changed, painted for the stream that shows it. */
  plan(stream: NodeJS.WriteStream): string {
    const { color, verbose } = this.#options;
    return planView(this.#planned, { paint: paintFor(stream, color), verbose });
  }
}
