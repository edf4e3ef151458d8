import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { type Lab, type LabHost, startLab } from "../lab/lab.ts";
import {
  deregister,
  eventually,
  listChildren,
  mustRun,
  register,
  startBackend,
  zookeeper,
} from "./backends.ts";
import { liveServers, serversOf, tellHaproxy } from "./haproxy.ts";
import { countAnswers } from "./http.ts";
import { type Ended, inventoryFor, meshctl, oneHost, openRows } from "./meshctl.ts";

const SERVICE = "user-api";
const PANIC = "user-api:panic";
const PATH = `/services/${SERVICE}`;
const PORT = 8080;
/** Nobody listens there: a server whose checks go to it is DOWN and serves all the same. */
const NOBODY = { haproxy_server_options: "port 9" };
const BACKENDS = { alpha: 9001, beta: 9002, gamma: 9003, delta: 9004 } as const;

const PLAYBOOK = `
version: 1
plays:
  - { hosts: zookeeper, steps: { zookeeper: {} } }
  - { hosts: proxies, steps: { haproxy: {}, watcher: {} } }
`;

let lab: Lab;
let host: LabHost;
let playbook: string;
let arguments_: readonly string[];

beforeAll(async () => {
  lab = await startLab({ hosts: 1 });
  host = lab.hosts[0]!;
  playbook = join(await mkdtemp(join(tmpdir(), "meshctl-e2e-")), "playbook.yaml");
  await writeFile(playbook, PLAYBOOK);
  arguments_ = ["-i", await inventoryFor(lab, oneHost), "-p", playbook, "--json"];
  expect(openRows(await meshctl(["provision", "--yes", ...arguments_]))).toEqual([]);
  for (const [name, port] of Object.entries(BACKENDS)) await startBackend(host, name, port);
});

// What a test that fails leaves must not fail the next one.
afterEach(async () => {
  const names = await listChildren(host, PATH);
  await zookeeper(
    host,
    names.map((name) => `delete ${PATH}/${name}`),
  );
});

afterAll(() => lab?.down());

const verify = (): Promise<Ended> => meshctl(["verify", ...arguments_]);

function add(name: keyof typeof BACKENDS, more = {}): Promise<void> {
  return register(host, PATH, { name, host, port: BACKENDS[name], more });
}

const nameOf = (server: string) => server.split("_")[0]!;

/** "alpha UP, beta DOWN", without those that have left. */
async function statesOf(backend: string): Promise<string> {
  return (await serversOf(host, backend))
    .filter(({ status }) => !status.startsWith("MAINT"))
    .map(({ name, status }) => `${nameOf(name)} ${/^\w+/.exec(status)![0]}`)
    .sort()
    .join(", ");
}

async function until(backend: string, states: string): Promise<void> {
  await eventually(
    `${backend}: ${states}`,
    () => statesOf(backend),
    (now) => now === states,
    90_000,
  );
}

/** Who answered some requests, failures as what was said instead. */
async function answering(): Promise<string> {
  return [...(await countAnswers(host, PORT, 12)).keys()].sort().join(" ");
}

/** A worker that was loaded a moment ago has all servers UP until they fail their checks. */
async function untilAnswering(names: string): Promise<void> {
  await eventually(`${names} answer`, answering, (now) => now === names);
}

const rowOf = ({ events }: Ended) => events.find(({ setting }) => setting === `${SERVICE} panic threshold`)!;

it("sends requests to all servers while fewer than half of them are up, and to those alone otherwise", async () => {
  await add("alpha");
  await add("beta", NOBODY);
  await until(SERVICE, "alpha UP, beta DOWN");
  await until(PANIC, "alpha no, beta no");
  await untilAnswering("alpha");
  await add("gamma", NOBODY);
  await until(SERVICE, "alpha UP, beta DOWN, gamma DOWN");
  await until(PANIC, "alpha no, beta no, gamma no");
  await untilAnswering("alpha beta gamma");
  const { code, events } = await meshctl(["status", ...arguments_]);
  expect(code).toBe(2);
  expect(events.find(({ kind }) => kind === "panic")).toMatchObject({
    what:
      "user-api: 1 of 3 servers are up by their checks, fewer than panic_threshold (50%): " +
      "requests go to all of them",
  });
  expect(rowOf(await verify())).toMatchObject({ verdict: "proven", want: "50%" });
  // Who has left is counted no more, without a reload of HAProxy.
  await deregister(host, PATH, "gamma");
  await until(PANIC, "alpha no, beta no");
  await untilAnswering("alpha");
  expect(openRows(await verify()).filter((row) => row.includes("panic"))).toEqual([]);
});

it("serves from the only server, whatever its checks say", async () => {
  await add("beta", NOBODY);
  await until(SERVICE, "beta DOWN");
  await until(PANIC, "beta no");
  await untilAnswering("beta");
});

it("leaves all to a backup, where there is one", async () => {
  await add("alpha", NOBODY);
  await add("beta", NOBODY);
  await add("gamma", NOBODY);
  await add("delta", { haproxy_server_options: "backup" });
  await until(SERVICE, "alpha DOWN, beta DOWN, delta UP, gamma DOWN");
  await until(PANIC, "");
  await untilAnswering("delta");
  await eventually(
    "all but the down ones is proven",
    async () => openRows(await verify()),
    (open) => open.length === 0,
  );
  await deregister(host, PATH, "delta");
  await until(PANIC, "alpha no, beta no, gamma no");
  await untilAnswering("alpha beta gamma");
});

it("names a server of the second back end that somebody took out by hand, and what brings it back", async () => {
  await add("alpha");
  await add("beta");
  await until(PANIC, "alpha no, beta no");
  const server = (await liveServers(host, PANIC)).find((name) => name.startsWith("alpha"))!;
  await eventually(
    "every setting is proven",
    async () => openRows(await verify()),
    (open) => open.length === 0,
  );
  await tellHaproxy(host, `disable server ${PANIC}/${server}`);
  const row = rowOf(await verify());
  expect(row.verdict).toBe("blocked");
  const undo = `set server ${PANIC}/${server} state ready`;
  expect(String(row.because)).toContain(`changed by hand: ${PANIC}/${server} is in maintenance`);
  expect(String(row.because)).toContain(undo);
  await tellHaproxy(host, undo);
  expect(openRows(await verify())).toEqual([]);
});

it("does nothing of it with 0, after one reload, and no restart of HAProxy", async () => {
  await add("alpha", NOBODY);
  await until(SERVICE, "alpha DOWN");
  const master = () => mustRun(host, "systemctl show --property=MainPID --value haproxy");
  const before = await master();
  const off = await inventoryFor(lab, (yaml) =>
    oneHost(yaml).replace("  services:\n", "  panic_threshold: 0\n  services:\n"),
  );
  const provisioned = await meshctl(["provision", "--yes", "-i", off, "-p", playbook, "--json"]);
  expect(openRows(provisioned)).toEqual([]);
  expect(await master()).toBe(before);
  expect(await mustRun(host, "cat /etc/haproxy/haproxy.cfg")).not.toContain("panic");
  await until(SERVICE, "alpha DOWN");
  expect(await answering()).not.toContain("alpha");
});
