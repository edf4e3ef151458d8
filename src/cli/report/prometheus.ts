import type { HostName } from "../../contract/inventory-view.ts";
import type { StepName } from "../../contract/names.ts";
import type { Verdict } from "../../contract/reading.ts";
import type { HostOutcome, RunEvent } from "../../engine/events.ts";
import { maskSecrets } from "../../secret.ts";
import { type MeshStatus, STATES } from "../../status/mesh-status.ts";
import { ReportFile } from "./report-file.ts";

type EventOf<E extends RunEvent["event"]> = Extract<RunEvent, { event: E }>;

const VERDICTS: readonly Verdict[] = [
  "proven",
  "missing",
  "different",
  "shadowed",
  "not-in-force",
  "clamped",
  "blocked",
  "unknown",
  "pending",
];
const OUTCOMES: readonly HostOutcome["is"][] = ["as wanted", "drift", "failed", "unreachable", "interrupted"];

/** What the metrics are made of. Times are seconds since 1970 by this machine's clock. */
export interface Measured {
  readonly summary: EventOf<"summary">;
  readonly rows: readonly EventOf<"evidence">[];
  /** Undefined where only a part of the mesh was looked at. */
  readonly mesh: MeshStatus | undefined;
  /** When the hosts were looked at. */
  readonly lookedAt: number;
}

/** Writes a run's verdicts in the format of node_exporter's textfile collector, in place of the file of the run before. */
export class PrometheusReport {
  readonly #file: ReportFile;
  readonly #lookedAt: number;
  readonly #rows: EventOf<"evidence">[] = [];
  /** What the run saw of the mesh; set before its summary. */
  mesh: MeshStatus | undefined;

  /** `lookedAt`: when hosts answered that are not asked now. Throws ConfigurationError when nothing can be written there. */
  constructor(file: string, lookedAt: Date) {
    this.#file = new ReportFile("--prometheus", file);
    this.#lookedAt = lookedAt.getTime() / 1000;
  }

  readonly see = (event: RunEvent): void => {
    if (event.event === "evidence") this.#rows.push(event);
    if (event.event !== "summary") return;
    const measured = { summary: event, rows: this.#rows, mesh: this.mesh, lookedAt: this.#lookedAt };
    this.#file.write(prometheusText(measured));
  };

  /** Removes what a run that broke off has left. */
  end(): void {
    this.#file.end();
  }
}

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number];

/** The file's text. A host that was not read has no verdicts: its outcome says so, and no number stands for what nobody knows. */
export function prometheusText({ summary, rows, mesh, lookedAt }: Measured): string {
  const metrics: [name: string, help: string, samples: readonly Sample[]][] = [
    [
      "meshctl_verify_timestamp_seconds",
      "When the hosts were looked at, in seconds since 1970.",
      [[{}, lookedAt]],
    ],
    ["meshctl_verify_duration_seconds", "How long the run took.", [[{}, summary.durationMs / 1000]]],
    [
      "meshctl_verify_exit_code",
      "Exit code of the run: 0 when every host is as wanted.",
      [[{}, summary.exitCode]],
    ],
    [
      "meshctl_host_outcome",
      "1 for how the run ended for a host, 0 for every other way.",
      summary.hosts.flatMap(({ host, is }) =>
        OUTCOMES.map((outcome): Sample => [{ host, outcome }, outcome === is ? 1 : 0]),
      ),
    ],
    ["meshctl_settings", "Settings of a step on a host by their verdict.", verdictSamples(rows)],
    [
      "meshctl_setting_warnings",
      "Settings of a step on a host that tell a warning, whatever their verdict.",
      countBySteps(rows).map(([labels, own]) => [
        labels,
        own.filter(({ evidence }) => evidence.warning !== undefined).length,
      ]),
    ],
    ...(mesh === undefined ? [] : meshMetrics(mesh)),
  ];
  return metrics
    .filter(([, , samples]) => samples.length > 0)
    .map(([name, help, samples]) => {
      const lines = samples.map(([labels, value]) => `${name}${labelsText(labels)} ${value}`);
      return [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, ...lines].map((line) => `${line}\n`).join("");
    })
    .join("");
}

function verdictSamples(rows: readonly EventOf<"evidence">[]): readonly Sample[] {
  return countBySteps(rows).flatMap(([labels, own]) =>
    VERDICTS.map(
      (verdict): Sample => [
        { ...labels, verdict },
        own.filter(({ evidence }) => evidence.verdict === verdict).length,
      ],
    ),
  );
}

function countBySteps(rows: readonly EventOf<"evidence">[]) {
  const steps = new Map<string, [{ host: HostName; step: StepName }, EventOf<"evidence">[]]>();
  for (const row of rows) {
    const { host, step } = row;
    const key = JSON.stringify([host, step]);
    const known = steps.get(key);
    if (known === undefined) steps.set(key, [{ host, step }, [row]]);
    else known[1].push(row);
  }
  return [...steps.values()];
}

/** Of what nobody could read there is no sample. */
function meshMetrics({ services, proxies, ensemble, problems }: MeshStatus) {
  // One that gives no answer has servers that nobody counted; one that is stopped has none.
  const read = proxies
    .filter(({ haproxy }) => haproxy !== undefined && haproxy.is !== "no answer")
    .map(({ host }) => host);
  const metrics: [name: string, help: string, samples: readonly Sample[]][] = [
    [
      "meshctl_servers",
      "Servers of a service on a proxy by their state.",
      services.flatMap(({ name, backends }) =>
        read.flatMap((host) =>
          STATES.map(
            (state): Sample => [
              { host, service: name, state },
              backends.filter(({ on }) => on.get(host) === state).length,
            ],
          ),
        ),
      ),
    ],
    [
      "meshctl_registered_backends",
      "Backends of a service that are registered in ZooKeeper.",
      services.flatMap(({ name, registered }): Sample[] =>
        registered === undefined ? [] : [[{ service: name }, registered]],
      ),
    ],
    [
      "meshctl_zookeeper_member_serves",
      "Whether a member of the ensemble serves.",
      (ensemble?.members ?? [])
        .filter(({ role }) => role !== "unreachable" && role !== "unread")
        .map(({ host, serves }): Sample => [{ host }, serves ? 1 : 0]),
    ],
    ["meshctl_mesh_problems", "Problems of the mesh, as meshctl status tells them.", [[{}, problems.length]]],
  ];
  return metrics;
}

function labelsText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

/** As the exposition format wants it; what is no text of Unicode becomes "\ufffd". */
function escaped(text: string): string {
  return maskSecrets(text)
    .replace(/\p{Surrogate}/gu, "\ufffd")
    .replace(/[\\"\n]/g, (character) => (character === "\n" ? "\\n" : `\\${character}`));
}
