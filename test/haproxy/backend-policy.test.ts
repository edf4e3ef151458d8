import { type ChildProcessWithoutNullStreams, execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backendPolicy, refusalOf, renderBackendPolicy } from "../../src/haproxy/backend-policy.ts";
import { haproxyParameters } from "../../src/haproxy/parameters.ts";
import { haproxySettings } from "../../src/haproxy/settings.ts";
import { mesh, service } from "./mesh.ts";

const watcher = resolve(import.meta.dirname, "../../src/steps/watcher");
const hasRuby = spawnSync("ruby", ["--version"]).status === 0;

const open = mesh([
  service(),
  service({ name: "tls", port: 8443, serverOptionsAllowed: ["ssl", "verify none", "alpn *", "weight 300"] }),
  service({
    name: "spare",
    port: 8082,
    discovery: { by: "zookeeper", path: "/spare" },
    servers: [{ name: "own", host: "127.0.0.1", port: 9 }],
  }),
]);
const narrow = { ...open, networks: ["10.0.0.0/16", "2001:db8::/32"] };

const policyOf = (of: typeof open) => backendPolicy(of, haproxySettings(haproxyParameters.parse({}), of));

/** A backend, and a word of the reason why it is left out; undefined when it is not. */
type Case = readonly [
  backend: { host?: string; name?: string; port?: number; options?: string },
  reason: string | undefined,
  service?: string,
];

const OPTIONS: readonly Case[] = [
  [{}, undefined],
  [{ options: "" }, undefined],
  [{ options: "  weight  10   backup " }, undefined],
  [{ options: "weight 0" }, undefined],
  [{ options: "weight 256" }, undefined],
  [{ options: "weight 100%" }, undefined],
  [{ options: "weight 257" }, '"257"'],
  [{ options: "weight -1" }, '"-1"'],
  [{ options: "weight" }, "has no value"],
  [{ options: "weight 1 weight 2" }, "twice"],
  [{ options: "maxconn 100 minconn 10 maxqueue 5 slowstart 30s" }, undefined],
  [{ options: "maxconn 99999999999" }, "maxconn"],
  [{ options: "maxconn 1e3" }, "maxconn"],
  [{ options: "check inter 2000 fastinter 500ms downinter 1m rise 2 fall 3 port 9002" }, undefined],
  [{ options: "inter 0" }, "inter"],
  [{ options: "inter 99" }, "inter"],
  [{ options: "inter 100us" }, "inter"],
  [{ options: "inter 99999999999999999" }, "inter"],
  [{ options: "rise 0" }, "rise"],
  [{ options: "fall 99999" }, "fall"],
  [{ options: "port 0" }, "port"],
  [{ options: "port 65536" }, "port"],
  [{ options: "port http" }, "port"],
  [{ options: "disabled" }, undefined],
  ...[
    "source 0.0.0.0 usesrc clientip",
    "source 10.0.0.1 interface lo",
    "agent-check agent-addr 169.254.169.254 agent-port 80",
    'agent-send "${PATH}"',
    "addr 169.254.169.254",
    "socks4 10.0.0.9:1080",
    "redir http://evil.example",
    "no-check",
    "ssl verify none sni req.hdr(authorization)",
    "id 7",
    "cookie other",
    "resolvers x",
    "crt /dev/zero",
    "ca-file /etc/shadow",
    "track user-api/other",
    "namespace other",
    "send-proxy",
    "init-addr none",
    "on-marked-down shutdown-sessions",
    "observe layer7",
    "tfo",
    "proto h2",
    "ws h1",
    "log-proto octet-count",
    "constructor",
    "__proto__",
    "toString",
  ].map((options): Case => [{ options }, `"${options.split(" ")[0]}" is not allowed`]),
  [{ options: 'weight "10"' }, "weight"],
  [{ options: "weight 10#" }, "weight"],
  [{ options: "weight\u00a010" }, "is not allowed"],
  [{ options: "weight ١٠" }, "weight"],
  [{ options: "weight 10\nglobal" }, "control character"],
  [{ options: "weight\t10" }, "control character"],
  [{ options: "weight 1\u0000" }, "control character"],
  [{ options: "weight 10 \ufffd" }, "control character"],
  [{ options: "weight $WEIGHT" }, "weight"],
  [{ options: '"' }, "is not allowed"],
  [{ options: "\\" }, "is not allowed"],
  [{ options: `backup ${"x".repeat(2048)}` }, "longer"],
  [{ options: `${"backup ".repeat(60)}` }, "twice"],
  [{ options: "ssl verify none alpn h2,http/1.1" }, undefined, "tls"],
  [{ options: "verify required" }, "verify", "tls"],
  [{ options: "alpn ${PATH}" }, "alpn", "tls"],
  [{ options: "weight 300" }, undefined, "tls"],
  [{ options: "weight 301" }, "weight", "tls"],
  [{ options: "ssl" }, "is not allowed", "spare"],
];

