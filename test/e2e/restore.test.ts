import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Lab, type LabHost, startLab } from "../lab/lab.ts";
import { eventually, mustRun } from "./backends.ts";
import { givenBack } from "./given-back.ts";
import { type Ended, inventoryFor, meshctl, oneHost, startMeshctl, summaryOf } from "./meshctl.ts";

const DROP_IN = "/etc/mysql/mariadb.conf.d/zz-meshctl.cnf";
const LIMITS = "/etc/systemd/system/mariadb.service.d";

let lab: Lab;
let host: LabHost;
let inventory: string;
/** The run that made the host as it is wanted, and what the kernel had before it. */
let first: string;
let kernelBefore: string;

beforeAll(async () => {
  // A cap, not a need: room for the pool that MariaDB then may not map.
  lab = await startLab({ hosts: 1, memoryMax: "8G" });
  host = lab.hosts[0]!;
  inventory = await wanting((yaml) => yaml);
  kernelBefore = await kernel();
  const ended = await run("provision", inventory, "haproxy,mysql,sysctl", "--yes");
  first = ended.events[0]!.run as string;
  expect(summaryOf(ended).hosts).toEqual([expect.objectContaining({ outcome: "as wanted" })]);
});

afterAll(() => lab?.down());

const kernel = () =>
  mustRun(
    host,
    "cd /proc/sys/net && head ipv4/tcp_fin_timeout ipv4/ip_local_port_range ipv4/ip_local_reserved_ports core/somaxconn",
  );

/** One host whose HAProxy has listed servers, so that the haproxy step writes haproxy.cfg itself. */
function wanting(edit: (yaml: string) => string): Promise<string> {
  const servers = "servers: [{ host: 127.0.0.1, port: 9001 }]";
  return inventoryFor(lab, (yaml) => edit(oneHost(yaml).replace(/path: \/services\/\S+/g, servers)));
}

const withPool = (size: string) =>
  wanting((yaml) => yaml.replace("buffer_pool_size: 256M", `buffer_pool_size: ${size}`));

const run = (command: string, file: string, steps: string, ...flags: string[]) =>
  meshctl([command, "-i", file, "--steps", steps, "--json", ...flags]);

/** Fails as it should, with both facts, and the host is not reported as done. */
function expectPutBack(ended: Ended, step: string, failure: RegExp, back: RegExp): void {
  const [outcome] = summaryOf(ended).hosts;
  expect(outcome).toMatchObject({ outcome: "failed", changed: [], unproven: [{ step, put_back: true }] });
  expect(outcome!.because).toMatch(failure);
  expect(outcome!.because).toMatch(back);
  expect(ended.events.filter(({ event }) => event === "put-back")).toEqual([
    expect.objectContaining({ host: "kvm-03", step, health: "healthy" }),
  ]);
  expect(ended.code).toBe(1);
}

/** Plan asks for the same again: nothing was hidden. */
async function expectDrift(file: string, step: string): Promise<void> {
  const plan = await run("plan", file, step);
  expect(plan.events.filter(({ event }) => event === "planned")).toEqual([expect.objectContaining({ step })]);
  expect(plan.code).toBe(2);
}

const pool = async () =>
  (await mustRun(host, "mariadb -N -B -e 'SELECT @@innodb_buffer_pool_size / 1048576'")).trim();

