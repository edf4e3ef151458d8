import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { MOVED } from "./shell.ts";

/** How a script ended, and what it said. */
export interface ScriptEnd {
  /** 0 where it is left out. */
  readonly exitCode?: number;
  readonly stdout?: string;
  readonly stderr?: string;
}

/** What a script does on a host's folder, with its arguments and what it is given on file descriptor 3. */
export type ToldScript = (folder: ToldFolder, args: readonly string[], input: Buffer) => ScriptEnd;

const STATE = "/var/lib/meshctl";

/** A host's files, by the paths that the scripts call them. Nobody but root decides where a path leads. */
export class ToldFolder {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** What a script's HOME is. */
  get home(): string {
    return this.#directory;
  }

  /** Where a path of the host's is on this machine. */
  at(path: string): string {
    return MOVED.some((moved) => path.startsWith(moved)) ? join(this.#directory, path) : path;
  }

  has(path: string): boolean {
    return existsSync(this.at(path));
  }

  /** "" of a file that is not there. */
  text(path: string): string {
    return this.has(path) ? readFileSync(this.at(path), "utf8") : "";
  }

  write(path: string, content: string | Buffer, mode = 0o600): void {
    const place = this.at(path);
    if (path.startsWith(`${STATE}/`)) this.#ownFolders(dirname(path));
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, content);
    chmodSync(place, mode);
  }

  append(path: string, line: string): void {
    appendFileSync(this.at(path), `${line}\n`);
  }

  remove(path: string): void {
    rmSync(this.at(path), { force: true });
  }

  /** With its mode. */
  copy(from: string, to: string): void {
    mkdirSync(dirname(this.at(to)), { recursive: true });
    copyFileSync(this.at(from), this.at(to));
    chmodSync(this.at(to), statSync(this.at(from)).mode);
  }

  /** "-" of a file that is not there. */
  digest(path: string): string {
    return this.has(path)
      ? createHash("sha256")
          .update(readFileSync(this.at(path)))
          .digest("hex")
      : "-";
  }

  /** The one whose list was changed last comes first. */
  get runs(): readonly string[] {
    const directory = this.at(`${STATE}/runs`);
    if (!existsSync(directory)) return [];
    const changed = (run: string) => statSync(join(directory, run, "files"), { bigint: true }).mtimeNs;
    const listed = readdirSync(directory).filter((run) => existsSync(join(directory, run, "files")));
    return listed.sort((a, b) => (changed(a) < changed(b) ? 1 : -1));
  }

  /** Lines of a run's list: step, digest now, digest before, digest in the manifest before, path. */
  listOf(run: string): readonly (readonly string[])[] {
    return lines(this.text(`${STATE}/runs/${run}/files`)).map((line) => line.split(" "));
  }

  inManifest(path: string): string {
    return this.#manifest.get(path) ?? "-";
  }

  /** "-" forgets the path. */
  record(digest: string, path: string): void {
    const manifest = this.#manifest;
    manifest.delete(path);
    if (digest !== "-") manifest.set(path, digest);
    this.write(`${STATE}/manifest`, [...manifest].map(([each, known]) => `${known}  ${each}\n`).join(""));
  }

  /** As manifest.sh does; every run is kept. */
  keep(run: string, step: string, path: string, digest: string): void {
    const kept = `${STATE}/runs/${run}`;
    this.#ownFolders(kept);
    const before = this.digest(path);
    const isListed = this.listOf(run).some(([, , , , listed]) => listed === path);
    if (before !== "-" && !isListed) this.copy(path, `${kept}/before${path}`);
    const line = [step, digest, before, this.inManifest(path), path].join(" ");
    this.write(`${kept}/files`, `${this.text(`${kept}/files`)}${line}\n`, 0o644);
  }

