import { inspect } from "node:util";
import type { ChalkInstance } from "chalk";
import type { HostName } from "../contract/inventory-view.ts";
import type { StepName } from "../contract/names.ts";
import type { Evidence } from "../contract/reading.ts";
import { bootWords } from "../engine/boot.ts";
import type { RunEvent } from "../engine/events.ts";
import { EXIT } from "../engine/exit-code.ts";
import type { FleetView } from "../engine/fleet.ts";
import { Ledger } from "../engine/ledger.ts";
import { restore } from "../engine/restore.ts";
import { run } from "../engine/run.ts";
import { runName } from "../engine/run-name.ts";
import { ConfigurationError } from "../errors.ts";
import { meshNotes } from "../inventory/mesh-notes.ts";
import { didYouMean } from "../inventory/nearest-name.ts";
import { openPortsWords } from "../inventory/open-ports.ts";
import { globMatcher } from "../inventory/pattern.ts";
import type { Job } from "../playbook/job.ts";
import { isOfMesh, meshView } from "../status/mesh-view.ts";
import { statusOf } from "../status/status-of.ts";
import { Interruption } from "./interruption.ts";
import { Journal } from "./journal.ts";
import { limitOf, load, stepsOf } from "./load.ts";
import { withFiles } from "./lookout.ts";
import { type RunFlags, storeDirectory, tells } from "./options.ts";
import { VerifyPage } from "./page/verify-page.ts";
import { HostRecorder, RecordedHosts } from "./recorded-hosts.ts";
import { isInteractive, remotesOf } from "./remotes.ts";
import { HeldLines } from "./report/held-lines.ts";
import { JunitReport } from "./report/junit.ts";
import { LogFile } from "./report/log-file.ts";
import { ndjsonReporter } from "./report/ndjson.ts";
import { PrometheusReport } from "./report/prometheus.ts";
import type { Shard } from "./shard.ts";
import { shownData, shownText } from "./shown.ts";
import { confirmChanges } from "./ui/ask.ts";
import { evidenceTable, type KeyedRow, keyedRow } from "./ui/evidence-table.ts";
import { explanation } from "./ui/explanation.ts";
import { folded, someNames, withoutOwn } from "./ui/fold.ts";
import { type KeptFiles, keptView } from "./ui/kept-view.ts";
import { paintFor } from "./ui/paint.ts";
import {
  hooksView,
  type PlannedChange,
  type PlannedHooks,
  type PlannedWaves,
  planView,
  wavesView,
} from "./ui/plan-view.ts";
import { Progress } from "./ui/progress.ts";
import { summaryView } from "./ui/summary.ts";
import { brokenFor, widthOf } from "./ui/wrapped.ts";
import { version } from "./version.ts";

export interface RunCommand {
  readonly command: "plan" | "verify" | "provision" | "restore" | "reboot";
  /** Whether a host is as wanted only when it has booted since the last change. */
  readonly demandsBoot?: boolean;
  /** Whether a provision reboots the hosts of which that is not so. */
  readonly provesBoot?: boolean;
  /** The run that is to be restored; undefined lists the runs. */
  readonly of?: string | undefined;
  /** Go ahead without asking. */
  readonly yes?: boolean;
  /** A setting or a glob: only these are shown, with how they came about. */
  readonly explain?: string | undefined;
  /** File that keeps what hosts answer. */
  readonly record?: string | undefined;
  /** File with what hosts answered before: none is asked. */
  readonly from?: string | undefined;
  /** File for a page of what was found. */
  readonly htmlFile?: string | undefined;
  /** File for metrics of what was found. */
  readonly prometheusFile?: string | undefined;
}

