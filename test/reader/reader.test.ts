import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { HostLost } from "../../src/errors.ts";
import { sha256Of } from "../../src/evidence/file.ts";
import { readThere } from "../../src/reader/answer.ts";
import { HostReader } from "../../src/reader/host-reader.ts";
import { lookThrough } from "../../src/reader/look.ts";
import { readerProgram } from "../../src/reader/program.ts";
import type { Ask, Question } from "../../src/reader/protocol.ts";
import { Reader } from "../../src/reader/reader.ts";
import { Frame } from "../../src/remote/frame.ts";
import { LocalHost } from "./local.ts";

// Real processes on a machine that may be busy with much else.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let folder: string;
let host: LocalHost;
let reader: HostReader;
const look = () => new Reader(lookThrough(reader));
const ask = (...[name = "", ...values]: readonly string[]) => lookThrough(reader)([name, ...values]);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "meshctl-reader-"));
  chmodSync(folder, 0o755);
  host = new LocalHost();
  reader = new HostReader(host);
});
afterAll(async () => {
  await reader?.end();
  rmSync(folder, { recursive: true, force: true });
});

const at = (name: string) => join(folder, name);
/** What the user of a service can put into his own directory. */
const PLANTS =
  "echo mine >file; ln -s file own; ln -s ../secret link; ln -s /dev/zero zero; mkfifo pipe; ln -s ../roots dir; echo x >closed; chmod 0 closed; touch data/a";
function put(name: string, content: string | Buffer): string {
  writeFileSync(at(name), content);
  return at(name);
}

it.each([..."0123456789abcdef"])(
  "an answer that ends with %s comes at once where the mark begins with it",
  async (digit) => {
    const nonce = digit.padEnd(32, "0");
    const frame = new Frame(nonce);
    frame.push(Buffer.from(`${nonce} BEGIN\n`));
    const framed = new HostReader({
      talk: (script, options) =>
        host.talk(script, {
          ...options,
          onOutput: (bytes) => {
            frame.push(bytes);
            const taken = frame.take();
            if (taken.length > 0) options.onOutput(taken);
          },
        }),
    });
    const path = put(`ends-with-${digit}`, digit);
    // A reader that is silent is given up after a while, and asked again.
    expect(await new Reader(lookThrough(framed)).text(path)).toEqual({ is: "value", value: digit });
    expect(framed.frames).toBe(1);
    await framed.end();
  },
);

describe("the program", () => {
  it("does not run when it came in part", async () => {
    const said: Buffer[] = [];
    const { script, program } = readerProgram();
    const talk = await new LocalHost().talk(script, {
      during: "a test",
      timeoutMs: 1000,
      onOutput: (bytes) => said.push(bytes),
      giveWay: () => {},
    });
    await talk.send(program.subarray(0, program.length - 100));
    await talk.close();
    expect((await talk.ended).message).toMatch(/exit code 94/);
    expect(Buffer.concat(said).length).toBe(0);
  });
});

describe("a file", () => {
  it("comes whole, with what it is", async () => {
    const path = put("whole", "a\nb\0\xff");
    const answer = await look().file(path);
    expect(answer).toMatchObject({
      is: "value",
      value: { kind: "regular", mode: "0644", owner: "root:root", realPath: path, sha256: undefined },
    });
    expect(answer.is === "value" && answer.value.content).toEqual(readFileSync(path));
  });

  it("that holds what is wanted is not sent, and one that does not is", async () => {
    const text = "wanted\n";
    const path = put("as-wanted", text);
    const same = await look().file(path, { sha256: sha256Of(text), bytes: text.length });
    expect(same).toMatchObject({ value: { sha256: sha256Of(text), content: undefined } });
    for (const other of ["wanteD\n", "longer than wanted\n", ""]) {
      const answer = await look().file(path, { sha256: sha256Of(other), bytes: other.length });
      expect(answer).toMatchObject({ value: { content: Buffer.from(text) } });
    }
  });

  it("is told apart from one that is not there, a link to nothing, a directory, a FIFO, a device", async () => {
    mkdirSync(at("directory"));
    execFileSync("mkfifo", [at("fifo")]);
    symlinkSync("nowhere", at("dangling"));
    symlinkSync("/dev/null", at("masked"));
    const kinds = await Promise.all(
      ["directory", "fifo", "dangling", "masked", "missing", "missing/below"].map(async (name) => {
        const answer = await look().file(at(name));
        return answer.is === "value" ? [answer.value.kind, answer.value.content] : answer.is;
      }),
    );
    expect(kinds).toEqual([
      ["directory", undefined],
      ["fifo", undefined],
      ["dangling link", undefined],
      ["character special file", undefined],
      "absent",
      "absent",
    ]);
  });

  it.each([
    ["a name of more than 255 letters", `/${"x".repeat(256)}`],
    ["a path of more than 4096", `/${"x".repeat(5000)}`],
    ["one of many parts", "/x".repeat(5000)],
  ])("is not there under %s, which no kernel takes", async (_, path) => {
    const [file, list, space] = await Promise.all([look().file(path), look().list(path), look().space(path)]);
    expect([file.is, list.is, space.is]).toEqual(["absent", "absent", "absent"]);
  });

  it("of more than 256 KiB comes as its digest unless it is asked for as a long one, and one of more than 64 MiB is unreadable", async () => {
    const text = "x".repeat(300_000);
    expect(await look().file(put("large", text))).toMatchObject({
      value: { sha256: sha256Of(text), content: undefined, size: 300_000 },
    });
    const long = await look().longFile(at("large"));
    expect(long.is === "value" && String(long.value.content)).toBe(text);
    expect(await look().longText(at("large"))).toEqual({ is: "value", value: text });
    const wanted = { sha256: sha256Of(text), bytes: text.length };
    expect(await look().longFile(at("large"), wanted)).toMatchObject({
      value: { sha256: wanted.sha256, content: undefined },
    });
    put("longer", "x".repeat(3 * 1024 * 1024 + 1));
    expect(await look().longText(at("longer"))).toEqual({
      is: "unreadable",
      because: "it is larger than 3 MiB",
    });
    truncateSync(put("huge", ""), 1024 ** 3);
    expect(await look().file(at("huge"))).toEqual({
      is: "unreadable",
      because: "larger than 67108864 bytes",
    });
  });

  it("that was changed since the boot is told with the kernel's time, whatever touch says", async () => {
    const path = put("changed", "x");
    utimesSync(path, 1, 1);
    const answer = await look().bootChanges([path, at("not there"), "/proc/version"]);
    const found = answer.is === "value" ? answer.value.changes : [];
    const [mine] = found.filter(({ what }) => what === path);
    expect(Math.abs(mine!.at - Date.now() / 1000)).toBeLessThan(60);
    expect(found.map(({ what }) => what)).not.toContain(at("not there"));
    expect(answer).toMatchObject({ value: { bootedAt: expect.any(Number) } });
  });

  it("gives only the lines that match, with their numbers", async () => {
    const path = put("options", "[mysqld]\npassword = secret\n  innodb_x = 1\n# innodb\n");
    const answer = await look().lines(path, "^\\s*innodb");
    expect(answer).toMatchObject({ value: { lines: [{ number: 3, text: "  innodb_x = 1" }] } });
  });

  it("of systemd's gives its settings, of variables the names alone and of credentials nothing", async () => {
    const path = put(
      "x.conf",
      '[Unit]\n# no=1\nAfter = a.target \\\n  b.target\n[Service]\nEnvironment=A=1 "B=hidden word" C=hidden\nSetCredential=x:hidden\nExecStartPre=\n',
    );
    const answer = await look().settings(path);
    expect(JSON.stringify(answer)).not.toContain("hidden");
    expect(answer).toMatchObject({
      value: {
        settings: [
          { line: 3, section: "Unit", key: "After", value: "a.target b.target" },
          { line: 6, section: "Service", key: "Environment", value: "A B C" },
          { line: 7, section: "Service", key: "SetCredential", value: "" },
          { line: 8, section: "Service", key: "ExecStartPre", value: "" },
        ],
      },
    });
  });

  it("that a link of a user's leads to somebody else's is not read", async () => {
    const target = put("of-root", "secret");
    symlinkSync(target, at("planted"));
    execFileSync("chown", ["-h", "nobody", at("planted")]);
    const because = `the way to it is a link that nobody made, and it leads to ${target}`;
    expect(await look().file(at("planted"))).toEqual({ is: "unreadable", because });
    expect(await look().lines(at("planted"), ".")).toEqual({ is: "unreadable", because });
    chownSync(target, 65534, 65534);
    expect(await look().file(at("planted"))).toMatchObject({ is: "value" });
  });

  it("in a directory of another's is read as this user, by whatever links", async () => {
    put("secret", "s3cret\n");
    chmodSync(at("secret"), 0o600);
    mkdirSync(at("roots"), { mode: 0o700 });
    writeFileSync(at("roots/snapshot.1"), "");
    mkdirSync(at("svc/data"), { recursive: true });
    execFileSync("chown", ["-R", "nobody", at("svc")]);
    execFileSync("sh", ["-c", `exec setpriv --reuid=nobody --clear-groups sh -ec '${PLANTS}'`], {
      cwd: at("svc"),
    });
    linkSync(at("secret"), at("svc/hard"));
    // Root's own links lie there too, and can be moved.
    symlinkSync(at("secret"), at("svc/rooted"));
    symlinkSync(put("of-the-package", "1\n"), at("svc/packaged"));
    const names = [
      "file",
      "own",
      "link",
      "rooted",
      "packaged",
      "hard",
      "closed",
      "zero",
      "pipe",
      "dir/secret",
    ];
    const found = await Promise.all(
      names.map(async (name) => {
        const answer = await look().file(at(`svc/${name}`));
        if (answer.is !== "value") return [name, "because" in answer ? answer.because : answer.is];
        return [name, String(answer.value.content ?? answer.value.kind)];
      }),
    );
    const link = (target: string) => `the way to it is a link that nobody made, and it leads to ${target}`;
    const refused = "nobody may not read it";
    expect(Object.fromEntries(found)).toEqual({
      file: "mine\n",
      own: "mine\n",
      link: link(at("secret")),
      rooted: refused,
      packaged: "1\n",
      hard: refused,
      closed: refused,
      zero: link("/dev/zero"),
      pipe: "fifo",
      "dir/secret": refused,
    });
    expect(await look().list(at("svc/dir"), "^snapshot")).toEqual({ is: "unreadable", because: refused });
    expect(await look().list(at("svc/data"), "^a")).toMatchObject({ value: [{ name: "a" }] });
    expect(await look().mount(at("svc/data"))).toEqual(await look().mount(folder));
    // More than is sent is summed up by a program, as root.
    truncateSync(at("svc/file"), 300_000);
    expect(await look().file(at("svc/file"))).toMatchObject({ value: { size: 300_000, content: undefined } });
    // Nothing is left of it to those that come after.
    expect(await look().file(at("secret"))).toMatchObject({ value: { content: Buffer.from("s3cret\n") } });
  });

  it("in a directory that its group or everybody may write is read as nobody, but for what is root's in /tmp", async () => {
    for (const [name, mode, group, isRead] of [
      ["by-everybody", 0o777, 0, false],
      ["by-its-group", 0o775, 65_534, false],
      ["by-root's-group", 0o775, 0, true],
      ["like-tmp", 0o1777, 0, true],
    ] as const) {
      mkdirSync(at(name));
      writeFileSync(at(`${name}/file`), "x", { mode: 0o600 });
      chownSync(at(name), 0, group);
      chmodSync(at(name), mode);
      expect(await look().file(at(`${name}/file`)), name).toMatchObject(
        isRead ? { is: "value" } : { is: "unreadable", because: "nobody may not read it" },
      );
    }
  });

  it("that changes while it is read is unreadable, never a mixture", async () => {
    const path = put("moving", "");
    const texts = ["a".repeat(200_000), "b".repeat(200_000)];
    const writing = { isOver: false };
    const write = (async () => {
      for (let turn = 0; !writing.isOver; turn += 1) {
        writeFileSync(path, texts[turn % 2]!);
        await sleep(0);
      }
    })();
    try {
      for (let turn = 0; turn < 50; turn += 1) {
        const answer = await look().file(path);
        // A file that is not written to its end yet is a state of its own.
        if (answer.is === "value") expect(String(answer.value.content)).toMatch(/^(a*|b*)$/);
        else expect(answer).toEqual({ is: "unreadable", because: "it changed while it was read" });
      }
    } finally {
      writing.isOver = true;
      await write;
    }
  });
});

