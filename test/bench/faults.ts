import { setTimeout as sleep } from "node:timers/promises";
import { eventually, killBackend, mustRun, startBackend } from "../e2e/backends.ts";
import { tellHaproxy } from "../e2e/haproxy.ts";
import { starve } from "../lab/cgroups.ts";
import type { Lab, LabHost } from "../lab/lab.ts";
import { deprioritize } from "../lab/open-loop.ts";

/** Something that happens to the mesh, and what makes it good again. */
export interface Fault {
  readonly name: string;
  strike(mesh: Mesh): Promise<unknown>;
  mend(mesh: Mesh): Promise<unknown>;
  /** Nothing is dead while it lasts, and no check should cost a request: it is measured without checks, too. */
  readonly isStall?: true;
}

/** Three hosts with ZooKeeper and a proxy each; two have a backend, and requests go through the third one's proxy. */
export interface Mesh {
  /** The lab's name. */
  readonly lab: string;
  readonly hosts: readonly LabHost[];
  /** Host of the backend "alpha", which is the one that faults happen to. */
  readonly alpha: LabHost;
  readonly beta: LabHost;
  readonly proxy: LabHost;
}

export const BACKEND_PORT = 9001;

export function meshOf({ name: lab, hosts }: Lab): Mesh {
  const [alpha, beta, proxy] = hosts as [LabHost, LabHost, LabHost];
  return { lab, hosts, alpha, beta, proxy };
}

export const faults: readonly Fault[] = [
  {
    name: "backend killed",
    strike: async ({ alpha }) => {
      await killBackend(alpha, "alpha");
    },
    mend: ({ alpha }) => startBackend(alpha, "alpha", BACKEND_PORT),
  },
  {
    name: "backend frozen (SIGSTOP)",
    strike: ({ alpha }) => signal(alpha, "backend-alpha", "STOP"),
    mend: async ({ alpha }) => {
      await killBackend(alpha, "alpha");
      await startBackend(alpha, "alpha", BACKEND_PORT);
    },
  },
  {
    name: "backend's host vanished",
    strike: ({ alpha }) => alpha.vanish(),
    mend: ({ alpha }) => alpha.appear(),
  },
  { name: "5 % of answers are 500", strike: toggleFailing, mend: toggleFailing },
  {
    name: "ZooKeeper member killed",
    strike: async (mesh) => signal(await memberThat(mesh, "follower"), "zookeeper", "KILL"),
    mend: untilServing,
  },
  {
    name: "ZooKeeper leader killed",
    strike: async (mesh) => signal(await memberThat(mesh, "leader"), "zookeeper", "KILL"),
    mend: untilServing,
  },
  {
    name: "watcher killed",
    strike: ({ proxy }) => signal(proxy, "meshctl-watcher", "KILL"),
    mend: async () => {},
  },
  {
    name: "HAProxy's worker killed",
    strike: async ({ proxy }) => {
      const worker = /^Pid: (\d+)/m.exec(await tellHaproxy(proxy, "show info"))![1];
      await mustRun(proxy, `kill -KILL ${worker}`);
    },
    mend: async () => {},
  },
  {
    name: "proxy's host starved of CPU for 4 s",
    isStall: true,
    strike: async ({ lab, proxy }) => {
      await deprioritize(proxy);
      const feed = await starve(lab, proxy.name, STARVED_PERCENT);
      await sleep(4_000);
      await feed();
    },
    mend: async () => {},
  },
  {
    name: "all backends paused for 2 s",
    isStall: true,
    strike: async (mesh) => {
      await signalBackends(mesh, "STOP");
      await sleep(2_000);
      await signalBackends(mesh, "CONT");
    },
    mend: async () => {},
  },
];

/** Of one processor: HAProxy answers, and its checks do not in time. */
const STARVED_PERCENT = 1;

function signal(host: LabHost, unit: string, name: string): Promise<string> {
  return mustRun(host, `systemctl kill --signal=${name} ${unit}.service`);
}

function toggleFailing(mesh: Mesh): Promise<void> {
  return signalBackends(mesh, "USR1");
}

async function signalBackends({ alpha, beta }: Mesh, name: string): Promise<void> {
  await Promise.all([signal(alpha, "backend-alpha", name), signal(beta, "backend-beta", name)]);
}

const FOUR_LETTERS = `timeout 3 bash -c 'exec 3<>"/dev/tcp/$0/2181"; printf srvr >&3; cat <&3'`;

/** "leader", "follower", or what it said instead. */
async function modeOf(host: LabHost): Promise<string> {
  const { stdout } = await host.exec(`${FOUR_LETTERS} ${host.address}`);
  return /^Mode: (\w+)/m.exec(stdout)?.[1] ?? stdout.trim();
}

async function memberThat({ hosts }: Mesh, mode: string): Promise<LabHost> {
  for (const host of [...hosts].reverse()) if ((await modeOf(host)) === mode) return host;
  throw new Error(`no member of the ensemble is ${mode}`);
}

async function untilServing({ hosts }: Mesh): Promise<void> {
  await eventually(
    "every member serves",
    () => Promise.all(hosts.map(modeOf)),
    (modes) => modes.filter((mode) => mode === "follower").length === 2 && modes.includes("leader"),
    60_000,
  );
}