const NAMES: readonly Case[] = [
  [{ name: "bee-1.a:2_x" }, undefined],
  [{ name: "" }, undefined],
  [{ name: "a".repeat(128) }, undefined],
  [{ name: "a".repeat(129) }, "name"],
  [{ name: "a b" }, "name"],
  [{ name: "a\nb" }, "name"],
  [{ name: "é" }, "name"],
];

/** Where a backend may be without `mesh.networks`, and with it. */
const HOSTS: readonly (readonly [host: string, reason: string | undefined, narrowed?: string])[] = [
  ["10.0.255.1", undefined],
  ["10.1.0.1", undefined, "mesh.networks"],
  ["8.8.8.8", undefined, "mesh.networks"],
  ["2001:db8::1", undefined],
  ["2001:db9::1", undefined, "mesh.networks"],
  ["::ffff:10.0.0.1", undefined],
  ["::ffff:a00:1", undefined],
  ["::ffff:10.9.0.1", undefined, "mesh.networks"],
  ["127.0.0.1", "loopback"],
  ["127.255.255.254", "loopback"],
  ["::ffff:127.0.0.1", "loopback"],
  ["::ffff:7f00:1", "loopback"],
  ["0:0:0:0:0:ffff:7f00:0001", "loopback"],
  ["::1", "no host's"],
  ["0:0:0:0:0:0:0:1", "no host's"],
  ["::127.0.0.1", "no host's"],
  ["::", "no host's"],
  ["0.0.0.0", "no host's"],
  ["0.1.2.3", "no host's"],
  ["169.254.169.254", "link-local"],
  ["fe80::1", "link-local"],
  ["febf::1", "link-local"],
  ["::ffff:169.254.169.254", "link-local"],
  ["224.0.0.1", "multicast"],
  ["239.255.255.255", "multicast"],
  ["ff02::1", "multicast"],
  ["255.255.255.255", "broadcast"],
  ["10.0.0.300", "neither"],
  ["10.0.0", "neither"],
  ["010.0.0.1", "neither"],
  ["127.1", "neither"],
  ["2130706433", "neither"],
  ["0x7f000001", "neither"],
  ["0x7f.0.0.0x1", "neither"],
  ["10.0.0.1.", "neither"],
  ["app.0x1", "neither"],
  [":::", "neither"],
  ["1::2::3", "neither"],
  ["12345::1", "neither"],
  ["::ffff:10.0.0.01", "neither"],
  ["fe80::1%eth0", "neither"],
  ["::1/128", "neither"],
  ["10.0.0.1/8", "neither"],
  ["[::1]", "neither"],
  ["unix@/run/x", "neither"],
  ["/run/x.sock", "neither"],
  ["fd@3", "neither"],
  ["a b", "neither"],
  ["a\nb", "neither"],
  ["${HOST}", "neither"],
  ["", "neither"],
  ["-a.example", "neither"],
  ["a..b", "neither"],
  ["a.".repeat(200), "neither"],
  ["app.example", undefined],
  ["app.example.", undefined],
  ["my_app-1", undefined],
  ["0xabc.example", undefined],
  ["7", "neither"],
];

const asks = (of: typeof open, list: readonly Case[]) =>
  list.map(([{ host = "10.0.0.9", name, port = 9001, options }, reason, to = "user-api"]) => ({
    policy: policyOf(of),
    service: to,
    backend: { host, name, port, options },
    reason,
  }));