describe.sequential("a MariaDB that does not start with what passed the validation", () => {
  let tooMuch: string;
  beforeAll(async () => {
    // Far from both what it maps without a pool (about 1.5G, more when its threads are busy) and the pool.
    tooMuch = await withPool("6G");
    await mustRun(host, `mkdir -p ${LIMITS} && printf '[Service]\\nLimitAS=5G\\n' >${LIMITS}/limit.conf`);
    await mustRun(host, "systemctl daemon-reload && systemctl restart mariadb");
  });
  afterAll(() =>
    mustRun(host, `rm ${LIMITS}/limit.conf && systemctl daemon-reload && systemctl restart mariadb`),
  );

  it("is back up with the old file, and the run fails with both facts", async () => {
    const before = await mustRun(host, `cat ${DROP_IN}; grep zz-meshctl /var/lib/meshctl/manifest`);
    const ended = await run("provision", tooMuch, "mysql", "--yes");
    expectPutBack(
      ended,
      "mysql",
      /^mysql: settings: restart.sh failed .*mariadb.service does not come up: .*InnoDB/,
      /; the old configuration was put back, and the service is healthy with it: .*zz-meshctl.cnf is back as it was$/,
    );
    expect(await mustRun(host, `cat ${DROP_IN}; grep zz-meshctl /var/lib/meshctl/manifest`)).toBe(before);
    expect(Number(await pool())).toBe(256);
    await expectDrift(tooMuch, "mysql");
  });

  it("is back up without the file where there was none", async () => {
    await mustRun(host, `rm ${DROP_IN} && systemctl restart mariadb`);
    const ended = await run("provision", tooMuch, "mysql", "--yes");
    expectPutBack(ended, "mysql", /does not come up/, /zz-meshctl.cnf is removed again$/);
    expect((await host.exec(`test -e ${DROP_IN}`)).code).toBe(1);
    expect(Number(await pool())).toBe(128);
  });
});

describe.sequential("a HAProxy whose reload is refused", () => {
  it("gets its old file back, serves on, and would come up again", async () => {
    // `haproxy -c` binds nothing: that the address is not the host's shows only in the reload.
    const elsewhere = await wanting((yaml) =>
      yaml.replace("port: 8080", "port: 8080\n      bind: 198.51.100.7"),
    );
    const before = await mustRun(host, "cat /etc/haproxy/haproxy.cfg");
    const ended = await run("provision", elsewhere, "haproxy", "--yes");
    expectPutBack(
      ended,
      "haproxy",
      /^haproxy: configuration was applied and is not in force: reload failed, the old worker still serves: .*198\.51\.100\.7/,
      /haproxy.cfg is back as it was$/,
    );
    expect(await mustRun(host, "cat /etc/haproxy/haproxy.cfg")).toBe(before);
    await mustRun(host, "systemctl restart haproxy");
    expect(await mustRun(host, "ss -Hltn src 127.0.0.1:8080")).not.toBe("");
    expect((await run("verify", inventory, "haproxy")).code).toBe(0);
    await expectDrift(elsewhere, "haproxy");
  });
});

describe.sequential("a restore by hand", () => {
  let changed: string;

  it("puts back what a run replaced, and is itself a run that can be restored", async () => {
    expect((await run("provision", inventory, "mysql", "--yes")).code).toBe(0);
    const ended = await run("provision", await withPool("320M"), "mysql", "--yes");
    expect(ended.code).toBe(0);
    changed = ended.events[0]!.run as string;
    const listed = await meshctl(["restore", "-i", inventory]);
    expect(listed.stdout).toContain(`${changed}  20`);
    expect(listed.stdout).toContain(DROP_IN);
    const restored = await run("restore", inventory, "mysql", changed, "--yes");
    expect(summaryOf(restored).hosts).toEqual([expect.objectContaining({ outcome: "restored" })]);
    expect(restored.code).toBe(0);
    expect(Number(await pool())).toBe(256);
    expect((await run("verify", inventory, "mysql")).code).toBe(0);
    const again = await run("restore", inventory, "mysql", restored.events[0]!.run as string, "--yes");
    expect(again.code).toBe(0);
    expect(Number(await pool())).toBe(320);
  });

  it("asks first, and knows its runs", async () => {
    for (const [argument, said] of [
      [changed, "--yes"],
      ["20200101-000000-abcd", "no host keeps anything of run"],
      ["../../etc", "is no run"],
    ] as const) {
      const refused = await meshctl([
        "restore",
        argument,
        "-i",
        inventory,
        ...(argument === changed ? [] : ["--yes"]),
      ]);
      expect(refused.code).toBe(3);
      expect(refused.stderr).toContain(said);
    }
  });

  it("leaves a file that somebody changed since, and the server alone", async () => {
    const pid = await mustRun(host, "pidof mariadbd");
    await mustRun(host, `echo '# by hand' >>${DROP_IN}`);
    const ended = await run("restore", inventory, "mysql", changed, "--yes");
    expect(ended.code).toBe(1);
    expect(summaryOf(ended).hosts[0]!.because).toMatch(
      /^mysql: .* has changed since run .*on the host: diff \//,
    );
    expect(await mustRun(host, `tail -n 1 ${DROP_IN}`)).toBe("# by hand\n");
    expect(await mustRun(host, "pidof mariadbd")).toBe(pid);
  });
});