  /** Root's alone, from STATE on. */
  #ownFolders(path: string): void {
    mkdirSync(dirname(this.at(STATE)), { recursive: true });
    mkdirSync(this.at(path), { recursive: true, mode: 0o700 });
  }

  get #manifest(): Map<string, string> {
    return new Map(
      lines(this.text(`${STATE}/manifest`)).map((line) => {
        const [digest, path] = line.split("  ");
        return [path!, digest!] as const;
      }),
    );
  }
}

const engine = (name: string) => new URL(`../../../src/engine/commands/${name}.sh`, import.meta.url);
const world = (name: string) => new URL(`./${name}.sh`, import.meta.url);

/** Each script by its file: what it does and says, but for what needs a host with other users, packages or hung programs. */
export const TOLD_SCRIPTS: ReadonlyMap<URL, ToldScript> = new Map<URL, ToldScript>([
  [engine("changed"), changed],
  [engine("write"), write],
  [engine("place"), place],
  [engine("restore"), restore],
  [engine("kept"), kept],
  [engine("hook"), hook],
  [engine("install"), install],
  [world("set"), set],
  [world("start"), start],
  [world("serve"), serve],
]);

function changed(folder: ToldFolder, items: readonly string[]): ScriptEnd {
  const [path, seconds] = [`${STATE}/boots`, Math.floor(Date.now() / 1000)];
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  const others = lines(folder.text(path)).filter(
    (line) => !items.includes(line.split(" ").slice(2).join(" ")),
  );
  folder.write(
    path,
    [...others, ...items.map((item) => `${boot} ${seconds} ${item}`)].map((line) => `${line}\n`).join(""),
  );
  return {};
}

function write(folder: ToldFolder, args: readonly string[], input: Buffer): ScriptEnd {
  const [path, mode, , digest, run, step] = args as [string, string, string, string, string, string];
  folder.keep(run, step, path, digest);
  folder.record(digest, path);
  folder.write(path, input, Number.parseInt(mode, 8));
  return {};
}

function place(folder: ToldFolder, [path, digest]: readonly string[], input: Buffer): ScriptEnd {
  folder.write(path!, input, 0o644);
  if (folder.digest(path!) !== digest) throw new Error(`only a real shell is given half of ${path}`);
  return {};
}

function restore(folder: ToldFolder, args: readonly string[]): ScriptEnd {
  const [path, run, step, from, expected] = args as [string, string, string, string, string];
  if (folder.digest(path) !== expected) return fails(`${path} has changed since it was looked at`);
  const first = folder.listOf(from).find(([, , , , listed]) => listed === path);
  const [before, known] = [first?.[2], first?.[3]];
  const copy = `${STATE}/runs/${from}/before${path}`;
  if (before === undefined || known === undefined || (before !== "-" && folder.digest(copy) !== before))
    return fails(`run ${from} does not hold what was at ${path} before it`);
  folder.keep(run, step, path, before);
  if (before === "-") folder.remove(path);
  else folder.copy(copy, path);
  folder.record(before === "-" ? "-" : known, path);
  return {};
}

function kept(folder: ToldFolder, [run]: readonly string[]): ScriptEnd {
  const records = [...folder.runs]
    .reverse()
    .flatMap((each) =>
      folder
        .listOf(each)
        .map(([step, digest, before, known, path]) => ["kept", each, step, digest, before, path, known]),
    );
  const paths = new Set(run === undefined ? [] : folder.listOf(run).map(([, , , , path]) => path!));
  for (const path of [...paths].sort())
    records.push(fileRecord(folder, `${STATE}/runs/${run}/before${path}`), fileRecord(folder, path));
  return { stdout: records.map((fields) => `${fields.join("\t")}\n`).join("") };
}

/** A hook is a shell's own text: the one program that is started. */
function hook(folder: ToldFolder, args: readonly string[]): ScriptEnd {
  const [command, MESHCTL_RUN, MESHCTL_STEP, MESHCTL_HOST, MESHCTL_WAVE] = args;
  const told = { MESHCTL_RUN, MESHCTL_STEP, MESHCTL_HOST, MESHCTL_WAVE };
  const env = { PATH: process.env.PATH, HOME: folder.home, LC_ALL: "C", ...told };
  const { status, stdout, stderr } = spawnSync("sh", ["-c", command!], { env, input: "", encoding: "utf8" });
  return { exitCode: status ?? -1, stdout, stderr };
}

