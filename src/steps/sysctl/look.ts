import { bootLines } from "../../daemon/boot-lines.ts";
import { lookAtUnit } from "../../daemon/look-at-units.ts";
import type { UnitFact } from "../../daemon/unit.ts";
import { readFileFact } from "../../evidence/read-file.ts";
import { type Answer, mapAnswer, NotRead } from "../../reader/answer.ts";
import type { Reader } from "../../reader/reader.ts";
import { type ConfFile, DIRECTORIES, LOADER, SYSCTL_CONF } from "./boot.ts";
import type { SysctlDesired } from "./desired.ts";
import { BEFORE, DROP_IN } from "./drop-in.ts";
import type { SysctlFacts } from "./facts.ts";
import { moduleOf, normaliseValue, procPathOf, twinsOf } from "./key.ts";
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
  const named = [...settings.keys(), RESERVED_PORTS].map(procPathOf);
  const [dropIn, loader, loaderUnit, before, conf, values, later, late] = await Promise.all([
    readFileFact(reader, DROP_IN),
    loaderState(reader),
    loaderUnitOf(reader),
    reader.text(BEFORE),
    confFiles(reader),
    Promise.all(paths.map(async (path) => ({ path, value: await reader.text(`/proc/sys/${path}`) }))),
    laterLines(reader, named),
    lateModules(reader, named),
  ]);
  return {
    dropIn,
    loader,
    loaderUnit,
    before,
    later,
    files: conf.files,
    unreadFiles: [...conf.unreadFiles, ...late.unreadFiles],
    lateModules: late.modules,
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

async function laterLines(reader: Reader, paths: readonly string[]): Promise<SysctlFacts["later"]> {
  const names = new Set(paths.flatMap((path) => [path, ...twinsOf(path)]));
  const groups = await reader.groupsOf(4, "kernel.writers", ...[...names].filter((path) => KEY.test(path)));
  return mapAnswer(groups, bootLines);
}

/** As reader.pl takes one. */
const KEY = /^(?:[\w.-]{1,64}\/){1,9}[\w.-]{1,64}$/;
const MODULE_LISTS = ["/etc", "/run", "/usr/local/lib", "/usr/lib"].map((place) => `${place}/modules-load.d`);

/** Keys that only a module brings, when it is none of those that are loaded before the files are read. */
async function lateModules(reader: Reader, paths: readonly string[]) {
  const needed = new Map(
    paths.flatMap((path) => {
      const module = moduleOf(path);
      return module === undefined ? [] : [[path, module] as const];
    }),
  );
  const unreadFiles: { path: string; because: string }[] = [];
  if (needed.size === 0) return { modules: needed, unreadFiles };
  const any = [...new Set(needed.values())].join("|").replaceAll("_", "[_-]");
  const said = async (path: string, pattern: string) => {
    const file = await reader.lines(path, pattern);
    if (file.is === "unreadable") unreadFiles.push({ path, because: file.because });
    return file.is === "value" ? file.value.lines.map(({ text }) => text) : [];
  };
  const saidIn = async (directory: string, names: string, pattern: string) => {
    const entries = await reader.list(directory, names);
    if (entries.is === "unreadable") unreadFiles.push({ path: directory, because: entries.because });
    const found = entries.is === "value" ? entries.value : [];
    return (await Promise.all(found.map(({ name }) => said(`${directory}/${name}`, pattern)))).flat();
  };
  const listed = `^\\s*(?:${any})\\s*$`;
  const [loaded, ...early] = await Promise.all([
    said("/proc/modules", `^(?:${any}) `),
    said("/etc/modules", listed),
    said("/proc/cmdline", `modules[_-]load=\\S*\\b(?:${any})\\b`),
    ...MODULE_LISTS.map((directory) => saidIn(directory, "\\.conf$", listed)),
    // A rule that reads the files once more when the module comes.
    saidIn("/etc/udev/rules.d", "\\.rules$", `(?:${any}).*(?:systemd-sysctl|sysctl\\b)`),
  ]);
  const names = (module: string) => new RegExp(`\\b${module.replaceAll("_", "[_-]")}\\b`);
  // One that is built in is always there.
  const isLate = (module: string) =>
    loaded!.some((line) => names(module).test(line)) &&
    !early.flat().some((line) => names(module).test(line));
  return { modules: new Map([...needed].filter(([, module]) => isLate(module))), unreadFiles };
}
