import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";

const watcher = resolve(import.meta.dirname, "../../../src/steps/watcher");
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "meshctl-programs-"));
});

const path = (name: string) => join(folder, name);
const perl = (program: string, args: readonly string[], input = "") =>
  spawnSync("perl", [join(watcher, program), ...args], { encoding: "utf8", input, timeout: 20_000 });

describe("what reads a candidate", () => {
  it("prints a regular file up to the limit", () => {
    writeFileSync(path("x"), "12345");
    expect(perl("read-regular.pl", [path("x"), "5"])).toMatchObject({ status: 0, stdout: "12345" });
    writeFileSync(path("empty"), "");
    expect(perl("read-regular.pl", [path("empty"), "5"])).toMatchObject({ status: 0, stdout: "" });
  });

  it.each([
    ["a link", () => symlinkSync("/dev/zero", path("x")), "it is a link"],
    ["a directory", () => mkdirSync(path("x")), "no regular file"],
    ["a pipe", () => spawnSync("mkfifo", [path("x")]), "no regular file"],
    ["nothing", () => undefined, "No such file"],
    ["a file that is too large", () => writeFileSync(path("x"), "123456"), "larger than 5 bytes"],
  ])("refuses %s at once, and says so", (_, make, words) => {
    make();
    const { status, stdout, stderr } = perl("read-regular.pl", [path("x"), "5"]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(new RegExp(`^what Synapse wrote is not taken: .*${words}`));
  });

  it("refuses a device that never ends", () => {
    expect(perl("read-regular.pl", ["/dev/zero", "5"])).toMatchObject({ status: 1, stdout: "" });
  });
});

describe("what leaves out half of the servers that are new", () => {
  const backend = (service: string, servers: readonly string[], more = "") =>
    [`backend ${service}`, ...servers.map((name) => `\tserver ${name} 10.0.0.1:1 check${more}`), ""].join(
      "\n",
    );
  const both = (service: string, servers: readonly string[], more = "") =>
    backend(service, servers, more) + backend(`${service}:panic`, servers, more);

  function halved(candidate: string, current?: string) {
    writeFileSync(path("candidate"), candidate);
    writeFileSync(path("left-out"), "policy\tuser-api/x\tsaid before\n");
    if (current !== undefined) writeFileSync(path("current"), current);
    const { status } = perl("halve-new-servers.pl", [
      ...[path("current"), path("candidate"), path("left-out")],
      "too\nmany",
    ]);
    const leftOut = readFileSync(path("left-out"), "utf8").split("\n").slice(1, -1);
    return { status, left: readFileSync(path("candidate"), "utf8"), leftOut };
  }
  const refused = (...servers: readonly string[]) => servers.map((server) => `refused\t${server}\ttoo many`);

  it.each([
    ["the last half, and the larger one", ["a", "b", "c"], undefined, ["a"], ["b", "c"]],
    [
      "those alone that the configuration of now has not",
      ["a", "b", "c", "d"],
      ["d", "a"],
      ["a", "b", "d"],
      ["c"],
    ],
    ["the only one", ["a", "b"], ["a"], ["a"], ["b"]],
  ])("takes %s", (_, servers, current, kept, left) => {
    const result = halved(both("user-api", servers), current && both("user-api", current));
    expect(result.status).toBe(0);
    expect(result.left).toBe(both("user-api", kept));
    expect(result.leftOut).toEqual(refused(...left.map((name) => `user-api/${name}`)));
  });

  it("tells the servers of one service from those of another", () => {
    const result = halved(both("one", ["a"]) + both("two", ["a"]), both("one", ["a"]));
    expect(result.left).toBe(both("one", ["a"]) + both("two", []));
    expect(result.leftOut).toEqual(refused("two/a"));
  });

  it("misses none that is leaving", () => {
    const result = halved(both("one", ["a"], " disabled"));
    expect(result).toMatchObject({ status: 0, left: both("one", []), leftOut: [] });
  });

  it("takes nothing where nothing is new, and says so", () => {
    const candidate = both("one", ["a", "b"]);
    expect(halved(candidate, candidate)).toEqual({ status: 1, left: candidate, leftOut: [] });
  });
});

describe("what drops the servers that HAProxy's alerts name", () => {
  const config = "/run/meshctl/haproxy-install.a1B2c3/haproxy.cfg";
  const candidate = [
    "backend user-api",
    "\tserver a 10.0.0.1:1 check",
    "\tserver b 10.0.0.2:1 check bogus",
    "\tserver c 10.0.0.3:1 check bogus disabled",
    "\tbalance roundrobin",
    "backend user-api:panic",
    "\tserver a 10.0.0.1:1",
    "\tserver b 10.0.0.2:1 bogus",
    "\tserver c 10.0.0.3:1 bogus disabled",
    "",
  ].join("\n");

  function dropped(messages: readonly string[]) {
    writeFileSync(path("candidate"), candidate);
    writeFileSync(path("left-out"), "policy\tuser-api/x\tsaid before\n");
    writeFileSync(path("messages"), `${messages.join("\n")}\n`);
    const { status } = perl("drop-refused-servers.pl", [
      config,
      path("messages"),
      "2",
      path("candidate"),
      path("left-out"),
    ]);
    const left = readFileSync(path("candidate"), "utf8");
    return { status, left, leftOut: readFileSync(path("left-out"), "utf8").split("\n").slice(1, -1) };
  }

  it.each([
    [
      "2.2",
      `[ALERT] 329/161530 (1234) : parsing [${config}:5] : 'server b' unknown keyword 'bogus'. Registered keywords :`,
    ],
    [
      "2.6",
      `[ALERT]    (1234) : config : parsing [${config}:5] : 'server b' : unknown keyword 'bogus'; did you mean 'backup' maybe ?`,
    ],
  ])("takes the line as HAProxy %s counts it", (_, message) => {
    const { status, left, leftOut } = dropped([
      "[NOTICE] (1) : x",
      message,
      "[ALERT] (1) : Fatal errors found",
    ]);
    expect(status).toBe(0);
    expect(left).toBe(candidate.replace(/.*server b.*\n/g, ""));
    expect(leftOut).toEqual([expect.stringMatching(/^refused\tuser-api\/b\t'server b'.*bogus/)]);
  });

  it("takes a server out of both back ends, whichever is named, and tells of it once", () => {
    for (const number of [4, 9])
      expect(dropped([`[ALERT] (1) : config : parsing [${config}:${number}] : no`])).toEqual({
        status: 0,
        left: candidate.replace(/.*server a.*\n/g, ""),
        leftOut: ["refused\tuser-api/a\tno"],
      });
  });

  it("says nothing of a server that has left", () => {
    const { status, left, leftOut } = dropped([`[ALERT] (1) : config : parsing [${config}:6] : no`]);
    expect({ status, leftOut }).toEqual({ status: 0, leftOut: [] });
    expect(left).not.toContain("server c");
  });

  it.each([
    ["another line than a server's", `[ALERT] (1) : config : parsing [${config}:7] : no`],
    ["a line of another file", "[ALERT] (1) : config : parsing [/etc/haproxy/haproxy.cfg:5] : no"],
    ["no line", "[ALERT] (1) : [haproxy.main()] Some configuration options require full privileges"],
    ["a line in a warning", `[WARNING] (1) : config : parsing [${config}:5] : hm`],
  ])("drops nothing for %s", (_, message) => {
    expect(dropped([message])).toEqual({ status: 1, left: candidate, leftOut: [] });
  });
});

it("gives servers the addresses of their names, for a try where nobody can be asked", () => {
  writeFileSync(path("resolved"), "app.example\tok\t10.0.0.7\t2001:db8::1\ngone\tunknown\n");
  const config = [
    "backend a",
    "\tserver x_app.example:80 app.example:80 check",
    "\tserver gone:80 gone:80",
    "\tserver 10.0.0.1:80 10.0.0.1:80",
    "\tserver 2001:db8::5:80 2001:db8::5:80",
    "",
  ].join("\n");
  expect(perl("name-addresses.pl", [path("resolved")], config).stdout).toBe(
    config.replace(" app.example:80 check", " 10.0.0.7:80 check").replace(" gone:80\n", " 192.0.2.1:80\n"),
  );
});

it("tells what names are on this host, and leaves addresses alone", () => {
  writeFileSync(
    path("candidate"),
    "backend a\n\tserver x localhost:80\n\tserver y localhost:81\n\tserver z 10.0.0.1:1\n\tserver v ::1:1\n",
  );
  const { status, stdout } = perl("resolve-hosts.pl", [path("candidate")]);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^localhost\tok\t(127\.0\.0\.1|::1)[^\n]*\n$/);
});

it("asks for many names side by side, and tells each of them once, in their order", () => {
  const names = Array.from({ length: 50 }, (_, at) => (at % 7 === 0 ? "localhost" : `n${at}.invalid`));
  writeFileSync(path("candidate"), names.map((name, at) => `\tserver s${at} ${name}:80\n`).join(""));
  const { status, stdout } = perl("resolve-hosts.pl", [path("candidate")]);
  expect(status).toBe(0);
  const told = stdout.trimEnd().split("\n");
  expect(told.map((line) => line.split("\t")[0])).toEqual([...new Set(names)]);
  expect(told.every((line) => /\t(ok\t.+|again|unknown)$/.test(line))).toBe(true);
});
