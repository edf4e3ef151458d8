import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startAttendant } from "./attend.ts";
import { baseImage, pruneBaseImages } from "./base.ts";
import { createLabCgroups } from "./cgroups.ts";
import { LabHost } from "./host.ts";
import { createHostDisk } from "./host-disk.ts";
import { withLock } from "./lock.ts";
import { createNetwork, gatewayOf, hostAddress, hostName, slotsInUse } from "./network.ts";
import { type DebianArchive, machineDebianArchive, sourceLines } from "./package-source.ts";
import { labsLock, stateDirectory } from "./paths.ts";
import { installPrerequisites } from "./prerequisites.ts";
import { identify } from "./process-identity.ts";
import { proxyPort } from "./proxy.ts";
import { allRecords, type LabRecord, readRecord, writeRecord } from "./record.ts";
import { removeLab, sweepStaleLabs, sweepStaleLabsLocked } from "./remove.ts";
import { runOk } from "./run.ts";
import type { Suite } from "./suite.ts";
import { labUnavailable } from "./unavailable.ts";

export type { LabHost } from "./host.ts";

/** The lab people type commands at. Its addresses are known beforehand: slot 0. */
export const demoLab = "demo";

const slots = { first: 1, last: 250 };
const maxHosts = 50;

export interface LabOptions {
  /** Unique to this process unless given. */
  name?: string;
  hosts: number;
  /** Of all hosts; bookworm unless given. */
  suite?: Suite;
  /** Of each host, in order, for a mixed lab. */
  suites?: readonly Suite[];
  /** Cap of each host's memory, as bytes or with K, M, G. 3G unless given. */
  memoryMax?: string;
  /** Leave the lab running when this process ends. Otherwise it goes with it, even after a crash. */
  keep?: boolean;
  log?: (line: string) => void;
}

export interface Lab {
  readonly name: string;
  /** Its state: keys, known hosts, console logs. */
  readonly directory: string;
  readonly hosts: readonly LabHost[];
  /** The machine's address on the lab's network. */
  readonly gateway: string;
  readonly sshUser: "ops";
  readonly identityFile: string;
  readonly knownHostsFile: string;
  /** A forward proxy for http, and for CONNECT to port 443; caches packages. */
  readonly proxyUrl: string;
  /** The machine's CA bundle, to be copied to hosts that go through the proxy. */
  readonly caFile: string;
  /** Arguments of ssh(1) that reach this host and believe only its known key. */
  sshArguments(host: LabHost): string[];
  /** Ends the hosts and removes everything of this lab from the machine. */
  down(): Promise<void>;
}

let labsStarted = 0;

/** Boots throw-away hosts. Resolves when sshd answers and systemd has started on all of them. */
export async function startLab(options: LabOptions): Promise<Lab> {
  const reason = labUnavailable();
  if (reason !== undefined) throw new Error(reason);
  const log = options.log ?? (() => {});
  const name = options.name ?? `t-${process.pid}${labsStarted++ === 0 ? "" : `-${labsStarted}`}`;
  checkOptions(name, options);

  await installPrerequisites(log);
  const archive = await machineDebianArchive();
  const suites = Array.from(
    { length: options.hosts },
    (_, i) => options.suites?.[i] ?? options.suite ?? "bookworm",
  );
  const bases = new Map<Suite, string>();
  for (const suite of new Set(suites)) bases.set(suite, await baseImage(suite, archive, log));

  const record = await allocate(name, suites, bases, options.memoryMax ?? "3G");
  try {
    await boot(record, archive, options.keep ?? false);
  } catch (error) {
    await removeLab(name);
    throw error;
  }
  return labOf(record);
}

/** A lab that is up, whoever started it. */
export async function attachLab(name: string): Promise<Lab> {
  const reason = labUnavailable();
  if (reason !== undefined) throw new Error(reason);
  await sweepStaleLabs();
  const record = readRecord(name);
  if (record === undefined) {
    throw new Error(`No lab '${name}' is up. Start it with: npm run lab -- up${nameOption(name)}`);
  }
  if (!record.ready) throw new Error(`The lab '${name}' is still starting.`);
  return labOf(record);
}

/** As typed after `npm run lab -- COMMAND`. */
export const nameOption = (name: string): string => (name === demoLab ? "" : ` --name ${name}`);

