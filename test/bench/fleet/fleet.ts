import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Recording } from "../../../src/reader/recording.ts";
import { type Ended, type JsonEvent, meshctl, summaryOf } from "../../e2e/meshctl.ts";
import { keygen } from "../../e2e/remote/sshd.ts";
import { startLab } from "../../lab/lab.ts";
import { repositoryRoot } from "../../lab/paths.ts";
import { type FleetSpec, MODES, type Mode, modeOf, type SimulatedHost } from "./spec.ts";

const SIZES = [10, 100, 500, 1000];
const PORT = 22;
/** Of the recorded mesh: an ensemble of one, and a host that is nothing but a proxy. */
const MEMBER = "kvm-01";
const PROXY = "kvm-02";

interface Options {
  /** How many hosts; undefined: each of SIZES, as they are and with a tenth of them bad. */
  readonly count: number | undefined;
  readonly isTenthBad: boolean;
  readonly delayMs: number;
  readonly json: boolean;
  /** File of a recording, which is made where there is none; undefined: made, and not kept. */
  readonly recording?: string | undefined;
  /** Further arguments of verify. */
  readonly more: readonly string[];
  /** Of Node, for example --cpu-prof. */
  readonly nodeFlags: readonly string[];
}

interface Gauged {
  readonly cpuMs: number;
  readonly peakBytes: number;
  /** In milliseconds; `during`: while there were connections. */
  readonly blocks: { readonly before: number; readonly during: number; readonly after: number };
}

type Recorded = FleetSpec["recorded"];

