import type { HostName } from "../../contract/inventory-view.ts";
import type { RunEvent } from "../../engine/events.ts";
import type { MeshStatus } from "../../status/mesh-status.ts";
import { ReportFile } from "../report/report-file.ts";
import { type Drift, driftSince, type EvidenceEvent } from "./drift.ts";
import { hostsSection, openItems } from "./evidence-sections.ts";
import { html } from "./html.ts";
import { mark, meshSection, problemItems } from "./mesh-sections.ts";
import { pageText, type Section, table } from "./page.ts";
import { type Moment, momentOf, timelineSection } from "./timeline.ts";

type Summary = Extract<RunEvent, { event: "summary" }>;

/** What a page of a run is made of. */
export interface Seen {
  readonly run: string;
  /** Of inventories and playbook, as they were named. */
  readonly files: readonly string[];
  readonly version: string;
  readonly madeAt: Date;
  readonly summary: Summary;
  readonly rows: readonly EvidenceEvent[];
  readonly moments: readonly Moment[];
  /** Undefined where only a part of the mesh was looked at. */
  readonly mesh: MeshStatus | undefined;
  /** Undefined where no earlier run is written down. */
  readonly drift: Drift | undefined;
  readonly noDiff: boolean;
  /** That hosts were not asked now, and when they were. */
  readonly recorded: string | undefined;
}

type About = Pick<Seen, "run" | "files" | "version" | "noDiff" | "recorded">;

/** Gathers a run's events and writes them as a page once it has ended. */
export class VerifyPage {
  readonly #file: ReportFile;
  readonly #about: About;
  readonly #startedAtMs = performance.now();
  readonly #rows: EvidenceEvent[] = [];
  readonly #moments: Moment[] = [];
  /** What the run saw of the mesh; set before its summary. */
  mesh: MeshStatus | undefined;

  /** Throws ConfigurationError when nothing can be written there. */
  constructor(file: string, about: About) {
    this.#file = new ReportFile("--html", file);
    this.#about = about;
  }

  readonly see = (event: RunEvent): void => {
    const moment = momentOf(event, performance.now() - this.#startedAtMs);
    if (moment !== undefined) this.#moments.push(moment);
    if (event.event === "evidence") this.#rows.push(event);
    if (event.event !== "summary") return;
    const { run, files } = this.#about;
    this.#file.write(
      verifyPage({
        ...this.#about,
        madeAt: new Date(),
        summary: event,
        rows: this.#rows,
        moments: this.#moments,
        mesh: this.mesh,
        drift: driftSince(run, files, this.#rows),
      }),
    );
  };

  /** Removes what a run that broke off has left. */
  end(): void {
    this.#file.end();
  }
}

/** The page's text. */
export function verifyPage(seen: Seen): string {
  const { summary, rows, mesh, run, files, version, madeAt } = seen;
  const open = summary.hosts.filter(({ is }) => is !== "as wanted");
  const problems = (mesh?.problems ?? []).filter(({ kind }) => kind !== "settings" && kind !== "unreachable");
  const told = new Set(rows.filter(isOpen).map(({ host }) => host));
  const unread = open.filter(({ host }) => !told.has(host));
  const wrong = [
    ...unread.map(
      ({ host, is, because }) =>
        html`<li><span class="wrong">✗</span> <strong>${host}</strong> · ${is}${because === undefined ? undefined : `: ${because}`}</li>
`,
    ),
    ...problemItems(problems),
    ...openItems(rows),
  ];
  const isWell = wrong.length === 0;
  return pageText({
    title: "meshctl verify",
    standing: {
      is: isWell ? "well" : "wrong",
      words: standingWords(summary.hosts, problems.length),
    },
    facts: [
      ["made", `${madeAt.toISOString().slice(0, 19).replace("T", " ")} UTC`],
      ["files", files.join(", ")],
      ["of", seen.recorded],
      ["run", run],
      ["exit code", `${summary.exitCode}, after ${(summary.durationMs / 1000).toFixed(1)} s`],
      ["meshctl", version],
    ],
    sections: [
      isWell ? undefined : { id: "wrong", title: "What is wrong", body: html`<ul>${wrong}</ul>` },
      warnings(rows),
      mesh === undefined ? partly() : meshSection(mesh),
      driftSection(seen.drift),
      hostsSection(summary.hosts, rows, seen),
      timelineSection(seen.moments),
    ],
  });
}

function isOpen({ evidence }: EvidenceEvent): boolean {
  return evidence.verdict !== "proven";
}

function standingWords(hosts: Summary["hosts"], problems: number): string {
  const open = hosts.filter(({ is }) => is !== "as wanted").length;
  const words =
    open === 0
      ? `all ${hosts.length} hosts are as wanted`
      : `${open} of ${hosts.length} hosts ${open === 1 ? "is" : "are"} not as wanted`;
  const mesh = problems === 0 ? "" : `, ${problems} ${problems === 1 ? "problem" : "problems"} of the mesh`;
  return words + mesh;
}

function warnings(rows: readonly EvidenceEvent[]): Section | undefined {
  const alike = new Map<string, HostName[]>();
  for (const { host, step, evidence } of rows) {
    if (evidence.warning === undefined) continue;
    const words = `${step} · ${evidence.setting}: ${evidence.warning}`;
    alike.set(words, [...(alike.get(words) ?? []), host]);
  }
  if (alike.size === 0) return undefined;
  const items = [...alike].map(
    ([words, hosts]) => html`<li class="note">! <strong>${hosts.join(", ")}</strong> · ${words}</li>
`,
  );
  return { id: "warnings", title: "Warnings", body: html`<ul>${items}</ul>` };
}

function partly(): Section {
  const why =
    "It is not drawn: the run looked at a part of it only, as --limit, --shard, --steps or the playbook say.";
  return { id: "mesh", title: "The mesh", body: html`<p class="dim">${why}</p>` };
}

function driftSection(drift: Drift | undefined): Section {
  const section = { id: "drift", title: "Since the last run" };
  if (drift === undefined) {
    const words = "No earlier run with these files is written down on this machine.";
    return { ...section, body: html`<p class="dim">${words}</p>` };
  }
  const { since, drifted, onlyNow, onlyThen } = drift;
  const rows = [...drifted]
    .sort((one, other) => Number(one.isWell) - Number(other.isWell))
    .map(({ host, step, setting, was, is, isWell }) => [
      html`${mark(isWell)} ${host}`,
      `${step} · ${setting}`,
      was,
      is,
    ]);
  const others = [
    onlyNow === 0 ? undefined : `${onlyNow} settings were not looked at then`,
    onlyThen === 0 ? undefined : `${onlyThen} of then were not looked at now`,
  ].filter((words) => words !== undefined);
  const compared = `Compared with run ${since.run} of ${since.at.slice(0, 19).replace("T", " ")} UTC${others.length === 0 ? "" : `; ${others.join(", ")}`}.`;
  const body =
    rows.length === 0
      ? html`<p>No verdict is another one than it was.</p>`
      : table(["host", "setting", "was", "is"], rows);
  return { ...section, body: html`${body}<p class="dim">${compared}</p>` };
}
