import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Lab, LabHost } from "../lab/lab.ts";
import { eventually, mustRun, register } from "./backends.ts";
import { convergedLab } from "./converged.ts";
import { frozen, givenBack, stopped } from "./given-back.ts";
import { type Ended, inventoryFor, type JsonEvent, openRows, startMeshctl, summaryOf } from "./meshctl.ts";

let lab: Lab;
let hosts: readonly LabHost[];
let inventory: string;

beforeAll(async () => {
  lab = await convergedLab();
  hosts = lab.hosts;
  inventory = await inventoryFor(lab);
  expectProven(await provision(inventory).ended);
  await register(hosts[0]!, "/services/user-api", { name: "kept", host: hosts[0]!, port: 9 });
});

afterAll(() => lab?.down());

const start = (command: readonly string[], file: string) =>
  startMeshctl([...command, "-i", file, "-p", "playbooks/zookeeper.yaml", "--json"]);
const provision = (file: string) => start(["provision", "--yes"], file);
const verify = (file: string) => start(["verify"], file).ended;

/** The inventory with other parameters for the whole ensemble. */
const withParameters = (parameters: string) =>
  inventoryFor(lab, (yaml) => yaml.replace("heap: 256M", `heap: 256M, ${parameters}`));

function expectProven(ended: Ended): void {
  expect(openRows(ended)).toEqual([]);
  expect(ended.code).toBe(0);
}

/** Leader, follower, "" for a member that serves nobody, undefined for one that does not listen. */
function roleOf({ address }: LabHost): Promise<string | undefined> {
  return new Promise((told) => {
    let answer = "";
    const socket = connect({ host: address, port: 2181 }, () => socket.write("srvr"));
    const end = (role: string | undefined) => {
      socket.destroy();
      told(role);
    };
    socket.setTimeout(2_000, () => end(undefined));
    socket.on("data", (data) => {
      answer += data;
    });
    socket.once("error", () => end(undefined));
    socket.once("close", () => end(/^Mode: (\w+)/m.exec(answer)?.[1] ?? ""));
  });
}

const roles = () => Promise.all(hosts.map(roleOf));
const serving = (each: readonly (string | undefined)[]) =>
  each.filter((role) => role === "leader" || role === "follower").length;

/** What the members said of themselves, again and again, until `over`. */
async function watchRoles(over: Promise<unknown>): Promise<(string | undefined)[][]> {
  const seen: (string | undefined)[][] = [];
  let isOver = false;
  const done = over.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    seen.push(await roles());
    await new Promise((resume) => setTimeout(resume, 50));
  }
  await done;
  return seen;
}

async function quorumOf(members: number): Promise<void> {
  await eventually(
    `${members} members serve`,
    async () => serving(await roles()),
    (count) => count === members,
    180_000,
  );
}

const changes = ({ events }: Ended) =>
  events.filter(({ event }) => event === "changing").map(({ host, change }) => `${host} ${change}`);

/** Rows that forbid every change, as "host setting: reason". */
const blockedRows = (ended: Ended) => openRows(ended).filter((row) => row.includes(": blocked: "));

