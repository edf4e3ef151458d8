import { type FileFact, fileFacts } from "../../evidence/file.ts";
import { fieldOf, requiredFieldOf, rowsOf } from "../../evidence/probe-output.ts";
import { ProbeNotUnderstood, type ProbeOutput } from "../../step.ts";
import type { ConfFile } from "./boot.ts";
import { DROP_IN } from "./drop-in.ts";
import { normaliseValue } from "./key.ts";

export interface SysctlFacts {
  readonly dropIn: FileFact;
  /** Path below /proc/sys → value. A path that is there but cannot be read is in neither this nor `missing`. */
  readonly values: ReadonlyMap<string, string>;
  /** Paths that this kernel does not have. */
  readonly missing: ReadonlySet<string>;
  /** Every file that a loader may read. */
  readonly files: readonly ConfFile[];
  /** LoadState of systemd-sysctl.service, which reads them at boot. */
  readonly loader: string;
  /** Text of the record of what the kernel had before the last change; undefined when there is none. */
  readonly before: string | undefined;
}

export function sysctlFacts(output: ProbeOutput): SysctlFacts {
  const dropIn = fileFacts(output).get(DROP_IN);
  if (dropIn === undefined) throw new ProbeNotUnderstood(`nothing was printed of ${DROP_IN}`);
  const lines = new Map<string, { number: number; text: string }[]>();
  for (const [path, number, text] of rowsOf(output, "line")) {
    const known = lines.get(path!) ?? [];
    known.push({ number: Number(number), text: text ?? "" });
    lines.set(path!, known);
  }
  return {
    dropIn,
    loader: requiredFieldOf(output, "loader"),
    // The shell takes the last line's end away.
    before: fieldOf(output, "before")?.concat("\n"),
    values: new Map(rowsOf(output, "value").map(([path, value]) => [path!, normaliseValue(value ?? "")])),
    missing: new Set(rowsOf(output, "missing").map(([path]) => path!)),
    files: rowsOf(output, "conf").map(([path, realPath]) => ({
      path: path!,
      realPath: realPath!,
      lines: lines.get(path!) ?? [],
    })),
  };
}
