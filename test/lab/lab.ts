import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startAttendant } from "./attend.ts";
import { baseImage, pruneBaseImages } from "./base.ts";
import { createLabCgroups } from "./cgroups.ts";
import { ContainerHost } from "./host.ts";
import { createHostDisk } from "./host-disk.ts";
import type { LabHost } from "./lab-host.ts";
import { existingLayer, keepLayer, layerKey, pruneLayers, removeLayer, slotsWithLayer } from "./layer.ts";
import { withLock } from "./lock.ts";
import { createNetwork, gatewayOf, hostAddress, hostName, slotsInUse } from "./network.ts";
import { type DebianArchive, machineDebianArchive, sourceLines } from "./package-source.ts";
import { labCommand, labsLock, stateDirectory } from "./paths.ts";
import { installPrerequisites } from "./prerequisites.ts";
import { identify } from "./process-identity.ts";
import { proxyPort } from "./proxy.ts";
import { allRecords, type LabRecord, readRecord, writeRecord } from "./record.ts";
import { removeLab, sweepStaleLabs, sweepStaleLabsLocked } from "./remove.ts";
import { runOk } from "./run.ts";
import type { Suite } from "./suite.ts";
import { labUnavailable } from "./unavailable.ts";
import { accelerator } from "./vm/accelerator.ts";
import { createVmDisk } from "./vm/disk.ts";
import { vmImage } from "./vm/image.ts";
import { VirtualMachine } from "./vm/machine.ts";

export type { LabHost } from "./lab-host.ts";

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
  /** Virtual machines in place of containers. `layer` is not for them. */
  vm?: boolean;
  /** Cap of each host's memory, as bytes or with K, M, G. 3G unless given. */
  memoryMax?: string;
  /**
   * What is to be made of the hosts before the lab is handed out, from the layer that an earlier lab of the same recipe
   * left, or once more.
   */
  layer?: LayerRecipe;
  /** Leave the lab running when this process ends. Otherwise it goes with it, even after a crash. */
  keep?: boolean;
  log?: (line: string) => void;
}

interface LayerRecipe {
  /** Tells what `make` makes from everything else that it might: a digest of all that goes into it. */
  readonly recipe: string;
  /** Makes it of bare hosts, whose addresses may be part of it. They are booted again afterwards. */
  readonly make: (lab: Lab) => Promise<void>;
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
  /** For a layer that turned out not to be what its recipe says: the next lab has it made again. */
  forgetLayer(): Promise<void>;
}

let labsStarted = 0;

/** Boots throw-away hosts. Resolves when sshd answers and systemd has started on all of them. */
export async function startLab(options: LabOptions): Promise<Lab> {
  const reason = labUnavailable();
  if (reason !== undefined) throw new Error(reason);
  const log = options.log ?? (() => {});
  const name = options.name ?? `t-${process.pid}${labsStarted++ === 0 ? "" : `-${labsStarted}`}`;
  checkOptions(name, options);

  const isVm = options.vm === true;
  await installPrerequisites(log, isVm);
  const archive = await machineDebianArchive();
  const suites = Array.from(
    { length: options.hosts },
    (_, i) => options.suites?.[i] ?? options.suite ?? "bookworm",
  );
  const bases = new Map<Suite, string>();
  for (const suite of new Set(suites)) {
    const base = await baseImage(suite, archive, log);
    bases.set(suite, isVm ? await vmImage(suite, base, log) : base);
  }
  const vm = isVm ? await accelerator(bases.get(suites[0]!)!, log) : undefined;

  const key =
    options.layer === undefined ? undefined : await layerKey(options.layer.recipe, [...bases.values()]);
  const record = await allocate(name, suites, bases, options.memoryMax ?? "3G", key, vm);
  try {
    return labOf(await boot(record, archive, { key, ...options }));
  } catch (error) {
    await removeLab(name);
    throw error;
  }
}

/** A lab that is up, whoever started it. */
export async function attachLab(name: string): Promise<Lab> {
  const reason = labUnavailable();
  if (reason !== undefined) throw new Error(reason);
  await sweepStaleLabs();
  const record = readRecord(name);
  if (record === undefined) {
    throw new Error(`No lab '${name}' is up. Start it with: ${labCommand} up${nameOption(name)}`);
  }
  if (!record.ready) throw new Error(`The lab '${name}' is still starting.`);
  return labOf(record);
}