const table = [
  ...asks(open, OPTIONS),
  ...asks(open, NAMES),
  ...asks(
    open,
    HOSTS.map(([host, reason]): Case => [{ host }, reason]),
  ),
  ...asks(
    narrow,
    HOSTS.map(([host, reason, narrowed]): Case => [{ host }, narrowed ?? reason]),
  ),
  // The inventory's own server may be anywhere, and nobody else in its place.
  ...asks(narrow, [
    [{ name: "own", host: "127.0.0.1", port: 9 }, undefined, "spare"],
    [{ name: "own", host: "127.0.0.1", port: 10 }, "loopback", "spare"],
    [{ name: "own", host: "127.0.0.1", port: 9 }, "loopback", "user-api"],
    [{}, "no such service", "constructor"],
  ]),
];

describe("what a backend may say of itself", () => {
  it.each(table)("$backend of $service: $reason", ({ policy, service: to, backend, reason }) => {
    const refusal = refusalOf(policy, to, backend);
    if (reason === undefined) expect(refusal).toBeUndefined();
    else expect(refusal).toContain(reason);
  });

  it.runIf(hasRuby)("is read from the rendered policy by Ruby alike, word for word", () => {
    const folder = mkdtempSync(join(tmpdir(), "meshctl-policy-"));
    writeFileSync(join(folder, "open.json"), renderBackendPolicy(policyOf(open)));
    writeFileSync(join(folder, "narrow.json"), renderBackendPolicy(policyOf(narrow)));
    const rows = table.map(({ policy, service: to, backend }) => [
      policy.networks.length > 0 ? "narrow" : "open",
      to,
      backend.name ?? null,
      backend.host,
      backend.port,
      backend.options ?? null,
    ]);
    const program = `
      require "json"
      require ARGV[0]
      rules = %w[open narrow].to_h { |name| [name, BackendPolicy.new("#{ARGV[1]}/#{name}.json")] }
      puts(JSON.generate(JSON.parse($stdin.read).map { |which, *row|
        begin
          rules[which].check(*row)
          nil
        rescue BackendPolicy::Refused => e
          e.message
        end
      }))`;
    const said = execFileSync(
      "ruby",
      ["--disable-gems", "-e", program, join(watcher, "backend-policy.rb"), folder],
      {
        input: JSON.stringify(rows),
        encoding: "utf8",
        env: { ...process.env, LC_ALL: "C" },
      },
    );
    const found = JSON.parse(said) as (string | null)[];
    const wanted = table.map(({ policy, service: to, backend }) => refusalOf(policy, to, backend) ?? null);
    // The two quote in their own ways, and meshctl adds what would be allowed.
    const compared = (words: readonly (string | null)[]) =>
      words.map((each) => each?.replace(/, and .* is allowed$/, "").replace(/".*"/s, "…"));
    expect(compared(found)).toEqual(compared(wanted));
  });
});

const candidate = (servers: readonly string[], options = "check inter 2000 rise 2 fall 3") =>
  [
    "global",
    "\tdescription x",
    "",
    "frontend user-api",
    "\tbind 127.0.0.1:8080",
    "backend user-api",
    "\tmode http",
    ...servers.map((line) => `\t${line.replace("…", options)}`),
    "",
  ].join("\n");

/** Runs a script with the words of each line that it is given, in a process of its own, and tells how that ended. */
const RUBY_FOR_EACH = `
  $stdout.sync = true
  script = ARGV.shift
  $stdin.each_line(chomp: true) do |words|
    Process.wait(fork { ARGV.replace(words.split("\t")); $PROGRAM_NAME = script; load(script) })
    puts($?.exitstatus.inspect)
  end`;

let ruby: ChildProcessWithoutNullStreams;
let endings: AsyncIterator<string>;
let complaints = "";

/** check-servers.rb as the installer starts it, but that the Ruby of all cases is started once. */
async function checkServers(path: (name: string) => string): Promise<void> {
  const names = ["policy", "candidate", "config", "resolved", "kept", "bare", "left-out"];
  ruby.stdin.write(`${names.map(path).join("\t")}\n`);
  expect((await endings.next()).value, complaints).toBe("0");
}

