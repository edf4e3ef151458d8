import type { ChalkInstance } from "chalk";
import { shownData } from "../shown.ts";

/** What one host keeps of one run. */
export interface KeptFiles {
  readonly host: string;
  readonly of: string;
  /** `adopted` is the copy of a file that the run only took over: it does not go back by itself. */
  readonly files: readonly { readonly step: string; readonly path: string; readonly adopted?: string }[];
}

/** Runs that can be restored, the newest last: when, and which files on which hosts. `unread`: hosts that do not tell. */
export function keptView(
  told: readonly KeptFiles[],
  unread: readonly string[],
  paint: ChalkInstance,
): string {
  const kept = shownData(told);
  const note = unread.length === 0 ? "" : `\nNot read, and may keep more: ${unread.join(", ")}`;
  if (kept.length === 0)
    return `${note === "" ? "No host keeps" : "No host that was read keeps"} anything that a run replaced.${note}`;
  const runs = [...new Set(kept.map(({ of }) => of))].sort();
  const blocks = runs.map((run) => {
    const hostsByFile = new Map<string, string[]>();
    for (const { host, files } of kept.filter(({ of }) => of === run)) {
      for (const { step, path, adopted } of files) {
        const copy = adopted === undefined ? "" : ` (adopted; what it was is in ${adopted})`;
        const file = `${step} · ${path}${copy}`;
        hostsByFile.set(file, [...(hostsByFile.get(file) ?? []), host]);
      }
    }
    const lines = [...hostsByFile].map(([file, hosts]) => `    ${file}  ${paint.dim(hosts.join(", "))}`);
    return [`${paint.bold(run)}  ${timeOf(run)}`, ...lines].join("\n");
  });
  return `${blocks.join("\n")}\n\nmeshctl restore RUN puts back what was there before it; it shows the diffs and asks.${note}`;
}

/** A run is named by the time it began: "20261122-190312-4f2a9c0d71e3". */
function timeOf(run: string): string {
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)/.exec(run) ?? [];
  return parts.length === 0 ? "" : `${parts.slice(0, 3).join("-")} ${parts.slice(3).join(":")} UTC`;
}
