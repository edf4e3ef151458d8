import { type FileFact, fileFacts } from "../../evidence/file.ts";
import { fieldOf, rowsOf } from "../../evidence/probe-output.ts";
import { type UnitFact, unitFacts } from "../../evidence/unit.ts";
import { ProbeNotUnderstood, type ProbeOutput } from "../../step.ts";
import { quotable } from "../../terminal-text.ts";
import { UNIT, UNIT_FILE, ZOO_CFG } from "./render.ts";

/** A data directory (or log directory) as it is on disk. */
export interface DataFact {
  readonly directory: string;
  /** "none": no version-2. "new": marked as a member that may be empty. "blank": started, never in a quorum.
   * "holds": part of a quorum once. "lost": version-2 is there and empty. */
  readonly is: "none" | "new" | "blank" | "holds" | "lost";
}

/** A ZooKeeper server, whoever started it. */
export interface ProcessFact {
  readonly pid: number;
  readonly argv: readonly string[];
  readonly sockets: readonly { readonly address: string; readonly port: number }[];
}

interface Started {
  /** Path → sha256 of the file the process started with. */
  readonly digests: ReadonlyMap<string, string>;
}

export interface ZookeeperFacts {
  readonly unit: UnitFact;
  readonly zooCfg: FileFact;
  readonly unitFile: FileFact;
  readonly myid: FileFact;
  /** Undefined when no process of our unit runs. */
  readonly started: Started | undefined;
  /** The wanted directory first, then those that zoo.cfg names. */
  readonly data: readonly DataFact[];
  /** The unit's server. */
  readonly process: ProcessFact | undefined;
  /** Servers that the unit did not start. */
  readonly strangers: readonly ProcessFact[];
  /** Open jar files of the process: paths, " (deleted)" behind those replaced since. */
  readonly jars: readonly string[];
  readonly stderr: string;
  /** Where it was asked, "10.0.0.2:2181", and its answers to four-letter words; undefined when it was not asked. */
  readonly asked: { readonly at: string; readonly answers: ReadonlyMap<string, string> } | undefined;
  /** What the unit's journal ends with, when it does not run: the complaint rather than its stack trace. */
  readonly lastWords: string;
}

export function zookeeperFacts(output: ProbeOutput): ZookeeperFacts {
  const files = fileFacts(output);
  const [zooCfg, unitFile] = [files.get(ZOO_CFG), files.get(UNIT_FILE)];
  const myid = [...files.values()].find(({ path }) => path.endsWith("/myid"));
  const unit = unitFacts(output).get(UNIT);
  if (zooCfg === undefined || unitFile === undefined || myid === undefined || unit === undefined) {
    throw new ProbeNotUnderstood("a file or the unit is missing from the probe's output");
  }
  const processes = rowsOf(output, "process").map((row) => ({ inUnit: row[1] === "yes", ...processOf(row) }));
  const running = processes.find(({ inUnit }) => inUnit);
  return {
    unit,
    zooCfg,
    unitFile,
    myid,
    started: running === undefined ? undefined : startedOf(output),
    data: rowsOf(output, "data").map(dataOf),
    process: running,
    strangers: processes.filter(({ inUnit }) => !inUnit),
    jars: rowsOf(output, "jar").map(([path]) => path!),
    stderr: fieldOf(output, "stderr") ?? "",
    asked: askedOf(output),
    lastWords: lastWordsOf(fieldOf(output, "last_words") ?? ""),
  };

  function processOf([pid, , argv]: readonly string[]): ProcessFact {
    return {
      pid: Number(pid),
      argv: argv?.split("\n").filter(Boolean) ?? [],
      sockets: rowsOf(output, "socket")
        .filter(([owner]) => owner === pid)
        .map(([, local]) => socketOf(local!)),
    };
  }
}

/** `ss` prints "[::ffff:10.0.0.2]:2181" for Java's sockets, "*:8080" for a wildcard. */
function socketOf(local: string): { address: string; port: number } {
  const colon = local.lastIndexOf(":");
  const address = local.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  return { address: address.replace(/^::ffff:/, ""), port: Number(local.slice(colon + 1)) };
}

/** A record that an earlier start of the unit left says nothing of the process that runs now. */
function startedOf(output: ProbeOutput): Started | undefined {
  const invocation = rowsOf(output, "unit").find(([, property]) => property === "InvocationID")?.[2];
  const [recorded, ...lines] = (fieldOf(output, "started") ?? "").split("\n");
  if (recorded === "" || recorded !== invocation) return undefined;
  const digests = new Map<string, string>();
  for (const line of lines) {
    const [, digest, path] = /^([0-9a-f]{64}) {2}(.+)$/.exec(line) ?? [];
    if (digest !== undefined) digests.set(path!, digest);
  }
  return { digests };
}

function dataOf(row: readonly string[]): DataFact {
  const [directory, version, isNew, first, later, logs, epoch] = row;
  if (epoch === undefined) throw new ProbeNotUnderstood(`a "data" record is cut short`);
  const is = (): DataFact["is"] => {
    // Whoever was in a quorum has an epoch above 0, with or without a transaction since.
    if (later === "yes" || logs === "yes" || !/^0?$/.test(epoch)) return "holds";
    if (first === "yes") return "blank";
    if (isNew === "yes") return "new";
    return version === "yes" ? "lost" : "none";
  };
  return { directory: directory!, is: is() };
}

function askedOf(output: ProbeOutput): ZookeeperFacts["asked"] {
  const [address, port, text] = rowsOf(output, "asked")[0] ?? [];
  if (text === undefined) return undefined;
  const answers = new Map<string, string>();
  for (const part of text.split(/^== /m).slice(1)) {
    const [word, ...lines] = part.split("\n");
    const answer = lines.join("\n").trim();
    if (answer !== "") answers.set(word!, answer);
  }
  return { at: `${address}:${port}`, answers };
}

function lastWordsOf(journal: string): string {
  const lines = journal.split("\n").filter((line) => line.trim() !== "" && !/^\s/.test(line));
  // systemd's own lines come last and say only that it ended.
  const own = lines.filter((line) => !/^(zookeeper\.service: |Start|Stop)/.test(line));
  return (own.length > 0 ? own : lines).slice(-2).map(quotable).join(" | ");
}