/** Runs plan, verify, provision, restore or reboot and shows it. Returns the exit code. Throws ConfigurationError before any host is touched. */
export async function runCommand(
  {
    command,
    of,
    yes = false,
    explain,
    record,
    from,
    htmlFile,
    prometheusFile,
    demandsBoot = false,
    provesBoot = false,
  }: RunCommand,
  flags: RunFlags,
): Promise<number> {
  const { inventory, job, ...files } = await load(flags);
  const limit = limitOf(flags.limit, inventory, flags.shard);
  const steps = stepsOf(flags.steps, job);
  const interactive = isInteractive(flags);
  const changes = ["provision", "reboot"].includes(command) || (command === "restore" && of !== undefined);
  if (changes && !yes && !interactive) {
    throw new ConfigurationError(
      `${command} asks before it changes anything, and there is no terminal for the answer: say --yes`,
    );
  }

  if (provesBoot && flags.steps !== undefined) {
    throw new ConfigurationError("--prove-boot reboots hosts with all that they do: leave --steps out");
  }
  if (explain !== undefined && flags.json) {
    throw new ConfigurationError("--explain is for people: --json tells of every setting where it was read");
  }

  const name = runName();
  const askedFiles = [...files.inventoryFiles, files.playbookFile];
  const verbose = tells(flags, 1);
  const wordsPaint = paintFor(process.stderr, flags.color);
  const progress = new Progress(process.stderr, { paint: wordsPaint, verbose });
  const recorded = from === undefined ? undefined : new RecordedHosts(from);
  const { junit, page, prometheus, recorder, log } = reportsOf(
    { junit: flags.junit, html: htmlFile, prometheus: prometheusFile, record, log: flags.logFile },
    { run: name, files: askedFiles, version, noDiff: !flags.diff, recorded: recorded?.notes.join(" ") },
    recorded?.recordedAt ?? new Date(),
    flags.shard,
  );
  const reached = recorded ?? remotesOf(inventory, progress, interactive, tells(flags, 2));
  const remotes = recorder?.through(reached) ?? reached;

  const screen = new Screen(command === "restore" && of === undefined ? "list" : command, {
    color: flags.color,
    verbose,
    explain,
    noDiff: !flags.diff,
    addressesOf: (host) => {
      const { address, ssh } = inventory.hosts.get(host)!;
      return [address, ssh.host];
    },
  });
  const lines = new HeldLines((text) => progress.above(() => process.stdout.write(text)));
  const toJson = flags.json
    ? ndjsonReporter(name, lines.add, { noDiff: !flags.diff, shard: flags.shard })
    : undefined;
  const journal = new Journal(
    name,
    // Flags name files and hosts; what is secret is in none of them.
    { command, arguments: process.argv.slice(3), files: askedFiles },
    (message) => progress.see({ event: "note", text: message }),
    log && ((lines) => log.write(lines)),
  );
  const report = (event: RunEvent) => {
    progress.see(event);
    journal.see(event);
    junit?.see(event);
    page?.see(event);
    prometheus?.see(event);
    recorder?.see(event);
    if (toJson === undefined) screen.see(event);
    else toJson(event);
    if (event.event !== "evidence") lines.flush();
  };
  const ledger = new Ledger();
  const interruption = new Interruption({
    ledger,
    report,
    execsOf: (host) => remotes.of(host).execs,
    say: (text) => progress.above(() => process.stderr.write(text)),
  });
  let isTold = true;
  const emit = (event: RunEvent) => {
    interruption.see(event);
    try {
      report(event);
      if (event.event === "run") for (const text of notes(event.hosts)) report({ event: "note", text });
    } catch (error) {
      // What cannot be shown must not end the work on the hosts.
      isTold = false;
      progress.above(() =>
        process.stderr.write(
          `${shownText(`A fault of meshctl, in showing what happens: ${inspect(error)}`)}\n`,
        ),
      );
    }
  };
  /** A plan tells what the network must keep out; every run tells where the firewall that is asked for is nobody's to make. */
  const notes = (hosts: readonly HostName[]): readonly string[] => {
    const isPlan = command === "plan";
    const openPorts =
      steps("zookeeper") && (isPlan || inventory.mesh.firewall !== undefined)
        ? openPortsWords(inventory.mesh, hosts, hostsWith(job, "firewall"))
        : undefined;
    return [recorded?.notes ?? [], isPlan ? meshNotes(inventory.mesh) : [], openPorts ?? []].flat();
  };
  interruption.watch();
  try {
    const options = {
      run: name,
      inventory,
      job,
      limit,
      steps,
      parallel: flags.parallel,
      lockWaitMs: flags.lockWait,
      rules: { serial: flags.serial, maxFail: flags.maxFail, holdMs: flags.hold },
      waitMs: flags.waitForSsh,
      remoteOf: remotes.of,
      storeDirectory: storeDirectory(),
      ledger,
      emit,
      hear: progress.hear,
      lookedAt: (fleet: FleetView) => {
        // Of a part of the mesh nobody can say that the rest is well.
        const isWhole =
          flags.limit === undefined &&
          flags.shard === undefined &&
          fleet.order.every(({ step }) => !isOfMesh(step.name) || steps(step.name));
        if (!isWhole || (page === undefined && prometheus === undefined)) return;
        const mesh = withFiles(statusOf(meshView(fleet, inventory, limit)), flags);
        if (page !== undefined) page.mesh = mesh;
        if (prometheus !== undefined) prometheus.mesh = mesh;
      },
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
    };
    const exitCode = await (command === "restore"
      ? restore({ ...options, of })
      : run({ ...options, command, demandsBoot, provesBoot, bootWaitMs: flags.bootWait }));
    screen.requireExplained();
    if (exitCode === EXIT.interrupted) interruption.tellHowToGoOn();
    return exitCode === EXIT.asWanted && !isTold ? EXIT.failed : exitCode;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) interruption.summarise(EXIT.failed);
    throw error;
  } finally {
    lines.flush();
    junit?.end();
    page?.end();
    prometheus?.end();
    journal.end();
    log?.end();
    interruption.unwatch();
    await remotes.end();
    // It may throw, and then nothing else is left open.
    recorder?.end();
  }
}

