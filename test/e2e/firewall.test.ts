import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Lab, type LabHost, startLab } from "../lab/lab.ts";
import { eventually, mustRun, register, startBackend } from "./backends.ts";
import { type Ended, inventoryFor, meshctl, openRows, startMeshctl } from "./meshctl.ts";

/** Three members, and a host that is a proxy for as long as the inventory says so. */
let lab: Lab;
let members: readonly LabHost[];
let fourth: LabHost;
let off: string;
let on: string;
/** The fourth host is none of the mesh's. */
let withoutProxy: string;

beforeAll(async () => {
  lab = await startLab({ hosts: 4 });
  members = lab.hosts.slice(0, 3);
  fourth = lab.hosts[3]!;
  off = await inventory("firewall: false");
  on = await inventory("firewall: true");
  withoutProxy = await inventory("firewall: true", (yaml) => yaml.replace("zookeeper, kvm-04", "zookeeper"));
  expectProven(await run(off, "provision", "--yes"));
  await quorum();
  // A follower tells of its leader's epoch when it has seen a transaction of it.
  await register(members[0]!, "/tried", { name: "once", host: fourth, port: 1 });
  await eventually(
    "every member tells of one epoch",
    () => Promise.all(members.map((member) => standing(member))),
    (all) => new Set(all.map((each) => each.split(" ")[1])).size === 1,
  );
});

afterAll(() => lab?.down());

const inventory = (firewall: string, edit: (yaml: string) => string = (yaml) => yaml) =>
  inventoryFor(lab, (yaml) =>
    edit(
      yaml
        .replace("  ensemble: zookeeper", `  ensemble: zookeeper\n  ${firewall}`)
        .replace(/( {2}kvm-03: .*)/, `$1\n  kvm-04: { address: ${fourth.address} }`)
        .replace(/(proxies:\n {4}hosts: )\[.*\]/, "$1[zookeeper, kvm-04]"),
    ),
  );

const run = (file: string, ...command: string[]) =>
  meshctl([...command, "-i", file, "--steps", "firewall,zookeeper", "--json"]);

function expectProven(ended: Ended): void {
  expect(openRows(ended)).toEqual([]);
  expect(ended.code).toBe(0);
}

const changes = ({ events }: Ended) =>
  events
    .filter(({ event }) => event === "changing")
    .map(({ host, step, change }) => `${host} ${step} ${change}`);

const firewallRow = ({ events }: Ended, host: LabHost, setting: string) =>
  events.find(
    (event) =>
      event.event === "evidence" &&
      event.host === host.name &&
      event.step === "firewall" &&
      event.setting === setting,
  );

/** Whether a connection comes about from here, the gateway, which is no host of the inventory. */
function isOpenHere({ address }: LabHost, port: number): Promise<boolean> {
  return new Promise((told) => {
    const socket = connect({ host: address, port });
    const end = (isOpen: boolean) => {
      socket.destroy();
      told(isOpen);
    };
    socket.setTimeout(3_000, () => end(false));
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
  });
}

const openHere = (host: LabHost, port: number) =>
  eventually(
    `port ${port} is open`,
    () => isOpenHere(host, port),
    (isOpen) => isOpen,
  );

const ASK = `use IO::Socket::INET;
  my $socket = IO::Socket::INET->new(PeerAddr => "$ARGV[0]:$ARGV[1]", Timeout => 3) or exit 1;
  exit 0 unless @ARGV > 2;
  print $socket $ARGV[2]; print <$socket>;`;

/** The same from another host; with a word the answer is returned. */
async function ask(
  from: LabHost,
  { address }: LabHost,
  port: number,
  word = "",
): Promise<string | undefined> {
  const { code, stdout } = await from.exec(`perl - ${address} ${port} ${word}`, { input: ASK });
  return code === 0 ? stdout : undefined;
}
const isOpenFrom = async (from: LabHost, to: LabHost, port: number) =>
  (await ask(from, to, port)) !== undefined;