describe("what else is read", () => {
  it("is a directory, with what its links lead to", async () => {
    mkdirSync(at("listed"));
    writeFileSync(at("listed/b.conf"), "");
    writeFileSync(at("listed/.hidden.conf"), "");
    symlinkSync("/dev/null", at("listed/a.conf"));
    // One that leads nowhere is an entry like the others, wherever it comes.
    for (const name of ["0.conf", "c.conf", "z.conf"]) symlinkSync("nowhere", at(`listed/${name}`));
    expect(await look().list(at("listed"), "\\.conf$")).toEqual({
      is: "value",
      value: [
        { name: ".hidden.conf", kind: "regular", owner: "root:root", targetKind: "regular" },
        { name: "0.conf", kind: "link", owner: "root:root", targetKind: "" },
        { name: "a.conf", kind: "link", owner: "root:root", targetKind: "character special file" },
        { name: "b.conf", kind: "regular", owner: "root:root", targetKind: "regular" },
        { name: "c.conf", kind: "link", owner: "root:root", targetKind: "" },
        { name: "z.conf", kind: "link", owner: "root:root", targetKind: "" },
      ],
    });
    expect(await look().list(at("nowhere"))).toEqual({ is: "absent" });
    mkdirSync(at("crowded"));
    for (let number = 0; number < 1001; number += 1) writeFileSync(at(`crowded/log.${number}`), "");
    expect(await look().list(at("crowded"))).toEqual({ is: "unreadable", because: "more than 1000 entries" });
    expect(await look().list(at("crowded"), "^log", 1)).toMatchObject({ value: [{ kind: "regular" }] });
    expect(await look().list(at("crowded"), "^snapshot", 1)).toEqual({ is: "value", value: [] });
  });

  it("is what the kernel lets a user do", async () => {
    const path = put("guarded", "");
    const may = async (user: string) => look().may({ user, group: "", groups: [] }, [path]);
    expect(await may("nobody")).toMatchObject({ is: "value", value: [{ may: "r" }] });
    expect(await may("root")).toMatchObject({ is: "value", value: [{ may: "rw" }] });
    expect(await may("nobody-of-that-name")).toMatchObject({
      is: "unreadable",
      because: expect.stringContaining("this host has no user nobody-of-that-name"),
    });
  });

  it("is whether a program can be executed, with the interpreter that it names", async () => {
    const script = put("script", "#!/usr/bin/perl -w\n1;\n");
    const because = async (path: string) => {
      const answer = await look().program(path);
      return answer.is === "value" ? answer.value.because : answer;
    };
    expect(await because(script)).toBe(`${script} is not executable`);
    chmodSync(script, 0o755);
    expect(await because(script)).toBe("");
    expect(await because("/usr/bin/perl")).toBe("");
    const orphan = put("orphan", "#!/opt/gone/ruby\n");
    chmodSync(orphan, 0o755);
    expect(await because(orphan)).toBe(`${orphan} cannot run: /opt/gone/ruby is not there`);
    symlinkSync(at("gone"), at("leads-nowhere"));
    expect(await because(at("leads-nowhere"))).toBe(
      `${at("leads-nowhere")} leads to ${at("gone")}, which is not there`,
    );
    const empty = put("empty", "");
    chmodSync(empty, 0o755);
    expect(await because(empty)).toBe(`${empty} is no program`);
  });

  it("is what the kernel lets a user do on the way to each of many paths", async () => {
    const asker = { user: "nobody", group: "", groups: [] };
    const open = put("open", "");
    mkdirSync(at("closed"), { mode: 0o700 });
    mkdirSync(at("full"));
    chmodSync(at("full"), 0o755);
    put("full/readable", "");
    const secret = put("full/secret", "");
    chmodSync(secret, 0o600);
    const paths = [open, at("closed/inside"), at("nowhere/at/all"), at("full/*")];
    const answer = await look().may(asker, paths);
    expect(answer).toMatchObject({
      value: [
        { asked: open, state: "there", may: "r", kind: "regular", owner: "root:root" },
        { state: "closed", path: at("closed"), mode: "0700" },
        { state: "absent", path: at("nowhere") },
        { asked: at("full/*"), state: "there", may: "", path: secret, mode: "0600" },
      ],
    });
    expect(answer.is === "value" && answer.value[0]!.why.get("w")).toBe("EACCES");
    expect(await look().may({ ...asker, groups: ["no-group-of-that-name"] }, [open])).toMatchObject({
      is: "unreadable",
      because: expect.stringContaining("no group no-group-of-that-name"),
    });
    expect(await look().may({ ...asker, groups: ["; id"] }, [open])).toMatchObject({ is: "unreadable" });
  });

  it("is which mounts a path is on, from the root's", async () => {
    const answer = await look().place("/proc/self/status");
    expect(answer).toMatchObject({ is: "value" });
    if (answer.is !== "value") return;
    expect(answer.value.mounts.find(({ point }) => point === "/proc")).toMatchObject({
      fileSystem: "proc",
      root: "/",
    });
    expect(answer.value.mounts.some(({ point }) => point === "/")).toBe(true);
    for (const { isLine } of answer.value.mounts) expect(isLine.length).toBe(answer.value.fstab.length);
    expect(await look().made("/run/of/nobody")).toEqual({ is: "value", value: [] });
  });

  it("is read as the owner of a directory where another group than root's decides about the way", async () => {
    const owner = Number(execFileSync("id", ["-u", "daemon"]).toString());
    mkdirSync(at("shared/data"), { recursive: true });
    chownSync(at("shared"), 0, 12);
    chmodSync(at("shared"), 0o2775);
    put("shared/data/epoch", "");
    chownSync(at("shared/data"), owner, owner);
    chmodSync(at("shared/data"), 0o700);
    expect(await look().list(at("shared/data"))).toMatchObject({ value: [{ name: "epoch" }] });
  });

  it("is a process by its number, with the start time that names it for good", async () => {
    const parts = ["comm", "cgroup", "limits", "environ:HOME"];
    const answer = await look().process(process.pid, parts);
    expect(answer).toMatchObject({
      value: { pid: process.pid, owner: "root:root", state: expect.any(String) },
    });
    if (answer.is !== "value") return;
    const [comm, , limits, home] = answer.value.parts;
    expect(readFileSync(`/proc/${process.pid}/comm`, "utf8")).toBe(comm);
    expect(limits).toContain("Max open files");
    expect(home).toBe(`HOME=${process.env.HOME}`);
    expect(await look().process(4_194_305, ["comm"])).toEqual({ is: "absent" });
  });

  it("is how the kernel treats a process: lines of its status, its root and network, what disks give it", async () => {
    const parts = ["status:^(?:State|Cpus_allowed_list):", "root", "ns/net", "ioprio"];
    const answer = await look().process(process.pid, parts);
    if (answer.is !== "value") expect.fail(answer.is);
    const [status, ...others] = answer.value.parts;
    expect(status).toMatch(/^State:\t[^\0]+\0Cpus_allowed_list:\t[\d,-]+$/);
    expect(others).toEqual([
      readlinkSync(`/proc/${process.pid}/root`),
      readlinkSync(`/proc/${process.pid}/ns/net`),
      expect.stringMatching(/^\d+$/),
    ]);
  });

  it("is every process of a control group, and of one that is not there none", async () => {
    expect(await look().processes("/of/nobody.service", ["stat"])).toEqual({ is: "value", value: [] });
    await expect(look().processes("/of\nnobody", ["stat"])).resolves.toMatchObject({ is: "unreadable" });
    // The kernel may name one twice, and in a hybrid of both kinds of control groups each stands in two.
    // systemd writes "\\x2d" for a dash in a slice's name.
    const group = "my\\x2dteam.slice";
    mkdirSync(at(group), { recursive: true });
    put(`${group}/cgroup.procs`, `${process.pid}\n${process.pid}\n`);
    const { value: found } = (await look().processes(`/../../..${at(group)}`, ["stat"])) as {
      value: readonly unknown[];
    };
    expect(found).toHaveLength(1);
  });

  it("is of a process's arguments and files what matches, and nothing else of them", async () => {
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1e6)", "password=secret", "a.Main"]);
    try {
      const arguments_ = "cmdline:^a\\.Main$";
      const answer = await look().process(child.pid!, [
        "comm",
        arguments_,
        "files:^/dev/nul",
        "environ:HOME",
      ]);
      if (answer.is !== "value") expect.fail(answer.is);
      const [comm, ...parts] = answer.value.parts;
      expect(parts).toEqual(["a.Main", "", `HOME=${process.env.HOME}`]);
      const all = await look().processes(comm!.trim(), [arguments_]);
      if (all.is !== "value") expect.fail(all.is);
      expect(all.value.find(({ pid }) => pid === child.pid)?.parts).toEqual(["a.Main"]);
      expect(JSON.stringify(all)).not.toContain("secret");
    } finally {
      child.kill("SIGKILL");
    }
  });

  it("is what is damaged of a tree whose files are listed", async () => {
    mkdirSync(at("tree"));
    writeFileSync(at("tree/a"), "a");
    execFileSync("sh", ["-c", "sha256sum a >SHA256SUMS"], { cwd: at("tree") });
    const damage = () => look().answerTo("tree.damage", at("tree"));
    expect(await damage()).toEqual({ is: "value", value: "" });
    writeFileSync(at("tree/a"), "b");
    expect(await damage()).toEqual({ is: "value", value: "a: FAILED" });
  });

  it("is the file system: what is mounted, and what is free", async () => {
    expect(await look().mount("/proc/self/status")).toMatchObject({
      value: { point: "/proc", fileSystem: "proc" },
    });
    const space = await look().space("/");
    expect(space.is === "value" && space.value.blockBytes * space.value.freeBlocks).toBeGreaterThan(0);
  });

  it("is who is connected to a port, each address once", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const clients = [1, 2].map(() => connect(port, "127.0.0.1"));
    await Promise.all(clients.map((client) => once(client, "connect")));
    expect(await look().groupsOf(2, "sockets.from", `${port}`, "1")).toEqual({
      is: "value",
      value: [[`${port}`, "127.0.0.1"]],
    });
    for (const client of clients) client.destroy();
    server.close();
  });

  it("is a user with groups", async () => {
    expect(await look().user("root")).toMatchObject({ value: { uid: 0, gid: 0, home: "/root" } });
    expect(await look().user("nobody-of-that-name")).toEqual({ is: "absent" });
  });

  it("tells of a user's groups each time that it is asked", async () => {
    put("groups", "root:x:0:\nnogroup:x:65534:\nextra:x:777:nobody\n");
    const other = new HostReader(new LocalHost({}, `mount --bind ${at("groups")} /etc/group || exit 1`));
    for (const _ of [1, 2, 3]) {
      const one = new Reader(lookThrough(other));
      const [user, may] = await Promise.all([
        one.user("nobody"),
        one.may({ user: "nobody", group: "", groups: [] }, ["/etc/passwd"]),
      ]);
      expect(user).toMatchObject({ value: { groups: ["nogroup", "extra"] } });
      expect(may).toMatchObject({ is: "value" });
    }
    await other.end();
  });

  it("is the clock, between two moments of ours", async () => {
    const clock = await look().clock();
    if (clock.is !== "value") expect.fail(JSON.stringify(clock));
    const { sentAtMs, receivedAtMs } = clock.value;
    const hostMs = clock.value.hostMs - (Date.now() - performance.now());
    expect(hostMs).toBeGreaterThanOrEqual(sentAtMs - 5);
    expect(hostMs).toBeLessThanOrEqual(receivedAtMs + 5);
  });
});

