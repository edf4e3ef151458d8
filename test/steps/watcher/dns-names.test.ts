import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DnsServer } from "../../dns-server.ts";

const PROGRAM = resolve(import.meta.dirname, "../../../src/steps/watcher/dns-names.rb");
/**
 * The program, but for the port, for its patience and for whether the host has an IPv6 address: for each line of words one
 * process of its own, forked from a Ruby that has loaded it once.
 */
const AS_TOLD = `
DnsNames.send(:remove_const, :PORT)
DnsNames.send(:remove_const, :TRIES_S)
DnsNames.send(:remove_const, :OF_HOST)
DnsNames::TRIES_S = [0.3, 0.3]
while (line = $stdin.gets)
  port, has_ipv6, of_host, nameserver, *names = line.chomp.split("\t", -1)
  pid = fork do
    DnsNames::PORT = port.to_i
    DnsNames::OF_HOST = of_host
    DnsNames.define_singleton_method(:ipv6?) { has_ipv6 == "true" }
    DnsNames.print(nameserver, *names)
  end
  Process.wait(pid)
  puts "end #{$?.exitstatus}"
  $stdout.flush
end
`;

let ruby: ChildProcessWithoutNullStreams;
let lines: AsyncIterator<string>;
beforeAll(() => {
  const env = { ...process.env, LC_ALL: "C" };
  ruby = spawn("ruby", ["-r", PROGRAM, "-e", AS_TOLD], { env });
  ruby.stderr.pipe(process.stderr);
  lines = createInterface({ input: ruby.stdout })[Symbol.asyncIterator]();
});
afterAll(() => ruby.kill("SIGKILL"));

let dns: DnsServer;
beforeAll(async () => {
  dns = await DnsServer.start("127.0.0.1");
});
afterAll(() => dns.end());
beforeEach(() => {
  dns.zone.clear();
  dns.truncates = false;
});

/** Name → what the program prints of it. */
async function told(
  names: readonly string[],
  { ipv6 = false, port = dns.port, nameserver = "127.0.0.1", ofHost = "/none" } = {},
) {
  ruby.stdin.write(`${[port, ipv6, ofHost, nameserver, ...names].join("\t")}\n`);
  const said: string[] = [];
  for (;;) {
    const { value, done } = await lines.next();
    if (done) throw new Error(`Ruby ended behind: ${said.join("\n")}`);
    const status = /^end (\d*)$/.exec(value)?.[1];
    if (status === undefined) said.push(value);
    else if (status !== "0") throw new Error(`the program ended with ${status} behind: ${said.join("\n")}`);
    else return Object.fromEntries(said.map((line) => line.split(/\t(.*)/s).slice(0, 2)));
  }
}

describe("what DNS says of names", () => {
  it("comes in one order, whatever order the answers have", async () => {
    dns.zone.set("a.example", ["10.0.0.3", "10.0.0.1", "10.0.0.2"]);
    for (let count = 0; count < 3; count++)
      expect(await told(["a.example"])).toEqual({ "a.example": "=\t10.0.0.1\t10.0.0.2\t10.0.0.3" });
  });

  it("is told of all of them, by way of aliases, in capitals and in answers that fit into no datagram", async () => {
    dns.zone
      .set("a.example", ["10.0.0.1"])
      .set("b.example", { alias: "c.example" })
      .set("c.example", ["10.0.0.2"]);
    const all = { "a.example": "=\t10.0.0.1", "b.example": "=\t10.0.0.2", "A.EXAMPLE": "=\t10.0.0.1" };
    expect(await told(Object.keys(all))).toEqual(all);
    dns.truncates = true;
    expect(await told(Object.keys(all))).toEqual(all);
  });

  it("is asked as the host's own file says, whatever else stands there", async () => {
    const folder = mkdtempSync(join(tmpdir(), "meshctl-dns-"));
    const ofHost = join(folder, "resolv.conf");
    dns.zone.set("a.example", ["10.0.0.1"]);
    try {
      for (const text of [
        "# für alle\nnameserver 127.0.0.1\n",
        "nameserver 10.0.0.300\nnameserver 127.0.0.1\n",
        "search example\n",
      ]) {
        writeFileSync(ofHost, text);
        expect(await told(["a.example"], { nameserver: "", ofHost })).toEqual({ "a.example": "=\t10.0.0.1" });
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
    expect(await told(["a.example"], { nameserver: "" })).toEqual({ "a.example": "=\t10.0.0.1" });
  });

  it("has IPv6 addresses where the host has one itself", async () => {
    dns.zone
      .set("a.example", ["10.0.0.1", "2001:db8::2"])
      .set("b.example", ["2001:db8::1"])
      .set("c.example", ["10.0.0.2"]);
    const names = ["a.example", "b.example", "c.example"];
    expect(await told(names, { ipv6: true })).toEqual({
      "a.example": "=\t10.0.0.1\t2001:db8::2",
      "b.example": "=\t2001:db8::1",
      "c.example": "=\t10.0.0.2",
    });
    expect(await told(names)).toMatchObject({
      "a.example": "=\t10.0.0.1",
      "b.example": "b.example has no address, says 127.0.0.1",
    });
  });

  it.each([
    ["no such name", { code: 3 }, "a.example does not exist, says 127.0.0.1 (NXDOMAIN)"],
    ["a failure", { code: 2 }, "127.0.0.1 answers SERVFAIL for a.example"],
    ["a refusal", { code: 5 }, "127.0.0.1 answers REFUSED for a.example"],
    ["no address", [], "a.example has no address, says 127.0.0.1"],
    ["an alias of nothing", { alias: "gone.example" }, "a.example does not exist, says 127.0.0.1 (NXDOMAIN)"],
    ["nothing", "silence", "127.0.0.1 does not answer for a.example"],
  ] as const)("is a reason where it is %s, and holds up no other name", async (_, says, words) => {
    dns.zone.set("a.example", says).set("b.example", ["10.0.0.1"]);
    expect(await told(["a.example", "b.example"])).toEqual({
      "a.example": words,
      "b.example": "=\t10.0.0.1",
    });
  });

  it("is a reason where no server listens", async () => {
    const gone = await DnsServer.start("127.0.0.1");
    const { port } = gone;
    await gone.end();
    expect(await told(["a.example"], { port })).toEqual({
      "a.example": "no DNS server listens at 127.0.0.1",
    });
  });
});