/** What a member says of itself to the fourth host: its role, and the epoch that every election counts up. */
async function standing(member: LabHost, from = fourth): Promise<string> {
  const answer = (await ask(from, member, 2181, "srvr")) ?? "";
  return `${/^Mode: (\w+)/m.exec(answer)?.[1] ?? "none"} ${/^Zxid: 0x(\w+?)\w{8}$/m.exec(answer)?.[1] ?? "0"}`;
}

const quorum = () =>
  eventually(
    "every member serves",
    () => Promise.all(members.map((member) => standing(member))),
    (all) => all.every((each) => /^(leader|follower)/.test(each)),
    180_000,
  );

const table = async (host: LabHost) => (await host.exec("nft list table inet meshctl")).stdout;

describe.sequential("an ensemble behind meshctl's firewall", () => {
  it("is open to everybody, and says so, while nobody asks for one", async () => {
    for (const port of [2181, 3888]) await openHere(members[0]!, port);
    const verified = await run(off, "verify");
    expect(firewallRow(verified, members[0]!, "firewall")).toMatchObject({ verdict: "proven", want: "off" });
    expect(await mustRun(members[0]!, "ls /etc/meshctl 2>/dev/null; command -v nft || echo none")).toBe(
      "none\n",
    );
    expect((await meshctl(["plan", "-i", off, "--steps", "zookeeper"])).stderr).toMatch(
      /ports 2181, 2888 and 3888 of kvm-01, kvm-02 and kvm-03 are open to all that reach them/,
    );
  });

  it("gets it member by member, and neither loses its quorum nor elects anew", async () => {
    const before = await Promise.all(members.map((member) => standing(member)));
    const running = startMeshctl(["provision", "--yes", "-i", on, "--steps", "firewall,zookeeper", "--json"]);
    let isOver = false;
    const over = running.ended.finally(() => {
      isOver = true;
    });
    const seen = new Set<string>();
    while (!isOver) seen.add((await Promise.all(members.map((member) => standing(member)))).join(", "));
    const ended = await over;
    expectProven(ended);
    expect([...seen]).toEqual([before.join(", ")]);
    expect(changes(ended)).toEqual([
      ...members.map(({ name }) => `${name} firewall package nftables`),
      ...members.map(({ name }) => `${name} firewall rules`),
    ]);
    for (const host of members) {
      expect(
        await mustRun(host, "ls /run/meshctl; systemctl list-units --all 'meshctl-firewall-undo*'"),
      ).not.toMatch(/firewall-undo/);
    }
  });

  it("lets in members and proxies, each where it has to be, and shuts out everybody else", async () => {
    const [one, two] = members as [LabHost, LabHost];
    await startBackend(one, "other", 9999);
    expect(await isOpenFrom(two, one, 2181)).toBe(true);
    expect(await isOpenFrom(two, one, 3888)).toBe(true);
    expect(await isOpenFrom(one, one, 2181)).toBe(true);
    expect(await isOpenFrom(fourth, one, 2181)).toBe(true);
    for (const port of [2888, 3888]) expect(await isOpenFrom(fourth, one, port)).toBe(false);
    for (const port of [2181, 2888, 3888]) expect(await isOpenHere(one, port)).toBe(false);
    for (const port of [22, 9999]) await openHere(one, port);
    await mustRun(one, "systemctl stop backend-other");
  });

  it("lets in who is named besides, and shuts out who left the mesh", async () => {
    const also = await inventory(`firewall: { also: [${lab.gateway}/32] }`);
    const ended = await run(also, "provision", "--yes");
    expectProven(ended);
    expect(changes(ended)).toEqual(members.map(({ name }) => `${name} firewall rules`));
    await openHere(members[0]!, 2181);
    expect(await isOpenHere(members[0]!, 3888)).toBe(false);
    expectProven(await run(withoutProxy, "provision", "--yes"));
    expect(await isOpenFrom(fourth, members[0]!, 2181)).toBe(false);
    expect(await isOpenHere(members[0]!, 2181)).toBe(false);
    expectProven(await run(on, "provision", "--yes"));
    await quorum();
  });

  it("is back when Debian's own unit has flushed it", async () => {
    const host = members[0]!;
    for (const verb of ["start", "restart", "reload", "enable --now"]) {
      await mustRun(host, `systemctl ${verb} nftables`);
      await eventually(
        `after ${verb}`,
        () => table(host),
        (text) => text.includes("drop"),
      );
    }
    await mustRun(host, "systemctl stop nftables && systemctl start nftables");
    await eventually(
      "after stop and start",
      () => table(host),
      (text) => text.includes("drop"),
    );
    expectProven(await run(on, "verify"));
  });

  it.each([
    ["flushed", "nft flush ruleset", /has been flushed or deleted/],
    ["switched off", "nft add table inet meshctl '{ flags dormant; }'", /switched off/],
    [
      "bypassed by a rule of another hand",
      "nft insert rule inet meshctl input ip saddr 192.0.2.0/24 accept",
      /it has a rule of another hand: ip saddr 192\.0\.2\.0\/24 accept/,
    ],
    [
      "opened to one more",
      "nft add element inet meshctl clients4 '{ 192.0.2.7 }'",
      /the table in force lets in 192\.0\.2\.7/,
    ],
    [
      "closed to a member",
      "nft delete element inet meshctl members4 '{ MEMBER }'",
      /the table in force shuts out 198\./,
    ],
  ])("is seen to be %s, and mended", async (_what, by, words) => {
    const host = members[0]!;
    await mustRun(host, by.replace("MEMBER", members[2]!.address));
    const verified = await run(on, "verify");
    expect(openRows(verified).join("\n")).toMatch(words);
    expect(openRows(verified).every((row) => row.startsWith("kvm-01 firewall "))).toBe(true);
    expect(verified.code).toBe(2);
    const mended = await run(on, "provision", "--yes");
    expectProven(mended);
    expect(changes(mended)).toEqual(["kvm-01 firewall rules"]);
  });

  it("names a table of another hand that drops what it lets in, and leaves that alone", async () => {
    const host = members[1]!;
    await mustRun(
      host,
      `nft -f - <<'END'
table inet theirs {
	chain input {
		type filter hook input priority 0; policy accept;
		ip saddr ${fourth.address} tcp dport 2181 drop
	}
}
END`,
    );
    const ended = await run(on, "provision", "--yes");
    expectProven(ended);
    expect(changes(ended)).toEqual([]);
    expect(firewallRow(ended, host, "client port 2181")?.warning).toBe(
      `not meshctl's, and left alone: table inet theirs, chain input, drops port 2181 from ${fourth.address}`,
    );
  });

  it("is still there after a boot, also where Debian's unit loads a ruleset of its own", async () => {
    for (const host of members.slice(0, 2)) await host.reboot();
    await quorum();
    expectProven(await run(on, "verify"));
    for (const host of members) expect(await isOpenHere(host, 2181)).toBe(false);
  });

  it("goes without a trace of it, and leaves the tables of others", async () => {
    const host = members[1]!;
    await mustRun(host, "nft add table inet theirs");
    const ended = await run(off, "provision", "--yes");
    expectProven(ended);
    expect(changes(ended)).toEqual(members.map(({ name }) => `${name} firewall remove`));
    for (const member of members) {
      await openHere(member, 2181);
      const left = await mustRun(
        member,
        "find /etc/meshctl /etc/systemd/system /run/meshctl -name '*firewall*' -o -path '*nftables.service.d/*'; nft list tables",
      );
      expect(left).not.toMatch(/firewall|meshctl/);
    }
    expect(await mustRun(host, "nft list tables")).toContain("table inet theirs");
    expectProven(await run(off, "verify"));
    expect(changes(await run(off, "provision", "--yes"))).toEqual([]);
  });
});