describe("what is run at a boot or later", () => {
  it("is told line by line, of at jobs, logrotate and what systemd-run made too", async () => {
    const places: Readonly<Record<string, string>> = {
      "/etc/rc.local":
        "#!/bin/sh\n# stop-it\necho stop-it one\nquery /etc/status </etc/helper\ncat /etc/all.d/*.conf | sysctl -p -\ngzip /etc/app/*.txt /var/log/app/*.log\n/etc/stop-it\n",
      "/var/log/app/a.log": "COMMAND=stop-it\n",
      "/etc/logrotate.d/db": "/var/log/app/*.log {\n}\n",
      // As dpkg's list of what is installed is read by a script: what it names is run by nobody.
      "/etc/status": "Conffiles: /etc/init.d/x\nName: stop-it now\n",
      "/etc/init.d/x": "#!/bin/sh\nstop-it never\n",
      "/etc/helper": "#!/bin/sh\nstop-it six\n",
      // The line that names it has the word, and does not fit.
      "/etc/stop-it": "#!/bin/sh\nstop-it ten\n",
      "/etc/all.d/a.conf": "stop-it seven\n",
      "/etc/all.d/b.txt": "stop-it nowhere\n",
      "/etc/logrotate.d/x": "/var/log/x {\n postrotate\n  stop-it two\n endscript\n}\n",
      "/etc/apt/apt.conf.d/99x": 'DPkg::Post-Invoke { "stop-it eight"; };\n',
      "/etc/iptables/rules.v4": "*filter\n-A stop-it nine\n",
      "/etc/iptables/rules.bak": "stop-it never\n",
      "/etc/systemd/system/netfilter-persistent.service": "[Service]\nExecStart=/bin/true\n",
      "/var/spool/cron/atjobs/a1": "#!/bin/sh\nstop-it three\n",
      "/run/systemd/transient/run-x.timer": "[Timer]\nOnActiveSec=1h\n",
      "/run/systemd/transient/run-x.service":
        "[Service]\nExecStart=/bin/stop-it four\nExecStopPost=/bin/stop-it five\n",
      "/etc/systemd/system/atd.service": "[Service]\nExecStart=/usr/sbin/atd\n",
      // Of a package's, in which nothing fits, nothing is followed.
      "/usr/lib/tmpfiles.d/package.conf": "w /etc/knob - - - - /etc/of-package\n",
      "/etc/of-package": "stop-it never\n",
    };
    const plant = Object.entries(places).map(
      ([path, text]) =>
        `mkdir -p ${path.replace(/\/[^/]*$/, "")}; printf '${text.replaceAll("\n", "\\n")}' >${path}; chmod ${path === "/etc/status" ? 644 : 755} ${path}`,
    );
    const empty = ["/etc", "/run", "/var/spool", "/var/log", "/usr/lib/tmpfiles.d"].map(
      (path) => `mount -t tmpfs none ${path}`,
    );
    const many = "mkdir /etc/app; for i in $(seq 450); do : >/etc/app/$i.txt; done";
    const wanted =
      "mkdir -p /etc/systemd/system/multi-user.target.wants && ln -s ../atd.service ../netfilter-persistent.service /etc/systemd/system/multi-user.target.wants";
    // Of this machine's own programs it is decided whether logrotate is there.
    const has = "mount -t tmpfs none /usr/sbin; : >/usr/sbin/logrotate; chmod 755 /usr/sbin/logrotate";
    const other = new HostReader(
      new LocalHost({}, `{ ${[...empty, ...plant, many, wanted, has].join("; ")}; } || exit 1`),
    );
    const ask = () => new Reader(lookThrough(other)).groupsOf(4, "boot.lines", "^.*stop-it [a-z]", "stop-it");
    const rowsOf = async () =>
      readThere(await ask(), "the lines")
        .map(([path, line, text, by]) => [path, line, text?.trim(), by])
        .toSorted();
    const rows = await rowsOf();
    expect(await rowsOf()).toEqual(rows);
    await other.end();
    expect(rows).toEqual([
      ["/etc/all.d/a.conf", "1", "stop-it seven", "rc.local"],
      ["/etc/apt/apt.conf.d/99x", "1", 'DPkg::Post-Invoke { "stop-it eight"; };', "apt"],
      ["/etc/helper", "2", "stop-it six", "rc.local"],
      ["/etc/iptables/rules.v4", "2", "-A stop-it nine", "netfilter-persistent"],
      ["/etc/logrotate.d/x", "3", "stop-it two", "logrotate"],
      ["/etc/rc.local", "3", "echo stop-it one", "rc.local"],
      ["/etc/status", "2", "Name: stop-it now", "rc.local"],
      ["/etc/stop-it", "2", "stop-it ten", "rc.local"],
      ["/run/systemd/transient/run-x.service", "2", "/bin/stop-it four", "run-x.service"],
      ["/run/systemd/transient/run-x.service", "3", "/bin/stop-it five", "run-x.service ExecStopPost"],
      ["/var/spool/cron/atjobs/a1", "2", "stop-it three", "at"],
    ]);
  });

  it("is not told by a pattern that is a program", async () => {
    const program = `(?{ system "touch ${at("ran-too")}" })`;
    for (const [lines, words] of [
      [program, ""],
      ["", program],
    ] as const) {
      const answer = await ask("boot.lines", lines, words);
      expect(answer).toMatchObject({ is: "unreadable", because: expect.stringContaining("Eval-group") });
    }
    expect(existsSync(at("ran-too"))).toBe(false);
  });
});