/** Files that flags name. Throws ConfigurationError where one cannot be written; nothing is left of the others then. */
function reportsOf(
  files: Readonly<Record<"junit" | "html" | "prometheus" | "record" | "log", string | undefined>>,
  about: ConstructorParameters<typeof VerifyPage>[1],
  lookedAt: Date,
  shard: Shard | undefined,
) {
  const begun: { end(): void }[] = [];
  const begin = <T extends { end(): void }>(file: string | undefined, make: (file: string) => T) => {
    if (file === undefined) return undefined;
    const report = make(file);
    begun.push(report);
    return report;
  };
  try {
    return {
      junit: begin(files.junit, (file) => new JunitReport(file, shard)),
      page: begin(files.html, (file) => new VerifyPage(file, about)),
      prometheus: begin(files.prometheus, (file) => new PrometheusReport(file, lookedAt)),
      recorder: begin(files.record, (file) => new HostRecorder(file, shard)),
      log: begin(files.log, (file) => new LogFile(file)),
    };
  } catch (error) {
    for (const report of begun) report.end();
    throw error;
  }
}

interface ScreenOptions {
  readonly color: boolean;
  readonly verbose: boolean;
  readonly explain: string | undefined;
  readonly noDiff: boolean;
  readonly addressesOf: (host: HostName) => readonly string[];
}

/** Collects a run's events and prints them for a person: data to standard output, once, at the end. */
class Screen {
  /** Whether the plan is shown and nothing comes of it, so that the table needs not repeat it. */
  isPlanAll: boolean;
  readonly #command: RunCommand["command"] | "list";
  readonly #kept: KeptFiles[] = [];
  readonly #options: ScreenOptions;
  readonly #rows: KeyedRow[] = [];
  /** What hosts say once of their boot, where no boot has proved it. */
  readonly #boots = new Map<HostName, string>();
  readonly #waves: PlannedWaves[] = [];
  readonly #hooks: PlannedHooks[] = [];
  readonly #planned = new Map<HostName, PlannedChange[]>();
  /** "HOST PATH" of the files whose diffs the plan shows. */
  readonly #written = new Set<string>();

  constructor(command: RunCommand["command"] | "list", options: ScreenOptions) {
    this.#command = command;
    this.isPlanAll = command === "plan";
    this.#options = options;
  }

