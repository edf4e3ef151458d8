import type { ChalkInstance } from "chalk";
import type { Layer } from "../../contract/reading.ts";
import { derivationOf } from "../../evidence/verdict.ts";
import { shownData } from "../shown.ts";
import { type EvidenceRow, MARKS, paintOf } from "./evidence-table.ts";

/** One setting on every host: what each layer holds, how that can be read again by hand, and how the verdict came about. */
export function explanation(found: readonly EvidenceRow[], paint: ChalkInstance): string {
  const rows = shownData(found);
  const names = [...new Set(rows.map(titleOf))];
  return names
    .map((name) => {
      const hosts = rows.filter((row) => titleOf(row) === name).map((row) => onHost(row, paint));
      return `${paint.bold(name)}\n${hosts.join("\n")}`;
    })
    .join("\n\n");
}

function titleOf({ step, evidence }: EvidenceRow): string {
  return `${step} · ${evidence.setting}`;
}

function onHost({ host, evidence }: EvidenceRow, paint: ChalkInstance): string {
  const { verdict, want, onDisk, inForce, because, warning, boot } = evidence;
  const colour = paintOf(verdict, paint);
  const line = (title: string, text: string) => `    ${paint.dim(title.padEnd(9))} ${text}`;
  return [
    `  ${colour(MARKS[verdict])} ${host}`,
    line("want", want),
    ...layerLines("on disk", onDisk).map(([title, text]) => line(title, text)),
    ...(boot === undefined ? [] : [line("at boot", `${boot.is}: ${boot.words}`)]),
    ...layerLines("in force", inForce).map(([title, text]) => line(title, text)),
    line("verdict", `${colour(verdict)}: ${derivationOf(evidence)}`),
    ...(because === undefined ? [] : [line("because", because)]),
    ...(warning === undefined ? [] : [line("warning", paint.yellow(warning))]),
  ].join("\n");
}

function layerLines(title: string, layer: Layer): [string, string][] {
  if (layer.is === "inapplicable") return [[title, "– (there is none for this setting)"]];
  const values = {
    read: () => (layer.is === "read" ? layer.value : ""),
    inferred: () => (layer.is === "inferred" ? `${layer.value} (inferred)` : ""),
    absent: () => "absent",
    unreadable: () => `unreadable: ${layer.is === "unreadable" ? layer.because : ""}`,
  };
  return [
    [title, values[layer.is]()],
    ["", `from ${layer.source}`],
  ];
}