describe("what DNS says", () => {
  it("is asked as the watcher's user, by no program that runs as root", async () => {
    const none = { is: "unreadable", because: expect.stringContaining("no user meshctl-watcher") };
    expect(await ask("dns", "127.0.0.1", "a.example")).toEqual(none);
  });
});

describe("a package's files", () => {
  it("that are gone, closed, emptied or others than it brought are told, and no others", async () => {
    const sumOf = (text: string) => createHash("md5").update(text).digest("hex");
    mkdirSync(at("brought/inner"), { recursive: true });
    mkdirSync(at("dpkg/info"), { recursive: true });
    const names = ["same", "touched", "altered", "closed", "inner/deep", "diverted", "own"];
    for (const name of names) put(`brought/${name}`, name);
    const list = [...names, "away", "absent"].map(
      (name) => `${sumOf(name)}  ${at(`brought/${name}`).slice(1)}\n`,
    );
    put("dpkg/info/fake-1.0:amd64.md5sums", `${list.join("")}${sumOf("x")}  usr/share/doc/fake/none\n`);
    put("dpkg/info/other.md5sums", `${sumOf("x")}  ${at("brought/absent").slice(1)}\n`);
    const diversions = [
      ["diverted", "elsewhere", "fake-other"],
      // Somebody's own, as dpkg-divert --local has it, which left a file in its place, and one which left none.
      ["own", "own.distrib", ":"],
      ["away", "away.distrib", ":"],
    ];
    put(
      "dpkg/diversions",
      diversions
        .map(([from, to, by]) => `${at(`brought/${from}`)}\n${at(`brought/${to}`)}\n${by}\n`)
        .join(""),
    );
    const since = statSync(at("dpkg/info/fake-1.0:amd64.md5sums")).ctimeMs;
    // The kernel's time of a change is of whole seconds here.
    const change = async (name: string, text: string) => {
      do {
        put(`brought/${name}`, text);
        await sleep(50);
      } while (Math.floor(statSync(at(`brought/${name}`)).ctimeMs / 1000) <= Math.floor(since / 1000));
    };
    await change("touched", "touched");
    await change("altered", "altere?");
    await change("diverted", "else");
    await change("own", "wrapper");
    chmodSync(at("brought/closed"), 0o640);
    chmodSync(at("brought/inner"), 0o700);
    const other = new HostReader(new LocalHost({}, `mount --bind ${at("dpkg")} /var/lib/dpkg || exit 1`));
    const told = await new Reader(lookThrough(other)).alteredFiles("fake[\\d.-]*");
    await other.end();
    expect(told).toMatchObject({ is: "value", value: { unread: 0 } });
    const files = told.is === "value" ? told.value.files : [];
    expect(
      files
        .map(({ path, package: name, is, mode }) => [path.slice(at("brought").length), name, is, mode])
        .toSorted(),
    ).toEqual([
      ["/absent", "fake-1.0", "absent", ""],
      ["/altered", "fake-1.0", "altered", "0644"],
      ["/closed", "fake-1.0", "closed", "0640"],
      ["/inner", "fake-1.0", "closed", "0700"],
      ["/own", "fake-1.0", "altered", "0644"],
    ]);
  });
});