/** What `verify` of a fleet of simulated hosts costs the machine that it runs on. */
export async function benchFleet(options: Options): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "meshctl-bench-fleet-"));
  try {
    const file = options.recording ?? join(folder, "recording.json");
    if (!existsSync(file)) await record(file);
    if (process.env[OWN_NETWORK] === undefined) return inOwnNetwork(file);
    const recorded = recordedHosts(file);
    // One file is read and one process started whatever the number: what a fleet of one costs is not a host's.
    const base = await measure(folder, recorded, { ...options, count: 2, isTenthBad: false });
    const kinds =
      options.count === undefined
        ? [false, true].flatMap((isTenthBad) => SIZES.map((count) => ({ count, isTenthBad })))
        : [{ count: options.count, isTenthBad: options.isTenthBad }];
    if (!options.json) console.log(HEAD);
    for (const kind of kinds) {
      const measured = await measure(folder, recorded, { ...options, ...kind });
      console.log(options.json ? JSON.stringify({ ...kind, ...measured }) : row(kind, measured, base));
    }
    if (!options.json) {
      const [cpu] = cpus();
      const machine = `${cpus().length} × ${cpu?.model.trim()}, Node ${process.version}`;
      console.log(
        `\nverify of simulated hosts that answer each question after ${options.delayMs} ms. A host's cost is what is above that of 2 hosts: ${Math.round(base.cpuMs)} ms, ${megabytes(base.peakBytes)} MB. ${machine}`,
      );
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

const OWN_NETWORK = "MESHCTL_BENCH_OWN_NETWORK";

/** Runs this again where port 22 of every address is free, and nothing else can be reached. */
function inOwnNetwork(recording: string): void {
  const again = [process.execPath, ...process.execArgv, process.argv[1]!, "--recording", recording];
  again.push(...process.argv.slice(2));
  const { status } = spawnSync(
    "unshare",
    ["--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", ...again],
    {
      env: { ...process.env, [OWN_NETWORK]: "yes" },
      stdio: "inherit",
    },
  );
  if (status !== 0) throw new Error(`the bench in a network of its own ended with exit code ${status}`);
}

const HEAD = [
  "| hosts | bad | CPU a host, ms | memory a host, MB | CPU, s | memory, MB | wall, s | block, ms | last healthy host, s | lines printed | healthy and not as wanted |",
  "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
].join("\n");

function row(
  { count, isTenthBad }: Pick<Options, "count" | "isTenthBad">,
  measured: Measured,
  base: Measured,
): string {
  const more = count! - 2;
  const cells = [
    count,
    isTenthBad ? Math.floor(count! / 10) : 0,
    ((measured.cpuMs - base.cpuMs) / more).toFixed(1),
    ((measured.peakBytes - base.peakBytes) / more / 2 ** 20).toFixed(2),
    (measured.cpuMs / 1000).toFixed(1),
    megabytes(measured.peakBytes),
    (measured.wallMs / 1000).toFixed(1),
    `${Math.round(measured.blocks.during)} (${Math.round(measured.blocks.before)} before, ${Math.round(measured.blocks.after)} after)`,
    (measured.lastHealthyMs / 1000).toFixed(1),
    measured.printed.lines,
    measured.notAsWanted,
  ];
  return `| ${cells.join(" | ")} |`;
}

function megabytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}

interface Measured extends Gauged {
  readonly wallMs: number;
  /** What it said of them on standard output. */
  readonly printed: { readonly lines: number; readonly bytes: number };
  /** From the beginning of the run until the last host that behaves was looked at. */
  readonly lastHealthyMs: number;
  readonly notAsWanted: number;
  /** What bad hosts came to, for each kind the first one's words. */
  readonly bad: Partial<Record<Mode, string>>;
}

async function measure(
  folder: string,
  recorded: Recorded,
  { count, isTenthBad, delayMs, more, nodeFlags }: Options,
): Promise<Measured> {
  const hosts = simulated(count!, isTenthBad, recorded);
  const inside = (name: string) => join(folder, name);
  // ssh2's own generator makes one now and then that ssh2 cannot read.
  for (const name of ["host", "id"]) if (!existsSync(inside(name))) keygen(inside(name));
  const hostKey = await readFile(inside("host"), "utf8");
  const publicKey = (await readFile(inside("host.pub"), "utf8")).trim();
  const spec: FleetSpec = { port: PORT, hostKey, delayMs, recorded, hosts };
  const known = hosts.map(({ at }) => `${at} ${publicKey}\n`).join("");
  await Promise.all([
    writeFile(inside("spec.json"), JSON.stringify(spec)),
    writeFile(inside("known_hosts"), known),
    writeFile(inside("inventory.yaml"), inventory(hosts, { keys: folder, gateway: gatewayOf(recorded) })),
  ]);
  const server = spawn(
    process.execPath,
    ["--import", "tsx", join(import.meta.dirname, "hosts.ts"), inside("spec.json")],
    { stdio: ["pipe", "pipe", "inherit"], cwd: repositoryRoot },
  );
  try {
    await Promise.race([
      once(server.stdout, "data"),
      once(server, "exit").then(() => Promise.reject(new Error("the simulated hosts did not start"))),
    ]);
    const gauge = pathToFileURL(join(import.meta.dirname, "gauge.mjs")).href;
    const startedAtMs = performance.now();
    const log = inside("events.ndjson");
    // As a person sees it: a table and a summary are made of what programs get row by row.
    const ended = await meshctl(["verify", "-i", inside("inventory.yaml"), "--log-file", log, ...more], {
      env: { GAUGE_FILE: inside("gauge.json"), XDG_STATE_HOME: inside("state") },
      nodeFlags: ["--import", gauge, ...nodeFlags],
    });
    const wallMs = performance.now() - startedAtMs;
    const gauged = JSON.parse(await readFile(inside("gauge.json"), "utf8")) as Gauged;
    const lines = (await readFile(log, "utf8")).trim().split("\n");
    const events = lines.map((line): JsonEvent => JSON.parse(line));
    const printed = { lines: ended.stdout.split("\n").length - 1, bytes: ended.stdout.length };
    return { ...gauged, wallMs, printed, ...told({ ...ended, events }, hosts) };
  } finally {
    server.kill("SIGKILL");
    await once(server, "close");
  }
}

function told(
  ended: Ended,
  hosts: readonly SimulatedHost[],
): Pick<Measured, "lastHealthyMs" | "notAsWanted" | "bad"> {
  const modes = new Map(hosts.map(({ name, mode }) => [name, mode]));
  const isWell = (host: unknown) => modes.get(host as string) === "well";
  const outcomes = summaryOf(ended).hosts;
  const failed = outcomes.filter(({ host, outcome }) => isWell(host) && outcome !== "as wanted");
  for (const { host, because } of failed.slice(0, 5)) console.error(`${host}: ${because}`);
  const first = ended.events.find(({ event }) => event === "run")!;
  const seen = ended.events.filter(({ event, host }) => event === "observed" && isWell(host));
  const atMs = (event: JsonEvent) => Date.parse(event.ts as string);
  const bad = MODES.flatMap((mode) => {
    const one = outcomes.find(({ host }) => mode !== "well" && modes.get(host) === mode);
    return one === undefined ? [] : [[mode, `${one.outcome}: ${one.because}`] as const];
  });
  return {
    lastHealthyMs: Math.max(...seen.map((event) => atMs(event) - atMs(first))),
    notAsWanted: failed.length,
    bad: Object.fromEntries(bad),
  };
}

function simulated(count: number, isTenthBad: boolean, recorded: Recorded): readonly SimulatedHost[] {
  const member = { name: MEMBER, address: recorded[MEMBER]!.address, at: "127.1.0.1", as: MEMBER } as const;
  const proxies = Array.from({ length: count - 1 }, (_, at): SimulatedHost => {
    const index = at + 1;
    const tail = `${Math.floor(index / 200)}.${(index % 200) + 20}`;
    const name = `px-${String(index).padStart(3, "0")}`;
    const mode = modeOf(index, isTenthBad);
    return { name, address: `198.19.${tail}`, at: `127.1.${tail}`, as: PROXY, mode };
  });
  return [{ ...member, mode: "well" }, ...proxies];
}

/** The mesh that is recorded, and that of many hosts like it. */
function inventory(
  hosts: readonly Pick<SimulatedHost, "name" | "address" | "at">[],
  reach: { readonly keys: string; readonly gateway: string },
): string {
  const names = hosts.map(({ name }) => name).join(", ");
  const lines = hosts.map(({ name, address, at }) => {
    const member = name === MEMBER ? ", zookeeper: { id: 1 }" : "";
    return `  ${name}: { address: ${address}, ssh: { host: ${at} }${member} }\n`;
  });
  return `version: 1
ssh:
  user: ops
  identity_file: ${reach.keys}/id
  known_hosts: ${reach.keys}/known_hosts
  host_keys: strict
network:
  proxy: http://${reach.gateway}:3142
mesh:
  ensemble: zookeeper
  proxies: proxies
  services:
    user-api: { path: /services/user-api, port: 8080 }
    order-api: { path: /services/order-api, port: 8081 }
hosts:
${lines.join("")}groups:
  zookeeper: { hosts: [${MEMBER}], zookeeper: { heap: 256M } }
  proxies: { hosts: [${names}], haproxy: { maxconn: 9000 } }
  lab: { hosts: [${names}], preflight: { virtualization: [kvm, none, systemd-nspawn] } }
`;
}

/** The hosts of a recording, with their addresses. */
function recordedHosts(file: string): Recorded {
  const { hosts } = JSON.parse(readFileSync(file, "utf8")) as {
    readonly hosts: Readonly<Record<string, { readonly answers: Readonly<Recording> }>>;
  };
  return Object.fromEntries(
    [MEMBER, PROXY].map((name) => {
      const { answers } = hosts[name]!;
      const [address] = /198\.18\.\d+\.\d+(?=\/)/.exec(JSON.stringify(answers.addresses)) ?? [];
      return [name, { address: address!, answers }];
    }),
  );
}

/** Takes a mesh of two lab hosts from bare to converged and keeps what they answer. */
async function record(file: string): Promise<void> {
  const lab = await startLab({ hosts: 2, log: (line) => console.error(line) });
  try {
    const hosts = lab.hosts.map(({ name, address }) => ({ name, address, at: address }));
    const own = `${file}.inventory.yaml`;
    const text = inventory(hosts, { keys: lab.directory, gateway: lab.gateway });
    await writeFile(own, text.replace(`${lab.directory}/id\n`, `${lab.identityFile}\n`));
    for (const command of [
      ["provision", "--yes"],
      ["verify", "--record", file],
    ]) {
      const ended = await meshctl([...command, "-i", own]);
      if (ended.code !== 0)
        throw new Error(`${command[0]} ended with exit code ${ended.code}\n${ended.stdout}${ended.stderr}`);
    }
    await rm(own);
  } finally {
    await lab.down();
  }
}

function gatewayOf(recorded: Recorded): string {
  return recorded[MEMBER]!.address.replace(/\d+$/, "1");
}
