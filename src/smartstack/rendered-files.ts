import type { RenderedFile } from "../contract/change.ts";
import type { Machine } from "../contract/host.ts";
import { gemKey, rubyOf } from "./gem-set.ts";
import { type Program, type ProgramFile, unitPath } from "./program.ts";

/** The files of a program on a bare host; its unit names the build of the gems that fits the machine. */
export function renderedProgramFiles(
  { unit }: Program,
  machine: Machine,
  filesFor: (key: string) => readonly ProgramFile[],
): readonly RenderedFile[] {
  const found = { ruby: undefined, rubyCandidate: undefined };
  const platform = `${machine.os.codename}, ${machine.architecture}, ${rubyOf(machine, found)}`;
  return filesFor(gemKey(machine, found)).map((file): RenderedFile => {
    if (file.path !== unitPath(unit)) return file;
    return { ...file, notes: [`Its paths name the gems' build: for ${platform}.`] };
  });
}