describe.sequential("a living ensemble", () => {
  it("takes a new setting member by member, leader last, and serves all the while", async () => {
    const before = await roles();
    const leader = hosts[before.indexOf("leader")]!;
    const run = provision(await withParameters("tick_time: 1500"));
    const lastBegins = run.event(({ event, host }) => event === "changing" && host === leader.name);
    const followersTurn = await watchRoles(lastBegins);
    const leadersTurn = await watchRoles(run.ended);
    const ended = await run.ended;
    expectProven(ended);
    expect(changes(ended)).toHaveLength(3);
    expect(changes(ended).at(-1)).toBe(`${leader.name} configuration`);
    expect(Math.min(...followersTurn.map(serving))).toBeGreaterThanOrEqual(2);
    // While a new leader is elected nobody serves for a moment, but never does a second member end.
    const listening = leadersTurn.map((each) => each.filter((role) => role !== undefined).length);
    expect(Math.min(...listening)).toBeGreaterThanOrEqual(2);
  });

  it("has a member that is down started again, and no other touched", async () => {
    const file = await withParameters("tick_time: 1500");
    await stopped(hosts[1]!, "zookeeper");
    const ended = await provision(file).ended;
    expectProven(ended);
    expect(changes(ended)).toEqual(["kvm-02 start"]);
  });

  it("has a member left alone that answers nothing: what only that tells is unknown, and no reason to restart it", async () => {
    const file = await withParameters("tick_time: 1500");
    const host = hosts[(await roles()).indexOf("follower")]!;
    const start = () => mustRun(host, "systemctl show -p InvocationID -p MainPID zookeeper");
    const before = await start();
    const thaw = await frozen(host, "zookeeper.service");
    const ended = await provision(file).ended;
    expect(changes(ended)).toEqual([]);
    const own = openRows(ended).filter((row) => row.startsWith(`${host.name} zookeeper `));
    for (const setting of ["role", "4lw.commands.whitelist"])
      expect(own).toContainEqual(
        expect.stringMatching(`${setting}: unknown: .*srvr: no end of its answer in time`),
      );
    expect(await start()).toBe(before);
    await thaw();
    await quorumOf(3);
    await eventually(
      "nothing is open",
      async () => openRows(await verify(file)),
      (open) => open.length === 0,
      180_000,
    );
  });

  it("is not restarted while a member has vanished, and says why", async () => {
    const appear = givenBack(() => hosts[2]!.appear());
    await hosts[2]!.vanish();
    await quorumOf(2);
    const run = provision(await withParameters("tick_time: 1600"));
    const held = await run.event(({ event }: JsonEvent) => event === "waiting");
    expect(held.because).toMatch(/would end the quorum: 2 of the other members must serve/);
    run.signal("SIGINT");
    const ended = await run.ended;
    expect(ended.code).toBe(130);
    expect(changes(ended)).toEqual([]);
    expect(summaryOf(ended).hosts.map(({ outcome }) => outcome)).toEqual([
      "interrupted",
      "interrupted",
      "unreachable",
    ]);
    expect(serving(await roles())).toBe(2);
    await appear();
    await quorumOf(3);
  });

  it("keeps its members when the inventory drops one", async () => {
    const file = await inventoryFor(lab, (yaml) =>
      yaml.replace(/(zookeeper:\n {4}hosts: )\[.*\]/, "$1[kvm-01, kvm-02]"),
    );
    for (const [command, code] of [
      ["verify", 2],
      ["provision", 1],
    ] as const) {
      const ended = await (command === "verify" ? verify(file) : provision(file).ended);
      expect(ended.code).toBe(code);
      expect(changes(ended)).toEqual([]);
      expect(blockedRows(ended)).toEqual([
        expect.stringMatching(/^kvm-01 zookeeper members: blocked: the ensemble lives/),
        expect.stringMatching(/^kvm-02 zookeeper members: blocked: the ensemble lives/),
      ]);
    }
    await quorumOf(3);
  });

  it("does not let a member start without the data it had", async () => {
    const file = await withParameters("tick_time: 1500");
    const data = "/var/lib/zookeeper/data/version-2";
    await stopped(hosts[0]!, "zookeeper");
    const putBack = givenBack(() =>
      mustRun(hosts[0]!, `test ! -e /root/version-2 || { rm -rf ${data} && mv /root/version-2 ${data}; }`),
    );
    await mustRun(hosts[0]!, `mv ${data} /root/ && install -d -o zookeeper ${data}`);
    const ended = await provision(file).ended;
    expect(blockedRows(ended)).toEqual([
      expect.stringMatching(/^kvm-01 zookeeper dataDir: blocked: .* is empty/),
    ]);
    expect(changes(ended)).toEqual([]);
    expect((await host1Starts()).code).not.toBe(0);
    await mustRun(hosts[0]!, `rmdir ${data}`);
    await putBack();
    expectProven(await provision(file).ended);
  });

  const host1Starts = () =>
    hosts[0]!.exec("systemctl start zookeeper; sleep 1; systemctl is-active --quiet zookeeper");

  it("has its transaction log moved to a disk of its own in the words of the refusal, one member at a time", async () => {
    const logs = "/srv/txlog";
    const file = await withParameters(`tick_time: 1500, data_log_dir: ${logs}`);
    const refused = await verify(file);
    for (const host of hosts) {
      const blocked = blockedRows(refused).find((row) => row.startsWith(`${host.name} zookeeper dataDir: `));
      const [, advice] = / one member at a time: (.*), then run meshctl again/.exec(blocked ?? "") ?? [];
      expect(advice, blocked).toContain(`mv /var/lib/zookeeper/data/version-2/log.* ${logs}/version-2/`);
      await mustRun(host, advice!);
      // Stopped as it is, it is not started without what it wrote.
      const other = await startMeshctl(
        [
          "provision",
          "--yes",
          "-i",
          await withParameters("tick_time: 1500, data_log_dir: /srv/other"),
        ].concat(["-p", "playbooks/zookeeper.yaml", "--json", "--limit", host.name]),
      ).ended;
      expect(changes(other)).toEqual([]);
      const ended = await start(["provision", "--yes", "--limit", host.name], file).ended;
      expect(openRows(ended).filter((row) => row.startsWith(`${host.name} `))).toEqual([]);
      expect(changes(ended)).toEqual([`${host.name} configuration`]);
      await quorumOf(3);
      expect(await mustRun(host, `cd ${logs}/version-2 && ls`)).toMatch(/^log\./);
    }
    expectProven(await verify(file));
    await mustRun(hosts[0]!, `mv ${logs} /srv/away`);
    const putBack = givenBack(() => mustRun(hosts[0]!, `test ! -e /srv/away || mv /srv/away ${logs}`));
    await stopped(hosts[0]!, "zookeeper");
    expect((await host1Starts()).code).not.toBe(0);
    await putBack();
    expectProven(await provision(file).ended);
  });

  it("still has what was written before all this", async () => {
    const list = `/usr/share/zookeeper/bin/zkCli.sh -server ${hosts[2]!.address}:2181 ls /services/user-api 2>&1`;
    expect(await mustRun(hosts[2]!, list)).toContain("[kept]");
    expectProven(await verify(await withParameters("tick_time: 1500, data_log_dir: /srv/txlog")));
  });
});
