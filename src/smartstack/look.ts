import type { WantedFile } from "../contract/change.ts";
import { lookAtSurroundings, type Needs } from "../daemon/look-at-surroundings.ts";
import { lookAtUnits, propertiesOf } from "../daemon/look-at-units.ts";
import { withoutNote } from "../daemon/lost-note.ts";
import { RECORDS } from "../daemon/place.ts";
import type { UnitFact } from "../daemon/unit.ts";
import { readFileFact } from "../evidence/read-file.ts";
import { type Answer, read, readThere } from "../reader/answer.ts";
import type { Reader, UnitProperties } from "../reader/reader.ts";
import { holdsSecret, revealContent } from "../secret.ts";
import { quotable } from "../terminal-text.ts";
import { NO_RUBY, type RubyFacts } from "./gem-set.ts";
import { type Program, type ProgramFacts, startedWith, unitPath } from "./program.ts";
import { lookAtShadows } from "./shadowed.ts";

const JOURNAL_LINES = "40";
const SUMS = "SHA256SUMS";

interface Surroundings {
  /** Of the program and those that go with it. */
  readonly units: readonly string[];
  /** The program's own unit among them, which names the build of its gems: what that is the host has yet to tell. */
  readonly files: readonly WantedFile[];
  /** ZooKeeper's, for connections. */
  readonly clientPort: number;
}

/**
 * The gems in place, the Ruby they need, files, the unit with those that go with it, and the process with its connections to
 * ZooKeeper. Two round trips. Throws NotRead.
 */
export async function lookAtProgram(
  reader: Reader,
  program: Program,
  { units, files, clientPort }: Surroundings,
): Promise<ProgramFacts> {
  const properties = propertiesOf(reader, program.unit).then((answer) => readThere(answer, program.unit));
  const [unitFacts, fileFacts, ruby, builds, user, process, lastError, surroundings, shadows] =
    await Promise.all([
      lookAtUnits(reader, [program.unit, ...units]),
      Promise.all(
        files.map(({ path, content }) =>
          readFileFact(reader, path, {
            wanted: path === unitPath(program.unit) ? undefined : revealContent(content),
            isSecret: holdsSecret(content),
          }),
        ),
      ),
      lookAtRuby(reader),
      lookAtBuilds(reader, program),
      reader.user(program.user),
      lookAtProcess(reader, program, properties, clientPort),
      lastErrorOf(reader, program, properties),
      lookAtSurroundings(
        reader,
        program.unit,
        needsOf(
          program,
          files.map(({ path }) => path),
          properties,
        ),
      ),
      lookAtShadows(reader),
    ]);
  const known = new Map(fileFacts.map((fact) => [fact.path, fact]));
  return {
    units: unitFacts,
    files: known,
    ...ruby,
    ...builds,
    userExists: read(user, `the user ${program.user}`) !== undefined,
    process: process && withLostNote(program, process, unitFacts.get(program.unit)!, known),
    lastError,
    surroundings,
    shadows,
  };
}

/** What the program's user does with which path when it starts. The unit names the gems that it loads. */
async function needsOf(
  program: Program,
  wanted: readonly string[],
  properties: Promise<UnitProperties>,
): Promise<Needs> {
  const command = ((await properties).get("ExecStart") ?? []).join(" ");
  const { directory, startedWith, unit, home } = program;
  const gems = command.split(" ").find((word) => word.startsWith(`${directory}/gems-`));
  const tree =
    gems === undefined
      ? directory
      : gems
          .split("/")
          .slice(0, directory.split("/").length + 1)
          .join("/");
  const files = startedWith.filter((path) => path !== unitPath(unit) && wanted.includes(path));
  return {
    access: [
      { path: "/usr/bin/ruby", to: "execute" },
      ...files.map((path) => ({ path, to: "read" }) as const),
      ...(gems === undefined ? [] : [{ path: gems, to: "read" } as const]),
      { path: `${tree}/gems`, to: "enter" },
      { path: tree, to: "load" },
      // systemd makes the directory the user's own at each start, not what is in it.
      ...(home.startsWith("/var/") ? [{ path: `${home}/*`, to: "read", own: home } as const] : []),
    ],
    places: [...new Set([directory, ...files.map((path) => path.replace(/\/[^/]*$/, "")), RECORDS])].map(
      (path) => ({
        path,
        isData: true,
      }),
    ),
    packages: "(?:lib)?ruby[\\d.]*|rubygems.*",
  };
}

type Running = NonNullable<ProgramFacts["process"]> & { readonly isNoteLost: boolean };