describe("a question that could change a host", () => {
  it.each<Question>([
    ["sockets.listening", "-K"],
    ["sockets.to", "-K"],
    ["sockets.to", "22 ) or ( dport = :1"],
    ["sockets.at", "/run/x -K"],
    ["sockets.at", "/run/x\n-K"],
    ["sockets.from"],
    ["sockets.from", "22", "1 ) or ( dport = :1"],
    ["nft.table", "; flush ruleset"],
    ["nft.ruleset", "-f", "/etc/x.nft"],
    ["iptables.rules", "-F"],
    ["ss", "-K"],
    ["journal.unit", "--vacuum-size=1.service", "1", "yes"],
    ["journal.unit", "a.service", "--vacuum-size=1", "yes"],
    ["journal.unit", "a.service", "1", "--rotate"],
    ["journal.unit", "a.service", "1", "yes", "--vacuum-size=1"],
    ["journal.invocation", "--vacuum-size=1", "5"],
    ["database.query", "root", "1", "-e", "DROP DATABASE x"],
    ["database.query", "-e", "1"],
    ["database.query", "root", "1 -e"],
    ["kernel.writers", "net/../../etc/passwd)|(x"],
    ["kernel.writers", "/etc"],
    ["database.options", "mariadb", "root; touch x", "no"],
    ["database.options", "sh", "root", "no"],
    ["database.errors", "mysql", "--vacuum-size=1.service"],
    ["database.errors", "-c", "mysql.service"],
    ["haproxy.stat", "; shutdown sessions server a/b"],
    ["haproxy.stat", ";quit"],
    ["serving", "1", "127.0.0.1", "1", "POST", "/"],
    ["serving", "1", "127.0.0.1", "1", "GET", "/ HTTP/1.0\r\nX: y"],
    ["serving", "1", "localhost", "1", "", ""],
    ["serving", "1e9", "127.0.0.1", "1", "", ""],
    ["serving", "1", "127.0.0.1", "1"],
    ["resolution", "-x"],
    ["resolution", "a;b"],
    ["dns", "", "-x"],
    ["dns", "10.0.0.53", "a;b"],
    ["haproxy.info_by_master", "1; reload"],
    ["zookeeper.words", "127.0.0.1", "1", "kill"],
    ["zookeeper.words", "127.0.0.1;", "1", "ruok"],
    ["unit", "--job-mode=x.service", "LoadState"],
    ["unit", "a.service\nb.service", "LoadState"],
    ["unit", "a.service", "LoadState,All"],
    ["unit", "a.service", "--value"],
    ["enabled", "--now"],
    ["conditions", "--man=no"],
    ["conditions", "ConditionPathExists=/x\n--root=/y"],
    ["restarts", "--rotate"],
    ["boot", "graphical.target"],
    ["manager", "set-environment"],
    ["program", "relative"],
    ["user", "-x"],
    ["access", "root", "relative"],
    ["file", "relative", "content", "", ""],
    ["file", "/etc/passwd\0x", "content", "", ""],
    ["tree.damage", "/opt/$(touch x)"],
    ["candidate", "-o=APT::Update::Pre-Invoke::=touch"],
    ["health", "127.0.0.1", "1", "1", "/ HTTP/1.1\r\nX: y"],
    ["health", "127.0.0.1", "1", "1e9", "/"],
    ["health", "127.0.0.1", "1", "-1", "/"],
    ["round_trip", "localhost", "22"],
    ["process", "self", "cmdline"],
    ["process", "1", "environ:.*"],
    ["process", "1", "root/etc/shadow"],
    ["flush", "relative"],
    ["boot.changes", "/etc", "relative"],
    ["eval", "system 'touch x'"],
    ["registry", "1", "127.0.0.1", "1", "relative"],
    ["registry.acls", "", "1", "127.0.0.1", "1", "relative"],
    [""],
  ])("is refused: %j", async (...question) => {
    const answer = await ask(...question);
    expect(answer).toMatchObject({
      is: "unreadable",
      because: expect.stringMatching(/^the reader refuses /),
    });
  });

  it("runs no code that a pattern holds", async () => {
    const path = put("text", "x\n");
    const answer = await ask("file", path, "lines", `(?{ system "touch ${at("ran")}" })`);
    expect(answer.is).toBe("unreadable");
    expect(existsSync(at("ran"))).toBe(false);
  });
});

