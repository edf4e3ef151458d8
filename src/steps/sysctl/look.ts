import { lookAtUnit } from "../../daemon/look-at-units.ts";
import type { UnitFact } from "../../daemon/unit.ts";
import { readFileFact } from "../../evidence/read-file.ts";
import { type Answer, mapAnswer, NotRead } from "../../reader/answer.ts";
import type { Reader } from "../../reader/reader.ts";
import { type ConfFile, DIRECTORIES, LOADER, SYSCTL_CONF } from "./boot.ts";
import type { SysctlDesired } from "./desired.ts";
import { BEFORE, DROP_IN } from "./drop-in.ts";
import type { SysctlFacts } from "./facts.ts";
import { normaliseValue, procPathOf } from "./key.ts";
import { RESERVED_PORTS, TIME_STAMPS, UNPRIVILEGED_PORT_START } from "./parameters.ts";

/** A line that is neither empty nor a comment. */
const TELLING = "^[ \\t]*[^#;\\s]";
/** What open(2) says of a file that only takes values. */
const WRITE_ONLY = /^(Permission denied|Operation not permitted)$/;

/** What the kernel has, every line that may set it at boot, whether anything reads those, and what the last change found. */
export async function lookAtKernelSettings(
  reader: Reader,
  { settings }: SysctlDesired,
): Promise<SysctlFacts> {
  const keys = new Set([...settings.keys(), RESERVED_PORTS, TIME_STAMPS, UNPRIVILEGED_PORT_START]);
  const paths = [...keys].map(procPathOf);
  const [dropIn, loader, loaderUnit, before, { files, unreadFiles }, values] = await Promise.all([
    readFileFact(reader, DROP_IN),
    loaderState(reader),
    loaderUnitOf(reader),
    reader.text(BEFORE),
    confFiles(reader),
    Promise.all(paths.map(async (path) => ({ path, value: await reader.text(`/proc/sys/${path}`) }))),
  ]);
  return {
    dropIn,
    loader,
    loaderUnit,
    before,
    files,
    unreadFiles,
    values: new Map(
      values.flatMap(({ path, value }) =>
        value.is === "value" ? [[path, normaliseValue(value.value)]] : [],
      ),
    ),
    unreadValues: new Map(
      values.flatMap(({ path, value }) =>
        value.is === "unreadable" && !WRITE_ONLY.test(value.because) ? [[path, value.because]] : [],
      ),
    ),
    missing: new Set(values.flatMap(({ path, value }) => (value.is === "absent" ? [path] : []))),
  };
}

/** Nothing else reads the files at boot: procps.service is another name of it, on every Debian. */
async function loaderState(reader: Reader): Promise<Answer<string>> {
  const unit = await reader.unit(LOADER, ["LoadState"]);
  return mapAnswer(unit, (properties) => properties.get("LoadState")?.[0] ?? "");
}

async function loaderUnitOf(reader: Reader): Promise<Answer<UnitFact>> {
  try {
    return { is: "value", value: await lookAtUnit(reader, LOADER) };
  } catch (error) {
    if (!(error instanceof NotRead)) throw error;
    return { is: "unreadable", because: error.message };
  }
}

/**
 * Whatever has a name hides its namesakes in later directories: a link to /dev/null, to nothing, a directory. It is a file
 * without lines then.
 */
async function confFiles(reader: Reader): Promise<Pick<SysctlFacts, "files" | "unreadFiles">> {
  const files: ConfFile[] = [];
  const unreadFiles: { path: string; because: string }[] = [];
  const read = async (path: string, isListed = false) => {
    const file = await reader.lines(path, TELLING);
    if (file.is === "value") files.push({ path, realPath: file.value.realPath, lines: file.value.lines });
    else if (file.is === "unreadable") unreadFiles.push({ path, because: file.because });
    // It went meanwhile, or its name is not what could be said of it: whoever reads it at boot may find it.
    else if (isListed)
      unreadFiles.push({ path, because: "it was listed, and was not there under that name" });
  };
  await Promise.all([
    read(SYSCTL_CONF),
    ...DIRECTORIES.map(async (directory) => {
      const entries = await reader.list(directory, "^[^.].*\\.conf$");
      if (entries.is === "unreadable") unreadFiles.push({ path: directory, because: entries.because });
      if (entries.is !== "value") return;
      await Promise.all(entries.value.map(({ name }) => read(`${directory}/${name}`, true)));
    }),
  ]);
  return { files, unreadFiles };
}