function withLostNote(
  program: Program,
  process: Running,
  unit: UnitFact,
  files: ProgramFacts["files"],
): ProgramFacts["process"] {
  const unitFile = files.get(unitPath(program.unit));
  const { isNoteLost, ...found } = process;
  if (!isNoteLost || unitFile === undefined) return found;
  const read = program.startedWith.flatMap((path) => files.get(path) ?? []);
  const lost = withoutNote(unit, unitFile, read, program.startRecord);
  if (lost === undefined) return found;
  return {
    ...found,
    startedWith: lost.digests,
    ...(lost.unread === undefined ? {} : { lostNote: lost.unread }),
  };
}

/** The Ruby that is installed; without one, that of the package apt would install ("1:3.1" is ruby3.1). */
async function lookAtRuby(reader: Reader): Promise<RubyFacts> {
  const found = read(await reader.stat("/usr/bin/ruby"), "/usr/bin/ruby");
  if (found !== undefined && found.kind !== "dangling link")
    return { ruby: found.realPath.split("/").at(-1)!, rubyCandidate: undefined };
  const [candidate, lists] = await Promise.all([
    reader.answerTo("candidate.version", "ruby"),
    reader.list("/var/lib/apt/lists", "_Packages"),
  ]);
  const line = read(candidate, "the package ruby that apt would install") ?? "";
  const version = /^Version: (?:\d*:)?(\d*\.\d*)/.exec(line)?.[1];
  if (version !== undefined) return { ruby: undefined, rubyCandidate: `ruby${version}` };
  // Without lists apt knows of nothing: then nothing can be said.
  const isListed = (read(lists, "apt's lists") ?? []).length > 0;
  return { ruby: undefined, rubyCandidate: isListed ? NO_RUBY : undefined };
}

async function lookAtBuilds(
  reader: Reader,
  { directory }: Program,
): Promise<Pick<ProgramFacts, "builds" | "unreadBuilds">> {
  const entries = read(await reader.list(directory), directory) ?? [];
  const keys = entries.filter(({ targetKind }) => targetKind === "directory").map(({ name }) => name);
  const trees = await Promise.all(
    keys.map(async (key) => {
      const tree = `${directory}/${key}`;
      const [sums, damage] = await Promise.all([
        reader.stat(`${tree}/${SUMS}`),
        reader.answerTo("tree.damage", tree),
      ]);
      return { key, sums, damage };
    }),
  );
  const builds = new Map<string, string>();
  const unreadBuilds = new Map<string, string>();
  for (const { key, sums, damage } of trees) {
    if (sums.is === "absent") continue;
    const unread = [sums, damage].find((answer) => answer.is === "unreadable");
    if (unread !== undefined) unreadBuilds.set(key, unread.because);
    else builds.set(key, damage.is === "value" ? damage.value : "");
  }
  return { builds, unreadBuilds };
}

async function lookAtProcess(
  reader: Reader,
  program: Program,
  properties: Promise<UnitProperties>,
  clientPort: number,
): Promise<Running | undefined> {
  const [known, record, connections] = await Promise.all([
    properties,
    reader.text(program.startRecord),
    reader.answerTo("sockets.to", `${clientPort}`),
  ]);
  const pid = Number(known.get("MainPID")?.[0] ?? 0);
  if (pid === 0) return undefined;
  const process = read(await reader.process(pid, ["cmdline"]), `the process of ${program.unit}`);
  // It ended while it was looked at.
  if (process === undefined) return undefined;
  return {
    pid,
    user: process.owner.split(":", 1)[0]!,
    ageSeconds: process.ageSeconds,
    commandLine: process.parts[0]!.replaceAll("\0", " ").trim(),
    isFrozen: /^[Tt]/.test(process.state),
    ...sessionsOf(connections, pid),
    isNoteLost: record.is === "absent",
    startedWith: startedWith(read(record, program.startRecord), known.get("InvocationID")?.[0] || undefined),
  };
}

/** Peers of the process among the connections that ss shows. */
function sessionsOf(connections: Answer<string>, pid: number) {
  if (connections.is === "unreadable") return { sessions: [], unreadSessions: connections.because };
  const lines = connections.is === "value" ? connections.value.split("\n") : [];
  return {
    sessions: lines
      .filter((line) => line.includes(`pid=${pid},`))
      .map((line) => line.trim().split(/\s+/)[3] ?? ""),
  };
}

/** Why it does not run, or did not for long. It explains, and decides nothing. */
async function lastErrorOf(
  reader: Reader,
  { unit }: Program,
  properties: Promise<UnitProperties>,
): Promise<string | undefined> {
  const known = await properties;
  if (known.get("NRestarts")?.[0] === "0" || known.get("LoadState")?.[0] === "not-found") return undefined;
  const journal = await reader.answerTo("journal.unit", unit, JOURNAL_LINES, "no");
  if (journal.is !== "value") return undefined;
  const line = journal.value
    .split("\n")
    .findLast((text) => /ERROR|FATAL|rror\)|Exception/.test(text) && !/^\s*from /.test(text));
  return line === undefined ? undefined : quotable(line);
}