describe.concurrent("what blocks", () => {
  const servers: Server[] = [];
  afterAll(() => {
    for (const server of servers) server.close();
  });
  /** A port on which somebody says what `speak` says. */
  async function port(speak: (socket: Socket) => void): Promise<string> {
    const server = createServer(speak);
    servers.push(server);
    server.unref();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    return `${typeof address === "object" && address !== null ? address.port : 0}`;
  }
  const words = async (speak: (socket: Socket) => void, ...asked: string[]) =>
    look().groupsOf(3, "zookeeper.words", "127.0.0.1", await port(speak), ...asked);

  it("is answered with the end of the answer alone, and each word by itself", async () => {
    const answer = await words(
      (socket) =>
        socket.once("data", (word) => {
          socket.write(`zk_version\t3.8\nzk_watch_count\t9\n${word}`);
          if (String(word) !== "ruok") socket.end();
        }),
      "mntr",
      "ruok",
    );
    expect(answer).toEqual({
      is: "value",
      value: [
        ["mntr", "answered", "zk_version\t3.8\nmntr"],
        ["ruok", "failed", "no end of its answer in time"],
      ],
    });
  });

  it("is a service's health as Nerve checks it, within a part of a second too", async () => {
    const answers = (status: string) =>
      port((socket) => socket.once("data", () => socket.end(`HTTP/1.1 ${status}\r\n\r\n`)));
    const health = async (at: string, seconds: string, path: string) =>
      look().answerTo("health", "127.0.0.1", at, seconds, path);
    const silent = await port(() => {});
    const sick = await answers("500 No");
    expect(await health(await answers("204 Yes"), "20.5", "/gesund/ü")).toEqual({ is: "value", value: "" });
    expect(await health(silent, "20", "")).toEqual({ is: "value", value: "" });
    expect(await health(sick, "20", "/x")).toEqual({
      is: "value",
      value: `GET http://127.0.0.1:${sick}/x: status 500`,
    });
    expect(await health(silent, "0.2", "/x")).toEqual({
      is: "value",
      value: `GET http://127.0.0.1:${silent}/x: no answer within 0.2 s`,
    });
    expect(await health("1", "0.5", "")).toEqual({ is: "value", value: "127.0.0.1:1: Connection refused" });
  });

  it("is what each front end does with a request or a connection, all in the same time", async () => {
    const seen: string[] = [];
    const answering = await port((socket) =>
      socket.once("data", (bytes) => {
        seen.push(String(bytes));
        socket.end("HTTP/1.0 503 No\r\n\r\n");
      }),
    );
    const silent = await port(() => {});
    const closing = await port((socket) => socket.once("data", () => socket.end()));
    const other = await port((socket) => socket.once("data", () => socket.end("220 mail\r\n")));
    const asked = [answering, silent, closing, other, "1"].map((at) => ["127.0.0.1", at, "GET", "/health"]);
    const answer = await look().groupsOf(2, "serving", "0.5", ...asked.flat(), "127.0.0.1", silent, "", "");
    expect(answer).toEqual({
      is: "value",
      value: [
        ["answered", "503"],
        ["late", "no answer within 0.5 s"],
        ["failed", "it closed the connection without an answer"],
        ["failed", "its answer is no HTTP"],
        ["failed", "Connection refused"],
        ["connected", ""],
      ],
    });
    expect(seen).toEqual(["GET /health HTTP/1.0\r\n\r\n"]);
  });

  it("is where names lead, or why they do not, of each", async () => {
    const answer = await look().groupsOf(2, "resolution", "localhost", "no-such-name.invalid");
    expect(answer).toMatchObject({
      is: "value",
      value: [
        ["localhost", expect.stringMatching(/^= (?:::1|127\.0\.0\.1)/)],
        ["no-such-name.invalid", expect.stringMatching(/./)],
      ],
    });
  });

  it("is who may do what in ZooKeeper, with the account of the host, and no digest but as ours", async () => {
    const number = (value: number) => {
      const bytes = Buffer.alloc(4);
      bytes.writeInt32BE(value);
      return bytes;
    };
    const text = (value: string) => Buffer.concat([number(Buffer.byteLength(value)), Buffer.from(value)]);
    const packet = (...parts: readonly Buffer[]) => {
      const body = Buffer.concat(parts);
      return Buffer.concat([number(body.length), body]);
    };
    const acl = (...entries: readonly (readonly [rights: number, scheme: string, id: string])[]) =>
      Buffer.concat([
        number(entries.length),
        ...entries.map(([rights, scheme, id]) => Buffer.concat([number(rights), text(scheme), text(id)])),
        Buffer.alloc(68),
      ]);
    const answers: Record<string, Buffer> = {
      "/own": Buffer.concat([number(0), acl([31, "digest", "meshctl:ours="], [1, "world", "anyone"])]),
      "/other": Buffer.concat([number(0), acl([31, "digest", "meshctl:theirs="], [3, "ip", "10.0.0.0/8"])]),
      // ZooKeeper 3.4 keeps the entry of an account last, wherever it was given.
      "/older": Buffer.concat([number(0), acl([1, "world", "anyone"], [31, "digest", "meshctl:ours="])]),
      // An id is what a certificate or a ticket says, and must not pass for entries.
      "/named": Buffer.concat([number(0), acl([1, "x509", "CN=a own:31 world:anyone:1"])]),
      "/none": number(-101),
      "/closed": number(-102),
    };
    const asked: number[] = [];
    const at = await port((socket) => {
      let buffer = Buffer.alloc(0);
      socket.on("data", (chunk) => {
        buffer = Buffer.concat([buffer, chunk]);
        while (buffer.length >= 4 && buffer.length >= 4 + buffer.readUInt32BE()) {
          const request = buffer.subarray(4, 4 + buffer.readUInt32BE());
          buffer = buffer.subarray(4 + request.length);
          const [xid, type] = [request.readInt32BE(), request.readInt32BE(4)];
          if (asked.push(type) === 1) {
            socket.write(packet(number(0), number(5000), Buffer.alloc(8), text("0123456789abcdef")));
            continue;
          }
          const path = type === 6 ? request.subarray(12, 12 + request.readUInt32BE(8)).toString() : "";
          socket.write(packet(number(xid), Buffer.alloc(8), answers[path] ?? number(0)));
        }
      });
    });
    const paths = Object.keys(answers);
    expect(await look().registryAcls(["127.0.0.1:1", `127.0.0.1:${at}`], paths, "meshctl:ours=")).toEqual({
      is: "value",
      value: new Map([
        ["/own", "own:31 world:anyone:1"],
        ["/other", "digest:meshctl:x:31 ip:10.0.0.0/8:3"],
        ["/older", "own:31 world:anyone:1"],
        ["/named", "x509:CN=a_own:31_world:anyone:1:1"],
        ["/none", "absent"],
        ["/closed", "error -102"],
      ]),
    });
    // The session, each path, and its end: this machine has no account.
    expect(asked.slice(1)).toEqual([...paths.map(() => 6), -11]);
    expect(await look().registryAcls(["127.0.0.1:1"], paths, "")).toEqual({
      is: "unreadable",
      because: "127.0.0.1:1: Connection refused",
    });
  });

  it("keeps the text of a file that holds a secret", async () => {
    const path = put("secret", "secret=meshctl:hidden\n");
    const answer = await look().secretFile(path);
    expect(answer).toMatchObject({
      is: "value",
      value: {
        content: undefined,
        sha256: createHash("sha256").update("secret=meshctl:hidden\n").digest("hex"),
      },
    });
  });

  it("is ZooKeeper's children, of a path with none and of one that is not there too", async () => {
    const packet = (...parts: readonly (number | string)[]) => {
      const body = Buffer.concat(
        parts.map((part) => {
          const bytes = Buffer.from(typeof part === "string" ? part : "");
          const number = Buffer.alloc(4);
          number.writeInt32BE(typeof part === "string" ? bytes.length : part);
          return Buffer.concat([number, bytes]);
        }),
      );
      const length = Buffer.alloc(4);
      length.writeUInt32BE(body.length);
      return Buffer.concat([length, body]);
    };
    const state = Array.from({ length: 17 }, () => 0);
    const at = await port((socket) => {
      let buffer = Buffer.alloc(0);
      let isOpen = false;
      socket.on("data", (chunk) => {
        buffer = Buffer.concat([buffer, chunk]);
        while (buffer.length >= 4 && buffer.length >= 4 + buffer.readUInt32BE()) {
          const request = buffer.subarray(4, 4 + buffer.readUInt32BE());
          buffer = buffer.subarray(4 + request.length);
          if (!isOpen) {
            isOpen = true;
            socket.write(packet(0, 5000, 0, 0, "0123456789abcdef"));
            continue;
          }
          const [xid, type] = [request.readInt32BE(), request.readInt32BE(4)];
          const path = type === -11 ? "" : request.subarray(12, 12 + request.readUInt32BE(8)).toString();
          if (path === "/none") socket.write(packet(xid, 0, 0, -101));
          else if (path === "/empty") socket.write(packet(xid, 0, 0, 0, 0));
          else if (path === "/full") socket.write(packet(xid, 0, 0, 0, 2, "a", "b"));
          else if (type === 4) socket.write(packet(xid, 0, 0, 0, `data of ${path}`, ...state));
          else socket.end(packet(xid, 0, 0, 0));
        }
      });
    });
    const answer = await look().registry([`127.0.0.1:${at}`], ["/full", "/empty", "/none"]);
    const node = (name: string) => {
      return { name, data: Buffer.from(`data of /full/${name}`), owner: "0".repeat(16) };
    };
    expect(answer).toEqual({
      is: "value",
      value: {
        member: `127.0.0.1:${at}`,
        children: new Map<string, unknown>([
          ["/full", [node("a"), node("b")]],
          ["/empty", []],
          ["/none", undefined],
        ]),
      },
    });
    expect(await look().registry(["127.0.0.1:1"], ["/full"])).toEqual({
      is: "unreadable",
      because: "127.0.0.1:1: Connection refused",
    });
  });

  it("holds up nothing else", async () => {
    const began = performance.now();
    const slow = words(() => {}, "srvr", "mntr", "conf");
    await look().text("/proc/sys/kernel/osrelease");
    const after = performance.now() - began;
    // All have the same time: none of them has the question killed.
    const late = ["failed", "no end of its answer in time"];
    expect(await slow).toEqual({
      is: "value",
      value: ["srvr", "mntr", "conf"].map((word) => [word, ...late]),
    });
    expect(after).toBeLessThan(performance.now() - began);
  });

  it("is killed at its deadline with all that it started", async ({ expect }) => {
    mkdirSync(at("bin"));
    writeFileSync(
      at("bin/systemctl"),
      `#!/bin/sh\necho $$ >>${at("pids")}\nsleep 600 &\necho $! >>${at("pids")}\nwait\n`,
      {
        mode: 0o755,
      },
    );
    const slow = new HostReader(new LocalHost({ PATH: `${at("bin")}:${process.env.PATH}` }));
    const answers = await Promise.all([
      new Reader(lookThrough(slow)).unit("a.service", ["LoadState"]),
      new Reader(lookThrough(slow)).text("/proc/sys/kernel/osrelease"),
    ]);
    expect(answers).toMatchObject([{ is: "unreadable", because: "it took more than 10 s" }, { is: "value" }]);
    await expect.poll(() => livingOf(at("pids")), { timeout: 30_000 }).toEqual([]);
    await slow.end();
  });

  it("tells of a unit's variables those that its command lines use and meshctl's, of all others the names", async ({
    expect,
  }) => {
    mkdirSync(at("bin4"));
    const shown = [
      "LoadState=loaded",
      `Environment=LANG=C "ODD=two words" 'OTHER=\\' word' $"MESHCTL_NODES=/a b" CONFIG=/x.cfg OPTS=-q OPT=1 PASSWORD=p`,
      "ExecStart={ path=/usr/sbin/haproxy ; argv[]=/usr/sbin/haproxy -f ${CONFIG} $OPTS ; ignore_errors=no }",
    ];
    writeFileSync(at("bin4/systemctl"), `#!/bin/sh\ncat <<'END'\n${shown.join("\n")}\nEND\n`, {
      mode: 0o755,
    });
    const told = new HostReader(new LocalHost({ PATH: `${at("bin4")}:${process.env.PATH}` }));
    const answer = await new Reader(lookThrough(told)).unit("a.service", ["Environment"]);
    await told.end();
    const words = `LANG=C ODD OTHER $"MESHCTL_NODES=/a b" CONFIG=/x.cfg OPTS=-q OPT PASSWORD`;
    expect(answer).toEqual({ is: "value", value: new Map([["Environment", [words]]]) });
  });

  it("ends with the reader, and the reader with its input", async ({ expect }) => {
    mkdirSync(at("bin2"));
    writeFileSync(at("bin2/systemctl"), `#!/bin/sh\necho $$ >>${at("pids2")}\nexec sleep 600\n`, {
      mode: 0o755,
    });
    const asked = new HostReader(new LocalHost({ PATH: `${at("bin2")}:${process.env.PATH}` }));
    // Not by a look, which would start another.
    const answer = asked.ask([["unit", "a.service", "LoadState"]])[0]!.catch(() => "lost");
    await expect.poll(() => existsSync(at("pids2")), { timeout: 30_000 }).toBe(true);
    await asked.end();
    await answer;
    await expect.poll(() => livingOf(at("pids2")), { timeout: 30_000 }).toEqual([]);
  });

  it("is used again for later questions, and knows nothing of the earlier ones", async ({ expect }) => {
    const local = new LocalHost();
    const asked = new HostReader(local);
    const path = put("asked-twice", "one");
    const file = () => new Reader(lookThrough(asked));
    const first = await Promise.all([file().text(path), file().place("/etc"), file().answerTo("addresses")]);
    const workers = () =>
      readFileSync(`/proc/${local.children[0]!.pid}/task/${local.children[0]!.pid}/children`, "utf8")
        .split(" ")
        .filter(Boolean);
    const before = workers();
    writeFileSync(path, "two");
    const second = await Promise.all([file().text(path), file().place("/etc"), file().answerTo("addresses")]);
    expect(before.length).toBeGreaterThan(0);
    expect(workers()).toEqual(before);
    expect([first[0], second[0]]).toEqual([
      { is: "value", value: "one" },
      { is: "value", value: "two" },
    ]);
    expect(second[1]).toEqual(first[1]);
    await asked.end();
    await expect
      .poll(() => before.filter((pid) => existsSync(`/proc/${pid}`)), { timeout: 30_000 })
      .toEqual([]);
  });

  it("that ended while it waited for questions leaves none of them unread", async ({ expect }) => {
    const local = new LocalHost();
    const asked = new HostReader(local);
    const path = put("asked-of-another", "here");
    await new Reader(lookThrough(asked)).text(path);
    const { pid } = local.children[0]!;
    const workers = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);
    expect(workers).toHaveLength(1);
    process.kill(Number(workers[0]), "SIGKILL");
    expect(await new Reader(lookThrough(asked)).text(path)).toEqual({ is: "value", value: "here" });
    await asked.end();
  });

  it("asks systemctl once for the properties of all units, and whether each is enabled where systemd itself does not say it", async ({
    expect,
  }) => {
    mkdirSync(at("bin-of-systemd"));
    writeFileSync(
      at("bin-of-systemd/systemctl"),
      `#!/bin/sh
echo "$@" >>${at("asked-of-systemd")}
verb=$1
while [ "$1" != -- ]; do shift; done
shift
for unit; do
  if [ "$verb" = show ]; then printf 'Id=%s\\nLoadState=loaded\\n\\n' "$unit"
  else echo "enabled"; fi
done
`,
      { mode: 0o755 },
    );
    const asked = new HostReader(
      new LocalHost({ PATH: `${at("bin-of-systemd")}:${process.env.PATH}` }, withSystemd(at("nobody"))),
    );
    const reader = new Reader(lookThrough(asked));
    const [a, b] = unitFiles();
    const answers = await Promise.all([
      reader.unit(a, ["LoadState"]),
      reader.unit(b, ["Id"]),
      reader.unit(a, ["Id", "LoadState"]),
      ...[a, "none.service", b].map((name) => reader.enabled(name)),
    ]);
    expect(answers.map((answer) => (answer.is === "value" ? answer.value : answer))).toEqual([
      new Map([["LoadState", ["loaded"]]]),
      new Map([["Id", [b]]]),
      new Map([
        ["Id", [a]],
        ["LoadState", ["loaded"]],
      ]),
      "enabled",
      "",
      "enabled",
    ]);
    const lines = readFileSync(at("asked-of-systemd"), "utf8").trim().split("\n").sort();
    expect(lines).toEqual([
      // What has neither a unit file nor an init script is nothing that systemctl could tell of.
      ...[a, b].map((name) => `is-enabled -- ${name}`).sort(),
      `show --no-pager -p Id -p LoadState -- ${a} ${b}`,
    ]);
    await asked.end();
  });

  describe("of systemd itself", () => {
    const [a, b] = unitFiles();
    const pathOf = (unit: string) =>
      `/org/freedesktop/systemd1/unit/${unit.replace(/^\d|[^A-Za-z0-9]/g, (sign) => `_${sign.charCodeAt(0).toString(16)}`)}`;
    const strings = (...texts: string[]) => {
      const each = texts.map((text, index) => {
        const pad = index === texts.length - 1 ? 0 : -(text.length + 1) & 3;
        return Buffer.concat([uint32(text.length), Buffer.from(`${text}\0`), Buffer.alloc(pad)]);
      });
      return Buffer.concat(each);
    };
    const variant = (type: string, value: Buffer) =>
      Buffer.concat([Buffer.from([type.length]), Buffer.from(type.padEnd(3, "\0")), value]);
    const list = (type: string, value: Buffer) => variant(type, Buffer.concat([uint32(value.length), value]));
    const id = "00112233445566778899aabbccddeeff";
    /** Path, member and values of a call → what it answers; an error without one. */
    const told = new Map([
      [`/org/freedesktop/systemd1 GetUnitFileState ${a}`, strings("masked-runtime")],
      [
        "/org/freedesktop/systemd1 Get org.freedesktop.systemd1.Manager Environment",
        list("as", strings("LANG=C", "PASSWORD=s3cret\nNOT=one", "A=")),
      ],
      [`${pathOf(a)} Get org.freedesktop.systemd1.Unit InvocationID`, list("ay", Buffer.from(id, "hex"))],
      [`${pathOf(a)} Get org.freedesktop.systemd1.Unit NeedDaemonReload`, variant("b", uint32(1))],
      [`${pathOf(a)} Get org.freedesktop.systemd1.Service MainPID`, variant("u", uint32(70_000))],
      [
        "/org/freedesktop/systemd1/unit/_2d_2eslice Get org.freedesktop.systemd1.Unit InvocationID",
        list("ay", Buffer.alloc(0)),
      ],
      [
        "/org/freedesktop/systemd1/unit/_2d_2eslice Get org.freedesktop.systemd1.Unit NeedDaemonReload",
        variant("b", uint32(0)),
      ],
    ]);

    /** All that the reader asks about at once, of a systemd of the kind; and what systemctl was asked. */
    async function answersOf(kind: "whole" | "cut" | "refuses") {
      const socket = at(`systemd-${kind}`);
      const systemd = createServer((connection) => serveBus(connection, told, kind)).listen(socket);
      await once(systemd, "listening");
      const log = put(`systemctl-${kind}.log`, "");
      mkdirSync(at(`bin-${kind}`));
      writeFileSync(
        at(`bin-${kind}/systemctl`),
        `#!/bin/sh\necho "$@" >>${log}\ncase $1 in\nis-enabled) echo static ;;\nshow-environment) echo OTHER=1 ;;\nshow) printf 'MainPID=1\\n\\nNeedDaemonReload=no\\n' ;;\nesac\n`,
        { mode: 0o755 },
      );
      const scripts = "mount -t tmpfs tmpfs /etc/init.d; : >/etc/init.d/by-script";
      const host = new HostReader(
        new LocalHost(
          { PATH: `${at(`bin-${kind}`)}:${process.env.PATH}` },
          `${withSystemd(socket)}; ${scripts}`,
        ),
      );
      const reader = new Reader(lookThrough(host));
      const properties = ["InvocationID", "MainPID", "NeedDaemonReload"];
      const answers = await Promise.all([
        reader.enabled(a),
        reader.enabled(b),
        reader.unit(a, properties),
        reader.unit("-.slice", properties),
        reader.groupsOf(3, "manager"),
        reader.enabled("by-script.service"),
        reader.enabled("none.service"),
      ]);
      await host.end();
      systemd.close();
      const [first, second, moved, slice, manager, script, none] = answers.map((answer) =>
        answer.is === "value" ? answer.value : answer,
      );
      return {
        ...{ enabled: [first, second, script, none], moved, slice },
        environment: Array.isArray(manager) ? manager.at(-1)[2] : manager,
        programs: readFileSync(log, "utf8").trim().split("\n").sort(),
      };
    }

    it("what it says takes no program, but for what it does not know", async ({ expect }) => {
      expect(await answersOf("whole")).toEqual({
        enabled: ["masked-runtime", "static", "static", ""],
        moved: new Map([
          ["InvocationID", [id]],
          ["NeedDaemonReload", ["yes"]],
          ["MainPID", ["70000"]],
        ]),
        slice: new Map([
          ["InvocationID", [""]],
          ["NeedDaemonReload", ["no"]],
        ]),
        environment: "LANG PASSWORD A",
        programs: [b, "by-script.service"].map((name) => `is-enabled -- ${name}`).sort(),
      });
    });

    it.each(["cut", "refuses"] as const)("an answer that is not whole is not its: %s", async (kind) => {
      expect(await answersOf(kind)).toEqual({
        enabled: ["static", "static", "static", ""],
        moved: new Map([["MainPID", ["1"]]]),
        slice: new Map([["NeedDaemonReload", ["no"]]]),
        environment: "OTHER",
        programs: [
          ...[a, b, "by-script.service"].map((name) => `is-enabled -- ${name}`).sort(),
          `show --no-pager -p InvocationID -p MainPID -p NeedDaemonReload -- ${a} -.slice`,
          "show-environment",
        ],
      });
    });
  });
});

