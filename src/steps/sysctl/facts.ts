import type { BootLine } from "../../daemon/boot-lines.ts";
import type { UnitFact } from "../../daemon/unit.ts";
import type { FileFact } from "../../evidence/file.ts";
import type { Answer } from "../../reader/answer.ts";
import type { ConfFile } from "./boot.ts";

export interface SysctlFacts {
  readonly dropIn: FileFact;
  /** Path below /proc/sys → value. A path that the kernel lets nobody read is in none of these three. */
  readonly values: ReadonlyMap<string, string>;
  /** Path below /proc/sys → why it could not be read this time. */
  readonly unreadValues: ReadonlyMap<string, string>;
  /** Paths that this kernel does not have. */
  readonly missing: ReadonlySet<string>;
  /** Every file that a loader may read. */
  readonly files: readonly ConfFile[];
  /** Files and directories of theirs that were not read whole. */
  readonly unreadFiles: readonly { readonly path: string; readonly because: string }[];
  /** LoadState of systemd-sysctl.service, which reads them at boot. */
  readonly loader: Answer<string>;
  /** The unit whole; undefined where it is not loaded. */
  readonly loaderUnit: Answer<UnitFact> | undefined;
  /** What else names a key and is run or read at a boot, or later. */
  readonly later: Answer<readonly BootLine[]>;
  /** Path below /proc/sys → the module that brings it, which nothing loads before the files are read. */
  readonly lateModules: ReadonlyMap<string, string>;
  /** Text of the record of what the kernel had before the last change. */
  readonly before: Answer<string>;
}
