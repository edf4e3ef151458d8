import { eventually, killBackend, mustRun, startBackend } from "../e2e/backends.ts";
import { tellHaproxy } from "../e2e/haproxy.ts";
import type { Lab, LabHost } from "../lab/lab.ts";

/** Something that happens to the mesh, and what makes it good again. */
export interface Fault {
  readonly name: string;
  strike(mesh: Mesh): Promise<unknown>;
  mend(mesh: Mesh): Promise<unknown>;
}

/** Three hosts with ZooKeeper and a proxy each; two have a backend, and requests go through the third one's proxy. */
export interface Mesh {
  readonly hosts: readonly LabHost[];
  /** Host of the backend "alpha", which is the one that faults happen to. */
  readonly alpha: LabHost;
  readonly beta: LabHost;
  readonly proxy: LabHost;
}

export const BACKEND_PORT = 9001;

export function meshOf({ hosts }: Lab): Mesh {
  const [alpha, beta, proxy] = hosts as [LabHost, LabHost, LabHost];
  return { hosts, alpha, beta, proxy };
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
];

function signal(host: LabHost, unit: string, name: string): Promise<string> {
  return mustRun(host, `systemctl kill --signal=${name} ${unit}.service`);
}

async function toggleFailing({ alpha, beta }: Mesh): Promise<void> {
  await Promise.all([signal(alpha, "backend-alpha", "USR1"), signal(beta, "backend-beta", "USR1")]);
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