/** Two units that have a file on this machine. */
function unitFiles(): [string, string] {
  const names = readdirSync("/usr/lib/systemd/system").filter((name) => /^[a-z-]+\.service$/.test(name));
  return [names[0]!, names[1]!];
}

/** Shell that puts a socket where systemd talks to root. */
function withSystemd(socket: string): string {
  return `mount -t tmpfs tmpfs /run; mkdir /run/systemd; ln -s ${socket} /run/systemd/private`;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** One connection of root's to systemd: as it answers, or only half an answer, or no login. */
function serveBus(
  connection: Socket,
  told: ReadonlyMap<string, Buffer>,
  kind: "whole" | "cut" | "refuses",
): void {
  const message = (type: number, serial: number, body: Buffer) =>
    Buffer.concat([
      ...[Buffer.from(["l".charCodeAt(0), type, 1, 1]), uint32(body.length), uint32(1), uint32(8)],
      ...[Buffer.from([5, 1, "u".charCodeAt(0), 0]), uint32(serial), body],
    ]);
  const login = "\0AUTH EXTERNAL 30\r\nBEGIN\r\n";
  let [bytes, isIn] = [Buffer.alloc(0), false];
  connection.on("error", () => {});
  connection.on("data", (chunk) => {
    bytes = Buffer.concat([bytes, chunk]);
    if (!isIn) {
      if (bytes.length < login.length) return;
      // As systemd does: what comes with the login is not looked at.
      expect(bytes.toString()).toBe(login);
      [bytes, isIn] = [Buffer.alloc(0), true];
      connection.write(kind === "refuses" ? "REJECTED EXTERNAL\r\n" : `OK ${"0a".repeat(16)}\r\n`);
    }
    for (;;) {
      if (bytes.length < 16) return;
      const begin = 16 + ((bytes.readUInt32LE(12) + 7) & ~7);
      const end = begin + bytes.readUInt32LE(4);
      if (bytes.length < end) return;
      const [head, body] = [bytes.subarray(16, begin), bytes.subarray(begin, end)];
      const serial = bytes.readUInt32LE(8);
      bytes = bytes.subarray(end);
      const [path, , member] = [...head.toString("latin1").matchAll(/[\w./]{3,}/g)].map(([word]) => word);
      const values = body.toString("latin1").match(/[\w.@-]{3,}/g)!;
      const answer = told.get([path, member, ...values].join(" "));
      const sent = answer ? message(2, serial, answer) : message(3, serial, Buffer.from("\x04\0\0\0none\0"));
      // What it tells everybody comes between.
      connection.write(message(4, 0, Buffer.from("news")));
      connection.write(kind === "cut" ? sent.subarray(0, -1) : sent);
      if (kind === "cut") connection.end();
    }
  });
}

/** Those of the processes in a file, one a line, that live. */
function livingOf(path: string): string[] {
  const living = new Set(readdirSync("/proc"));
  return readFileSync(path, "utf8")
    .trim()
    .split("\n")
    .filter((pid) => living.has(pid));
}

describe("a reader that dies", () => {
  /** Asks a question that takes its time, and ends the reader as often as told. */
  async function asked(deaths: number) {
    const path = put("bin3-count", "");
    mkdirSync(at("bin3"), { recursive: true });
    writeFileSync(
      at("bin3/systemctl"),
      `#!/bin/sh\necho x >>${path}\n[ "$(wc -l <${path})" -gt ${deaths} ] || sleep 600\necho LoadState=loaded\n`,
      { mode: 0o755 },
    );
    const dying = new LocalHost({ PATH: `${at("bin3")}:${process.env.PATH}` });
    const life = new HostReader(dying);
    const answer = new Reader(lookThrough(life)).unit("a.service", ["LoadState"]);
    for (let death = 1; death <= deaths; death += 1) {
      await expect
        .poll(() => readFileSync(path, "utf8").split("\n").length - 1, { timeout: 30_000 })
        .toBe(death);
      dying.children.at(-1)!.kill("SIGKILL");
    }
    const { length } = dying.children;
    const result = await answer;
    await life.end();
    return { result, length };
  }

  it("once in a look is started again, and what it was asked is asked again", async () => {
    const { result } = await asked(1);
    expect(result).toEqual({ is: "value", value: new Map([["LoadState", ["loaded"]]]) });
  });

  it("twice leaves what it was asked unreadable, with the reason", async () => {
    const { result } = await asked(2);
    expect(result).toMatchObject({
      cause: expect.any(HostLost),
      is: "unreadable",
      because: expect.stringMatching(/SIGKILL/),
    });
  });
});

describe("one look", () => {
  it("asks the same question once, and all of one tick in one frame", async () => {
    const before = reader.frames;
    const one = lookThrough(reader);
    const [a, b] = await Promise.all([
      new Reader(one).text("/proc/sys/kernel/hostname"),
      new Reader(one).text("/proc/sys/kernel/hostname"),
      new Reader(one).text("/proc/uptime"),
    ]);
    expect(a).toEqual(b);
    expect(reader.frames).toBe(before + 1);
    await new Reader(one).text("/proc/uptime");
    expect(reader.frames).toBe(before + 1);
    await look().text("/proc/uptime");
    expect(reader.frames).toBe(before + 2);
  });

  it("gets an answer of several megabytes whole", async () => {
    const line = `${"y".repeat(999)}\n`;
    const path = put("many", line.repeat(3_000));
    appendFileSync(path, "end\n");
    const answer = await look().lines(path, ".");
    expect(answer).toMatchObject({ value: { lines: { length: 3_001 } } });
    const larger = put("more", line.repeat(5_000));
    expect(await look().lines(larger, ".")).toMatchObject({ is: "unreadable" });
  });
});

describe("what is unreachable", () => {
  it("is told as such, not as unreadable", async () => {
    const away: Ask = lookThrough(
      new HostReader({ talk: () => Promise.reject(new Error("nobody answers on port 22")) }),
    );
    await expect(away(["clock"])).rejects.toThrow("nobody answers on port 22");
  });
});
