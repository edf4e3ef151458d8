import { type Answer, NotUnderstood, read, readThere } from "../reader/answer.ts";
import type { Reader, UnitProperties } from "../reader/reader.ts";
import { type UnitFact, type UnitWords, unitFact } from "./unit.ts";
import { START_KEYS } from "./unit-start.ts";

const PROPERTIES = [
  "Id",
  "LoadState",
  "ActiveState",
  "SubState",
  "UnitFileState",
  "MainPID",
  "NRestarts",
  "Result",
  "StatusText",
  "FragmentPath",
  "DropInPaths",
  "NeedDaemonReload",
  "InvocationID",
  "ExecStart",
  "Environment",
  "EnvironmentFiles",
  "User",
  "RootDirectory",
];
/** Each is asked for by itself: a host that shows more is not asked for them. */
const MOST_DROP_INS = 200;
const ADMINISTRATOR = "/etc/systemd/system";
const START_LINE = `^\\s*(?:${START_KEYS.join("|")})\\s*=`;

/** Units as systemd has them, with the lines that say how they start. Two round trips. Throws NotRead. */
export async function lookAtUnits<Name extends string>(
  reader: Reader,
  names: readonly Name[],
): Promise<ReadonlyMap<Name, UnitFact>> {
  const facts = await Promise.all(names.map(async (name) => [name, await lookAtUnit(reader, name)] as const));
  return new Map(facts);
}

/** What `lookAtUnit` asks systemd, for what follows from it: asked once. */
export async function propertiesOf(reader: Reader, name: string): Promise<Answer<UnitProperties>> {
  return reader.unit(name, PROPERTIES);
}

/**
 * Asks what `lookAtUnit` begins with, before it is known whether the unit matters. Whether it is enabled is not asked: of
 * a unit that is not there that costs a program for each of the others.
 */
export function askAhead(reader: Reader, name: string) {
  const own = `${ADMINISTRATOR}/${name}`;
  return Promise.all([
    propertiesOf(reader, name),
    reader.stat(own),
    reader.list(`${own}.d`, "^[^.].*\\.conf$"),
  ]);
}

/** As `lookAtUnits`, of one. What several steps ask of one unit in a look is asked once. */
export async function lookAtUnit(reader: Reader, name: string): Promise<UnitFact> {
  const [unit, enabled] = await Promise.all([lookAtStart(reader, name), reader.enabled(name)]);
  return unitFact(name, { ...unit, enabled: read(enabled, `whether ${name} is enabled`) });
}

/** All of a unit but whether it is enabled. */
async function lookAtStart(reader: Reader, name: string): Promise<Omit<UnitWords, "enabled">> {
  const own = `${ADMINISTRATOR}/${name}`;
  const [properties, ownFile, ownDropIns] = await askAhead(reader, name);
  const known = readThere(properties, name);
  const fragment = known.get("FragmentPath")?.at(-1) ?? "";
  const pid = Number(known.get("MainPID")?.at(-1) ?? 0);
  const shown = (known.get("DropInPaths")?.at(-1) ?? "").split(" ").filter(Boolean);
  const listed = (read(ownDropIns, `${own}.d`) ?? []).map(({ name: file }) => `${own}.d/${file}`);
  const paths = [...new Set([...shown, ...listed])];
  if (paths.length > MOST_DROP_INS)
    throw new NotUnderstood(`${name} has ${paths.length} drop-ins, more than ${MOST_DROP_INS}`);
  const [process, files] = await Promise.all([
    pid === 0 ? undefined : reader.process(pid, []),
    Promise.all(paths.map((path) => dropIn(reader, path))),
  ]);
  // systemd shows where a directory that is a link leads to.
  const loaded = new Set(files.filter(({ path }) => shown.includes(path)).map(({ realPath }) => realPath));
  const unread = files.filter(
    ({ path, realPath, isEmpty }) => !shown.includes(path) && !isEmpty && !loaded.has(realPath),
  );
  // Of a directory or a namesake that is new NeedDaemonReload says nothing.
  const isLoaded = known.get("LoadState")?.at(-1) === "loaded";
  const hasNamesake =
    read(ownFile, own) !== undefined &&
    fragment !== own &&
    !/^\/(?:etc\/systemd\/system\.control|run\/systemd\/transient)\//.test(fragment);
  return {
    values: (property) => known.get(property) ?? [],
    ageSeconds: process === undefined ? undefined : read(process, `the process of ${name}`)?.ageSeconds,
    hasUnread: isLoaded && (hasNamesake || unread.length > 0),
    startLines: files
      .filter((file) => shown.includes(file.path) || (isLoaded && unread.includes(file)))
      .flatMap(({ path, lines }) => lines.map((line) => ({ path, ...line }))),
  };
}

interface DropIn {
  readonly path: string;
  readonly realPath: string;
  readonly isEmpty: boolean;
  readonly lines: readonly { readonly line: number; readonly key: string }[];
}

/** One that is gone, or is no file, says nothing. */
async function dropIn(reader: Reader, path: string): Promise<DropIn> {
  const file = read(await reader.lines(path, START_LINE), path);
  if (file?.kind !== "regular") return { path, realPath: file?.realPath ?? path, isEmpty: true, lines: [] };
  return {
    path,
    realPath: file.realPath,
    isEmpty: file.size === 0,
    lines: file.lines.map(({ number, text }) => ({ line: number, key: /[^\s=]*/.exec(text.trim())![0] })),
  };
}