  readonly see = (event: RunEvent): void => {
    if (event.event === "evidence") {
      this.#rows.push(keyedRow(event, this.#options));
      return;
    }
    const { verbose, noDiff } = this.#options;
    const paint = paintFor(process.stdout, this.#options.color);
    if (event.event === "planned") {
      for (const command of event.change.commands)
        if (command.kind === "write") this.#written.add(`${event.host} ${command.path}`);
      const changes = this.#planned.get(event.host) ?? [];
      this.#planned.set(event.host, [...changes, event]);
    } else if (event.event === "boot") {
      if (event.boot.is !== "proved") this.#boots.set(event.host, bootWords(event.boot));
    } else if (event.event === "waves") {
      this.#waves.push(event);
    } else if (event.event === "hooks") {
      this.#hooks.push(event);
    } else if (event.event === "kept") {
      this.#kept.push(event);
    } else if (event.event === "summary" && this.#command === "list") {
      const unread = event.hosts.filter(({ is }) => is !== "listed").map(({ host }) => host);
      process.stdout.write(`${keptView(this.#kept, unread, paint)}\n`);
    } else if (event.event === "summary" && this.#options.explain !== undefined) {
      const text = explanation(this.#explained(), paint);
      const unread = event.hosts.filter(({ host }) => !this.#rows.some((row) => row.host === host));
      const notes = shownData(unread).map(
        ({ host, is, because }) => `${host}: ${is}${because === undefined ? "" : `: ${because}`}`,
      );
      const parts = [text, ...notes].filter((part) => part !== "");
      if (parts.length > 0) process.stdout.write(`${parts.join("\n")}\n`);
    } else if (event.event === "summary") {
      // What a planned change closes is told by the plan, but for the diff of a file that is written by others.
      const told = (host: HostName, { closedBy, verdict, diff }: Evidence) =>
        this.isPlanAll &&
        (verdict === "pending" || (closedBy !== undefined && "change" in closedBy)) &&
        (diff?.was === undefined || this.#written.has(`${host} ${diff.path}`));
      // What a stopped run has not come to is open, and no news.
      const stopped = event.hosts.flatMap(({ host, is }) => (is === "interrupted" ? [host] : []));
      const open = this.#rows.filter(
        ({ host, evidence }) =>
          !stopped.includes(host) &&
          ((evidence.verdict !== "proven" && !told(host, evidence)) || evidence.warning !== undefined),
      );
      const rows = this.#command === "verify" || verbose ? this.#rows : open;
      const table = evidenceTable(rows, {
        ...{ paint, verbose, noDiff },
        columns: widthOf(process.stdout, 140),
        broken: (text) => brokenFor(process.stdout, text),
      });
      const parts = [
        table,
        this.#command === "plan" ? this.plan(process.stdout) : "",
        brokenFor(
          process.stdout,
          [summaryView(event, paint, this.#options.addressesOf), this.#bootView(event, paint)]
            .filter((part) => part !== "")
            .join("\n"),
        ),
      ];
      process.stdout.write(`${parts.filter((part) => part !== "").join("\n\n")}\n`);
    }
  };

  /** Throws ConfigurationError when the setting to explain is none of those that were seen. */
  requireExplained(): void {
    const { explain } = this.#options;
    if (explain === undefined || this.#rows.length === 0 || this.#explained().length > 0) return;
    const known = [...new Set(this.#rows.map(({ evidence }) => evidence.setting))];
    throw new ConfigurationError(
      `--explain: no setting is named '${explain}'${didYouMean(explain, known)}\nThere are: ${shownData(known).join(", ")}`,
    );
  }

  #explained(): KeyedRow[] {
    const matches = globMatcher(this.#options.explain ?? "*");
    return this.#rows.filter(({ evidence }) => matches(evidence.setting));
  }

  /** Of hosts that are as wanted otherwise: what no boot has proved, said once. */
  #bootView({ hosts }: RunEvent & { event: "summary" }, paint: ChalkInstance): string {
    const told = hosts.flatMap(({ host, is }) => {
      const words = this.#boots.get(host);
      return is !== "as wanted" || words === undefined ? [] : [{ host, words }];
    });
    return folded(
      shownData(told),
      ({ words }) => words,
      // What else was changed since then is told of the first.
      ({ host, words }) => withoutOwn(words, host).replace(/\(.*\)$/, ""),
    )
      .map(({ first, all }) => {
        const isEachOwn = all.some(({ words }) => words !== first.words);
        const names = someNames(all.map(({ host }) => host));
        return paint.dim(`${names}: ${first.words}${isEachOwn ? " (and so the others)" : ""}`);
      })
      .join("\n");
  }

  /** Everything that would be changed, painted for the stream that shows it. */
  plan(stream: NodeJS.WriteStream): string {
    const { color, verbose, noDiff } = this.#options;
    const paint = paintFor(stream, color);
    const plan = planView(this.#planned, { paint, verbose, noDiff });
    return [plan, hooksView(this.#hooks, paint), wavesView(this.#waves, paint)]
      .filter((part) => part !== "")
      .join("\n\n");
  }
}

function hostsWith(job: Job, step: StepName): ReadonlySet<HostName> {
  const steps = job.plays.flatMap((play) => play.steps.filter((each) => each.step.name === step));
  return new Set(steps.flatMap(({ parameters }) => [...parameters.keys()]));
}