function checkOptions(name: string, options: LabOptions): void {
  if (!/^[a-z0-9][a-z0-9-]{0,39}$/.test(name)) {
    throw new Error(`A lab's name is up to 40 of a-z, 0-9 and '-', not '${name}'.`);
  }
  if (!Number.isInteger(options.hosts) || options.hosts < 1 || options.hosts > maxHosts) {
    throw new Error(`A lab has 1 to ${maxHosts} hosts, not ${options.hosts}.`);
  }
  if (options.suites !== undefined && options.suites.length !== options.hosts) {
    throw new Error(`A lab of ${options.hosts} hosts needs as many suites, not ${options.suites.length}.`);
  }
}

/** Takes a name and a slot. From here on the lab exists, and is removed with its owner. */
function allocate(
  name: string,
  suites: readonly Suite[],
  bases: ReadonlyMap<Suite, string>,
  memoryMax: string,
): Promise<LabRecord> {
  return withLock(labsLock, async () => {
    await sweepStaleLabsLocked();
    const records = await allRecords();
    if (records.some((record) => record.name === name)) {
      throw new Error(
        `The lab '${name}' is already up. Take it down first: npm run lab -- down${nameOption(name)}`,
      );
    }
    const slot =
      name === demoLab ? 0 : freeSlot([...records.map((record) => record.slot), ...(await slotsInUse())]);
    const hosts = suites.map((suite, index) => ({
      name: hostName(index),
      address: hostAddress(slot, index),
      suite,
      base: bases.get(suite)!,
    }));
    const owner = identify(process.pid)!;
    const record = { name, slot, memoryMax, hosts, owner, createdAt: new Date().toISOString(), ready: false };
    await writeRecord(record);
    await createLabCgroups(name);
    const inUse = [...records.flatMap((other) => other.hosts), ...hosts].map((host) => host.base);
    await pruneBaseImages(inUse);
    return record;
  });
}

function freeSlot(taken: readonly number[]): number {
  for (let slot = slots.first; slot <= slots.last; slot++) if (!taken.includes(slot)) return slot;
  throw new Error("All 250 slots for labs are taken. Take some down: npm run lab -- down --all");
}

async function boot(record: LabRecord, archive: DebianArchive, keep: boolean): Promise<void> {
  const lab = labOf(record);
  const attendant = startAttendant(lab.name, lab.gateway);
  await writeRecord({ ...record, attendant: attendant.process });
  await Promise.all([createNetwork(lab.name, record.slot), createDisks(record, lab, archive)]);
  await Promise.all([attendant.serve(), ...lab.hosts.map((host) => host.powerOn())]);
  const { owner, ...kept } = record;
  await writeRecord({
    ...kept,
    ...(keep ? {} : { owner: owner! }),
    attendant: attendant.process,
    ready: true,
  });
  if (keep) attendant.keep();
}

async function createDisks(record: LabRecord, lab: Lab, archive: DebianArchive): Promise<void> {
  await runOk("ssh-keygen", [
    "-q",
    "-t",
    "ed25519",
    "-N",
    "",
    "-C",
    `lab-${lab.name}`,
    "-f",
    lab.identityFile,
  ]);
  await copyFile("/etc/ssl/certs/ca-certificates.crt", lab.caFile);
  const knownHosts = await Promise.all(
    record.hosts.map((host) =>
      createHostDisk(lab.name, host, sourceLines(archive, host.suite), `${lab.identityFile}.pub`),
    ),
  );
  await writeFile(lab.knownHostsFile, `${knownHosts.flat().join("\n")}\n`);
}

function labOf(record: LabRecord): Lab {
  const directory = stateDirectory(record.name);
  const [identityFile, knownHostsFile] = [join(directory, "id_ed25519"), join(directory, "known_hosts")];
  const gateway = gatewayOf(record.slot);
  return {
    name: record.name,
    directory,
    hosts: record.hosts.map((host) => new LabHost(record.name, record.memoryMax, host)),
    gateway,
    sshUser: "ops",
    identityFile,
    knownHostsFile,
    proxyUrl: `http://${gateway}:${proxyPort}`,
    caFile: join(directory, "ca.pem"),
    sshArguments: (host) => [
      ...["-F", "none", "-i", identityFile, "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=yes"],
      ...["-o", `UserKnownHostsFile=${knownHostsFile}`, "-o", "GlobalKnownHostsFile=none"],
      `ops@${host.address}`,
    ],
    down: () => removeLab(record.name),
  };
}