/** What the installer's check makes of servers: which it keeps, and "CODE SERVER" of those that it leaves out. */
async function checked(servers: readonly string[], resolved = "", config = "", of = open) {
  const folder = mkdtempSync(join(tmpdir(), "meshctl-check-"));
  const path = (name: string) => join(folder, name);
  writeFileSync(path("policy"), renderBackendPolicy(policyOf(of)));
  writeFileSync(path("candidate"), candidate(servers));
  writeFileSync(path("config"), config);
  writeFileSync(path("resolved"), resolved);
  await checkServers(path);
  const read = (name: string) => readFileSync(path(name), "utf8");
  const namesIn = (name: string) =>
    [...read(name).matchAll(/^\s*server (\S+)/gm)].map(([, server]) => server);
  const others = (text: string) => text.split("\n").filter((line) => !/^\s*server /.test(line));
  expect(others(read("kept"))).toEqual(others(candidate([])));
  return {
    kept: namesIn("kept"),
    bare: namesIn("bare"),
    leftOut: read("left-out")
      .split("\n")
      .filter(Boolean)
      .map((line) => line.split("\t").slice(0, 2).join(" ")),
  };
}

describe.runIf(hasRuby)("the installer's check", () => {
  beforeAll(() => {
    const args = ["--disable-gems", "-e", RUBY_FOR_EACH, join(watcher, "check-servers.rb")];
    ruby = spawn("ruby", args, { env: { ...process.env, LC_ALL: "C" } });
    ruby.stderr.on("data", (said) => {
      complaints += said;
    });
    endings = createInterface(ruby.stdout)[Symbol.asyncIterator]();
  });
  afterAll(() => ruby.stdin.end());

  it("keeps what Synapse makes of allowed backends, in every form", async () => {
    const servers = [
      "server a_10.0.0.1:1 10.0.0.1:1 id 1 cookie a_10.0.0.1:1 …",
      "server 10.0.0.2:1 10.0.0.2:1 …",
      "server b_10.0.0.3:1 10.0.0.3:1 id 2 … weight 10 backup",
      "server c_2001:db8::1:80 2001:db8::1:80 id 3 …",
      "server d_10.0.0.4:1 10.0.0.4:1 id 4 … disabled",
      "server e_10.0.0.5:1 10.0.0.5:1 id 5 … disabled disabled",
    ];
    const { kept, bare, leftOut } = await checked(servers);
    expect(kept).toHaveLength(6);
    expect(bare).toEqual(["a_10.0.0.1:1", "10.0.0.2:1", "b_10.0.0.3:1", "c_2001:db8::1:80"]);
    expect(leftOut).toEqual([]);
  });

  it.each([
    ["an option that is not allowed", "server x_10.0.0.1:1 10.0.0.1:1 id 1 … source 0.0.0.0 usesrc clientip"],
    ["no options of the inventory's", "server x_10.0.0.1:1 10.0.0.1:1 id 1"],
    ["other options than the inventory's", "server x_10.0.0.1:1 10.0.0.1:1 check inter 1 rise 2 fall 3"],
    ["a quote", 'server x_10.0.0.1:1 10.0.0.1:1 … "'],
    ["a comment", "server x_10.0.0.1:1 10.0.0.1:1 … # x"],
    ["another name than its address", "server x_10.0.0.2:1 10.0.0.1:1 …"],
    ["another cookie than its name", "server x_10.0.0.1:1 10.0.0.1:1 cookie y …"],
    ["no number", "server x_10.0.0.1:1 10.0.0.1:1 id x …"],
    ["a loopback address", "server x_127.0.0.1:1 127.0.0.1:1 …"],
    ["a socket", "server x_unix@/x:1 unix@/x:1 …"],
    ["no port", "server x_10.0.0.1 10.0.0.1 …"],
    ["no address", "server x"],
    ["a name that is too long", `server ${"x".repeat(1000)}_10.0.0.1:1 10.0.0.1:1 …`],
    ["another kind of blank", "server x_10.0.0.1:1\v10.0.0.1:1 …"],
  ])("leaves out a server with %s, and no other", async (_, line) => {
    const servers = ["server a_10.0.0.1:1 10.0.0.1:1 id 9 …", line, "server b_10.0.0.3:1 10.0.0.3:1 id 8 …"];
    const { kept, leftOut } = await checked(servers);
    expect(kept).toEqual(["a_10.0.0.1:1", "b_10.0.0.3:1"]);
    expect(leftOut).toEqual([expect.stringMatching(/^policy user-api\/x/)]);
  });

  it("keeps in the second back end what it keeps in the first, unchecked, and nothing else", async () => {
    const own = [
      "server a_10.0.0.1:1 10.0.0.1:1 id 1 … port 81 weight 5",
      "server b_10.0.0.2:1 10.0.0.2:1 id 2 … disabled",
      "server x_10.0.0.3:1 10.0.0.3:1 id 3 … source 0.0.0.0 usesrc clientip",
    ];
    const section = ["backend user-api:panic", "\tmode http"];
    const second = [
      "server a_10.0.0.1:1 10.0.0.1:1 id 1 weight 5",
      "server b_10.0.0.2:1 10.0.0.2:1 id 2 disabled",
    ];
    const others = [
      "server x_10.0.0.3:1 10.0.0.3:1 id 3 source 0.0.0.0 usesrc clientip",
      "server a_10.0.0.1:1 10.0.0.1:1 id 1 weight 5 backup",
      "server a_10.0.0.9:1 10.0.0.9:1 id 1 weight 5",
      "server a_10.0.0.1:1\v10.0.0.1:1 id 1 weight 5",
    ];
    const folder = mkdtempSync(join(tmpdir(), "meshctl-check-"));
    const path = (name: string) => join(folder, name);
    writeFileSync(path("policy"), renderBackendPolicy(policyOf(open)));
    for (const name of ["config", "resolved"]) writeFileSync(path(name), "");
    const lines = (servers: readonly string[]) =>
      `${candidate(own).trimEnd()}\n${[...section, ...servers.map((line) => `\t${line}`), ""].join("\n")}`;
    writeFileSync(path("candidate"), lines([...second, ...others]));
    await checkServers(path);
    const kept = readFileSync(path("kept"), "utf8");
    expect(kept.slice(kept.indexOf(section[0]!))).toBe(lines(second).slice(lines([]).indexOf(section[0]!)));
    expect(readFileSync(path("bare"), "utf8").match(/server \S+/g)).toEqual(
      Array(2).fill("server a_10.0.0.1:1"),
    );
    expect(readFileSync(path("left-out"), "utf8").match(/user-api\S+/g)).toEqual(["user-api/x_10.0.0.3:1"]);
  });

  it("leaves out the second of a name or of a number", async () => {
    const twice = "server a_10.0.0.1:1 10.0.0.1:1 id 1 …";
    expect(await checked([twice, twice, "server b_10.0.0.2:1 10.0.0.2:1 id 1 …"])).toMatchObject({
      kept: ["a_10.0.0.1:1"],
      leftOut: ["policy user-api/a_10.0.0.1:1", "policy user-api/b_10.0.0.2:1"],
    });
  });

  it("says nothing of a server that has left", async () => {
    const left = "server x_10.0.0.1:1 10.0.0.1:1 … source 0.0.0.0 usesrc clientip disabled";
    expect(await checked([left])).toEqual({ kept: [], bare: [], leftOut: [] });
  });

  it("goes by where names lead on this host, and by whether they are used when nobody can tell", async () => {
    const hosts = [
      "in.example",
      "out.example",
      "gone.example",
      "used.example",
      "local.example",
      "unheard.example",
    ];
    const servers = hosts.map((host) => `server x_${host}:1 ${host}:1 …`);
    const resolved = [
      "in.example\tok\t10.0.0.1\t2001:db8::1",
      "out.example\tok\t10.0.0.1\t10.9.0.1",
      "gone.example\tunknown",
      "used.example\tagain",
      "local.example\tok\t127.0.0.1",
    ];
    const used = candidate(["server x_used.example:1 used.example:1 …"]);
    expect(await checked(servers, resolved.join("\n"), used, narrow)).toMatchObject({
      kept: ["x_in.example:1", "x_used.example:1"],
      leftOut: [
        "outside user-api/x_out.example:1",
        "unresolved user-api/x_gone.example:1",
        "outside user-api/x_local.example:1",
        "unresolved user-api/x_unheard.example:1",
      ],
    });
  });
});