describe.sequential("kernel settings that no file names any more", () => {
  it("are what they were before the run, and come again when that is undone", async () => {
    expect(await kernel()).not.toBe(kernelBefore);
    const restored = await run("restore", inventory, "sysctl", first, "--yes");
    expect(summaryOf(restored).hosts).toEqual([expect.objectContaining({ outcome: "restored" })]);
    expect(await kernel()).toBe(kernelBefore);
    const again = await run("restore", inventory, "sysctl", restored.events[0]!.run as string, "--yes");
    expect(summaryOf(again).hosts).toEqual([expect.objectContaining({ outcome: "restored" })]);
    expect((await run("verify", inventory, "sysctl")).code).toBe(0);
  });

  it("are no success where nobody knows what they were", async () => {
    const [record, kept] = ["/var/lib/meshctl/sysctl-before", `/var/lib/meshctl/runs/${first}/files`];
    await mustRun(host, `rm ${record} && sed -i '\\|${record}|d' ${kept}`);
    const ended = await run("restore", inventory, "sysctl", first, "--yes");
    expect(ended.code).toBe(1);
    expect(summaryOf(ended).hosts[0]!.because).toMatch(
      /until it is rebooted the kernel keeps what no file says any more, .*net\/ipv4\/tcp_fin_timeout = 15/,
    );
  });
});

describe.sequential("a MariaDB that is still shutting down", () => {
  it("is left alone with its new file, and proved when it has arrived", async () => {
    const stop = `${LIMITS}/stop.conf`;
    const arrive = givenBack(() =>
      mustRun(
        host,
        `rm -f ${stop} && systemctl daemon-reload && systemctl kill --kill-who=control mariadb || true`,
      ),
    );
    await mustRun(host, `printf '[Service]\\nExecStop=/bin/sleep infinity\\n' >${stop}`);
    await mustRun(host, "systemctl daemon-reload");
    const pid = await mustRun(host, "pidof mariadbd");
    const wanted = await withPool("384M");
    const running = startMeshctl(["provision", "-i", wanted, "--steps", "mysql", "--yes", "--json"]);
    const waiting = await running.event(
      ({ event, because }) => event === "waiting" && /PID/.test(`${because}`),
    );
    expect(waiting.because).toContain(`(PID ${pid.trim()},`);
    expect(waiting.because).toMatch(
      /is still deactivating: the outcome is unknown .*systemctl status mariadb/,
    );
    running.signal("SIGINT");
    // Two of a kind that come at once may count as one.
    running.signal("SIGTERM");
    const ended = await running.ended;
    expect(ended.code).toBe(130);
    expect(ended.events.filter(({ event }) => /^putting-back|^put-back/.test(event))).toEqual([]);
    expect(await mustRun(host, `grep buffer ${DROP_IN}`)).toContain("384M");
    expect(await mustRun(host, "pidof mariadbd")).toBe(pid);
    await arrive();
    await eventually(
      "MariaDB has arrived",
      async () => (await host.exec("systemctl is-active mariadb")).stdout,
      (state) => state === "active\n",
      180_000,
    );
    expect((await run("provision", wanted, "mysql", "--yes")).code).toBe(0);
    expect(Number(await pool())).toBe(384);
  });
});