/** With an apt-get that tells what it was asked for and has every package, as real-shell.ts has it. */
function install(folder: ToldFolder, packages: readonly string[], input: Buffer): ScriptEnd {
  const [proxy = "", ...certificates] = input.toString().split("\n");
  if (certificates.join("") !== "" || folder.has(`${folder.home}/bin/apt-get`))
    throw new Error("authorities, and an apt-get of the test's own, need a real shell: world.inShell()");
  const options = [
    ...["-q", "-y", "-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold"],
    ...["-o", "DPkg::Lock::Timeout=600", "-o", "Acquire::Retries=2"],
  ];
  const apt = (...words: readonly string[]) => folder.append(`${folder.home}/apt-get`, words.join(" "));
  if (!hasFreshLists()) apt(...options, "update");
  apt("--no-install-recommends", "--no-remove", ...options, "install", ...packages);
  folder.write(`${folder.home}/proxy`, `${proxy}\n`, 0o644);
  return {};
}

/** Of this machine: a list that was fetched within a day. */
function hasFreshLists(): boolean {
  const lists = "/var/lib/apt/lists";
  if (!existsSync(lists)) return false;
  const isFresh = (name: string) => Date.now() - statSync(join(lists, name)).mtimeMs < 24 * 60 * 60 * 1000;
  return readdirSync(lists).some((name) => name.includes("Packages") && isFresh(name));
}

/** As prelude.sh's emit_file. */
function fileRecord(folder: ToldFolder, path: string): string[] {
  if (!folder.has(path)) return ["file", path, "absent", "", "", "", "", "", ""];
  const mode = (statSync(folder.at(path)).mode & 0o7777).toString(8).padStart(4, "0");
  const content = readFileSync(folder.at(path)).toString("base64");
  return ["file", path, "regular", mode, "us:us", "", "", path, content];
}

function set(folder: ToldFolder, args: readonly string[]): ScriptEnd {
  const [directory, value] = args as [string, string];
  folder.append(`${directory}/log`, `set ${value}`);
  folder.write(`${directory}/disk`, value, 0o644);
  return {};
}

function start(folder: ToldFolder, [directory]: readonly string[]): ScriptEnd {
  if (folder.has(`${directory}/slow`)) throw new Error("only a real shell is slow: world.inShell()");
  folder.append(`${directory}/log`, "start");
  if (!folder.has(`${directory}/stuck`)) folder.copy(`${directory}/disk`, `${directory}/live`);
  if (folder.has(`${directory}/break after start`)) folder.write(`${directory}/break once`, "", 0o644);
  return {};
}

function serve(folder: ToldFolder, [directory]: readonly string[]): ScriptEnd {
  const put = (name: string, text: string) => folder.write(`${directory}/${name}`, text, 0o644);
  const wanted = folder.has(`${directory}/config`)
    ? folder.text(`${directory}/config`).replace(/\n+$/, "")
    : "none";
  folder.append(`${directory}/log`, `serve ${wanted}`);
  if (wanted === "poison") put("poisoned", "");
  const config = folder.has(`${directory}/poisoned`) ? "dies" : wanted;
  const isDown = ["refused", "dies", "late"].includes(config);
  put("state", isDown ? "down\n" : config === "slow" ? "changing\n" : "up\n");
  if (config === "refused") return fails("the service does not take its configuration");
  if (config === "late") put("late", "");
  else if (config === "clamped") put("live", "half\n");
  else if (config !== "dies" && config !== "slow") put("live", `${config}\n`);
  return {};
}

const fails = (because: string): ScriptEnd => ({ exitCode: 1, stdout: `${because}\n` });

const lines = (text: string) => text.split("\n").filter((line) => line !== "");