/** As typed behind a command of the lab. */
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
  key: string | undefined,
  vm: LabRecord["vm"],
): Promise<LabRecord> {
  return withLock(labsLock, async () => {
    await sweepStaleLabsLocked();
    const records = await allRecords();
    if (records.some((record) => record.name === name)) {
      throw new Error(
        `The lab '${name}' is already up. Take it down first: ${labCommand} down${nameOption(name)}`,
      );
    }
    const taken = [...records.map((record) => record.slot), ...(await slotsInUse())];
    const prepared = key === undefined ? [] : await slotsWithLayer(key);
    const slot = name === demoLab ? 0 : freeSlot(taken, prepared);
    const layer = key === undefined ? undefined : await existingLayer(key, slot);
    const hosts = suites.map((suite, index) => ({
      name: hostName(index),
      address: hostAddress(slot, index),
      suite,
      base: bases.get(suite)!,
    }));
    const owner = identify(process.pid)!;
    const record = {
      ...{ name, slot, memoryMax, hosts, owner, createdAt: new Date().toISOString(), ready: false },
      ...(layer === undefined ? {} : { layer }),
      ...(vm === undefined ? {} : { vm }),
    };
    await writeRecord(record);
    await createLabCgroups(name);
    const inUse = [...records.flatMap((other) => other.hosts), ...hosts].map((host) => host.base);
    await pruneBaseImages(inUse);
    await pruneLayers([...records, record]);
    return record;
  });
}

function freeSlot(taken: readonly number[], preferred: readonly number[]): number {
  const isFree = (slot: number) => !taken.includes(slot);
  const prepared = preferred.find(isFree);
  if (prepared !== undefined) return prepared;
  for (let slot = slots.first; slot <= slots.last; slot++) if (isFree(slot)) return slot;
  throw new Error(`All 250 slots for labs are taken. Take some down: ${labCommand} down --all`);
}

/** Returns the record of the lab as it is then. */
async function boot(
  record: LabRecord,
  archive: DebianArchive,
  { keep = false, key, layer }: Pick<LabOptions, "keep" | "layer"> & { key: string | undefined },
): Promise<LabRecord> {
  const lab = labOf(record);
  const attendant = startAttendant(lab.name, lab.gateway);
  const attended = { ...record, attendant: attendant.process };
  await writeRecord(attended);
  await Promise.all([createNetwork(lab.name, record.slot), createIdentity(lab)]);
  await Promise.all([attendant.serve(), powerOn(attended, archive)]);
  const made =
    layer === undefined || key === undefined || record.layer !== undefined
      ? attended
      : await bootFromLayer(attended, archive, key, layer);
  const { owner, ...kept } = made;
  const ready = { ...kept, ...(keep ? {} : { owner: owner! }), ready: true };
  await writeRecord(ready);
  if (keep) attendant.keep();
  return ready;
}

/** Has the layer made of hosts that are up, keeps it, and boots them from it as every later lab does. */
async function bootFromLayer(
  record: LabRecord,
  archive: DebianArchive,
  key: string,
  { make }: LayerRecipe,
): Promise<LabRecord> {
  const lab = labOf(record);
  await make(lab);
  await Promise.all(lab.hosts.map((host) => host.powerOff()));
  const layered = { ...record, layer: await keepLayer(key, record) };
  await writeRecord(layered);
  await powerOn(layered, archive);
  return layered;
}

/** Boots every host from a new disk. */
async function powerOn(record: LabRecord, archive: DebianArchive): Promise<void> {
  const lab = labOf(record);
  const knownHosts = await Promise.all(
    record.hosts.map((host) =>
      record.vm === undefined
        ? createHostDisk(lab.name, host, sourceLines(archive, host.suite), `${lab.identityFile}.pub`)
        : createVmDisk(lab.name, host, `${lab.identityFile}.pub`),
    ),
  );
  await writeFile(lab.knownHostsFile, `${knownHosts.flat().join("\n")}\n`);
  await Promise.all(lab.hosts.map((host) => host.powerOn()));
}

async function createIdentity(lab: Lab): Promise<void> {
  const comment = `lab-${lab.name}`;
  await runOk("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", lab.identityFile]);
  await copyFile("/etc/ssl/certs/ca-certificates.crt", lab.caFile);
}

function labOf(record: LabRecord): Lab {
  const directory = stateDirectory(record.name);
  const [identityFile, knownHostsFile] = [join(directory, "id_ed25519"), join(directory, "known_hosts")];
  const gateway = gatewayOf(record.slot);
  return {
    name: record.name,
    directory,
    hosts: record.hosts.map((host) =>
      record.vm === undefined ? new ContainerHost(record, host) : new VirtualMachine(record, host, record.vm),
    ),
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
    forgetLayer: async () => (record.layer === undefined ? undefined : removeLayer(record.layer)),
  };
}
