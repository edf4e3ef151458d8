import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Change, Command } from "../../src/contract/change.ts";
import { apply } from "../../src/engine/apply.ts";
import { ArtefactStore } from "../../src/engine/artefacts.ts";
import { HostLocks } from "../../src/engine/host-locks.ts";
import { readKept } from "../../src/engine/kept.ts";
import type { Remote } from "../../src/remote/remote.ts";
import { Secret } from "../../src/secret.ts";
import { shellQuote } from "../../src/shell-quote.ts";
import { type Lab, type LabHost, startLab } from "../lab/lab.ts";
import { mustRun } from "./backends.ts";
import { network, openRemote, scripts, write } from "./changes.ts";

let lab: Lab;
let host: LabHost;
let remote: Remote;
let store: string;
let run = "";
let runs = 0;
const number = () => runs.toString(16).padStart(4, "0");

beforeAll(async () => {
  lab = await startLab({ hosts: 1 });
  host = lab.hosts[0]!;
  remote = open();
  store = await mkdtemp(join(tmpdir(), "meshctl-store-"));
});

afterAll(async () => {
  await remote?.end();
  await lab?.down();
  if (store !== undefined) await rm(store, { recursive: true });
});

beforeEach(() => {
  runs += 1;
  run = `20261122-190312-${number()}`;
});

const open = () => openRemote(lab, host);

function make(commands: readonly Command[], rest: Partial<Change> = {}): Promise<void> {
  const artefacts = new ArtefactStore(store, network);
  const builder = async () => remote;
  const change = { id: "a change", why: "a test", commands, activate: [], ...rest };
  return apply(remote, change, { run, network, artefacts, builder, step: "files", alsoInstall: [] });
}

const read = (path: string) => mustRun(host, `cat -- ${shellQuote(path)}`);
const stat = async (path: string) =>
  (await mustRun(host, `stat -c '%a %U:%G' -- ${shellQuote(path)}`)).trim();
const manifest = () => read("/var/lib/meshctl/manifest");
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
/** Temporary files that a write left behind. */
const litter = (directory: string) => mustRun(host, `find ${directory} -name '.meshctl.*'`);

describe("a write", () => {
  const contents = [
    "",
    "\n",
    "no newline at the end",
    "$(id) `id` ${HOME} \\n %s\n'\"\n\n\n",
    "\r\nä€\u0001\n",
    "x".repeat(300_000),
  ];

  it.each(contents.map((content, index) => [index, content] as const))(
    "puts content %i there byte by byte",
    async (index, content) => {
      const path = `/etc/files-test/content ${index}`;
      await make([write(path, [content])]);
      expect(await read(path)).toBe(content);
    },
  );

  it.each([
    "a b",
    "it's",
    'say "x"',
    "$(touch pwned)",
    "`id`",
    "-n",
    "ä€",
    "back\\slash",
    "*",
    "two  spaces",
  ])("takes the path %s for what it is, and the manifest too", async (name) => {
    const path = `/etc/files-test/${name}/${name}`;
    await make([write(path, ["content\n"])]);
    expect(await read(path)).toBe("content\n");
    expect((await manifest()).split("\n")).toContain(`${sha256("content\n")}  ${path}`);
    await make([{ kind: "remove", path }]);
    expect(await manifest()).not.toContain(`  ${path}\n`);
  });

  it("sets mode and owner, and holds a secret that no argument and no message shows", async () => {
    const path = "/etc/files-test/secret";
    await make([write(path, ["password=", new Secret("hunter$2\n")], { mode: "0640", owner: "root:adm" })]);
    expect(await read(path)).toBe("password=hunter$2\n");
    expect(await stat(path)).toBe("640 root:adm");
  });

  it("leaves a directory that is there as it is", async () => {
    await mustRun(host, "install -d -m 0750 -o daemon -g adm /etc/files-test-own");
    await make([write("/etc/files-test-own/file", ["x"])]);
    expect(await stat("/etc/files-test-own")).toBe("750 daemon:adm");
  });

  it("follows a link and leaves it a link", async () => {
    await mustRun(host, "cd /etc/files-test && echo old >target && ln -s target link");
    await make([write("/etc/files-test/link", ["new\n"])]);
    expect((await mustRun(host, "readlink /etc/files-test/link")).trim()).toBe("target");
    expect(await read("/etc/files-test/target")).toBe("new\n");
    expect(await read(`/var/lib/meshctl/runs/${run}/before/etc/files-test/link`)).toBe("old\n");
  });

  it("keeps what was there before the run, once, and remembers what was not", async () => {
    const [there, absent] = ["/etc/files-test/there", "/etc/files-test/not there"];
    await mustRun(host, `echo first >${there}; chmod 0600 ${there}`);
    await make([
      write(there, ["second\n"]),
      write(absent, ["x\n"]),
      write(there, ["third\n"]),
      write(absent, ["y\n"]),
    ]);
    const kept = `/var/lib/meshctl/runs/${run}`;
    expect(await read(`${kept}/before${there}`)).toBe("first\n");
    expect(await stat(`${kept}/before${there}`)).toBe("600 root:root");
    expect((await read(`${kept}/files`)).split("\n")).toContain(`files ${sha256("x\n")} - - ${absent}`);
    expect(await stat("/var/lib/meshctl")).toBe("700 root:root");
  });

  it("that is cut off leaves the old file and nothing else", async () => {
    const path = "/etc/files-test/cut";
    await make([write(path, ["old\n"])]);
    const script = scripts("manifest", "receive", "write");
    const args = [path, "0644", "root:root", sha256("new\n"), run, "files"].map(shellQuote).join(" ");
    // Input that stops in the middle, and input that ends too early.
    for (const [input, seconds, code] of [
      ["echo ne; sleep 3", 1, 124],
      ["echo ne", 60, 1],
    ] as const) {
      const cut = `{ ${input}; } | { exec 3<&0; timeout ${seconds} sh -s -- ${args} <<'END'\n${script}\nEND\n}`;
      expect((await host.exec(cut)).code).toBe(code);
    }
    expect(await read(path)).toBe("old\n");
    expect(await manifest()).toContain(`${sha256("old\n")}  ${path}\n`);
    expect(await litter("/etc/files-test")).toBe("");
  });

  it("is nobody's to read before it is whole and has its owner", async () => {
    const args = ["/etc/files-test/slow", "0640", "root:adm", sha256("s3cret\n"), run, "files"]
      .map(shellQuote)
      .join(" ");
    const modes = await mustRun(
      host,
      `mkfifo /root/slow && exec 5<>/root/slow
       sh -s -- ${args} 3</root/slow 5>&- <<'END' &\n${scripts("manifest", "receive", "write")}\nEND
       printf s3c >&5
       until [ -s /etc/files-test/.meshctl.?????? ]; do sleep 0.05; done
       stat -c '%a %U:%G' /etc/files-test/.meshctl.??????
       printf 'ret\\n' >&5; exec 5>&-; wait $! && stat -c '%a %U:%G' /etc/files-test/slow`,
    );
    expect(modes).toBe("600 root:root\n640 root:adm\n");
    expect(await read("/etc/files-test/slow")).toBe("s3cret\n");
  });

  it.each([
    ["an immutable file", "chattr +i", "chattr -i", /: Operation not permitted$/],
    ["a mount point", "mount --bind /etc/hostname", "umount", /: Device or resource busy$/],
  ])("to %s fails, leaves it whole, and does not call it ours", async (_what, seal, unseal, message) => {
    const path = "/etc/files-test/sealed";
    await mustRun(host, `echo old >${path}; ${seal} ${path}`);
    const before = await read(path);
    try {
      await expect(make([write(path, ["new\n"])])).rejects.toThrow(message);
      expect(await read(path)).toBe(before);
      expect(await manifest()).not.toContain(path);
    } finally {
      await mustRun(host, `${unseal} ${path}`);
    }
    await make([write(path, ["new\n"])]);
    expect(await read(path)).toBe("new\n");
    // From now on it is ours, and a failure must not lose that.
    await mustRun(host, `${seal} ${path}`);
    try {
      await expect(make([write(path, ["newer\n"])])).rejects.toThrow(message);
      expect(await manifest()).toContain(`${sha256("new\n")}  ${path}\n`);
    } finally {
      await mustRun(host, `${unseal} ${path}; rm ${path}`);
      await make([{ kind: "remove", path }]);
    }
    expect(await litter("/etc/files-test")).toBe("");
  });

  it.each([
    ["full", "size=64k", "x".repeat(100_000), /: No space left on device$/],
    ["read-only", "ro", "new\n", /: Read-only file system$/],
  ])(
    "to a disk that is %s fails, leaves the old file whole, and does not call it ours",
    async (_how, option, content, message) => {
      const directory = "/etc/files-test-disk";
      await mustRun(
        host,
        `mkdir -p ${directory} && mount -t tmpfs -o size=64k tmpfs ${directory} && echo old >${directory}/file`,
      );
      try {
        await mustRun(host, `mount -o remount,${option} ${directory}`);
        await expect(make([write(`${directory}/file`, [content])])).rejects.toThrow(message);
        expect(await read(`${directory}/file`)).toBe("old\n");
        expect(await mustRun(host, `ls -A ${directory}`)).toBe("file\n");
        expect(await manifest()).not.toContain(directory);
      } finally {
        await mustRun(host, `umount ${directory}`);
      }
    },
  );

  it("and a removal are on disk, names and all, before the next thing is done", async () => {
    const log = "/run/order-of-writes";
    // The real programs, seen on their way.
    const spies = ["sync", "mv", "rm"].map((name) => `/usr/local/sbin/${name}`);
    const spy = `#!/bin/sh\nprintf '%s\\n' "\${0##*/} $*" >>${log}\nexec "/usr/bin/\${0##*/}" "$@"\n`;
    for (const path of spies)
      await mustRun(host, `printf %s ${shellQuote(spy)} >${path} && chmod 755 ${path}`);
    const path = "/etc/files-test/new folder/ordered";
    try {
      await make([write(path, ["one\n"])]);
      // What a later run replaces it keeps.
      run = `20261122-200000-${number()}`;
      await make([write(path, ["two\n"])]);
      await make([{ kind: "remove", path }]);
    } finally {
      await mustRun(host, `/usr/bin/rm -f ${spies.join(" ")}`);
    }
    // Temporary files are nobody's, after a power cut or before.
    const lines = (await read(log))
      .split("\n")
      .filter((line) => !/^rm .*\/\.(meshctl|manifest|boots)\./.test(line));
    const boots = "/var/lib/meshctl/boots";
    const [kept, list] = [`/var/lib/meshctl/runs/${run}/before${path}`, `/var/lib/meshctl/runs/${run}/files`];
    const moved = lines.flatMap((line, index) => {
      const target = /^(?:mv -fT.* (?=\/)|rm -f -- )(\/.*)$/.exec(line)?.[1];
      return target === undefined ? [] : [[target, lines[index + 1]]];
    });
    expect(moved.map(([target]) => target)).toEqual([
      ...[
        boots,
        `/var/lib/meshctl/runs/20261122-190312-${number()}/files`,
        "/var/lib/meshctl/manifest",
        path,
      ],
      ...[boots, kept, list, "/var/lib/meshctl/manifest", path],
      ...[boots, list, path, "/var/lib/meshctl/manifest"],
    ]);
    // Of several folders that are new the one that it is in comes first.
    for (const [target, next] of moved)
      expect(next!.split(/\/?(?: (?=\/)|$)/, 2)).toEqual(["sync", dirname(target!)]);
  });

  it("finds the disk of what runs replaced full, and leaves every file of it whole", async () => {
    const [state, path] = ["/var/lib/meshctl", "/etc/files-test/disk"];
    await make([write(path, ["old\n"])]);
    const list = `${state}/runs/${run}/files`;
    await mustRun(
      host,
      `mkdir -p /run/state && cp -a ${state}/. /run/state/ && mount -t tmpfs -o size=4m,mode=0700 tmpfs ${state} && cp -a /run/state/. ${state}/`,
    );
    try {
      const before = `${await read(list)}${await manifest()}`;
      // At each size that is left: in the copy, in the list, in the manifest.
      for (const left of [0, 4, 8, 12, 16]) {
        await mustRun(
          host,
          `dd if=/dev/zero of=${state}/filler bs=4k 2>/dev/null; truncate -s -${left}k ${state}/filler`,
        );
        const outcome = await make([write(path, [`${left}${"x".repeat(9_000)}\n`])]).catch(
          (error: Error) => error,
        );
        const [known, there] = [await manifest(), await read(path)];
        if (outcome instanceof Error) {
          expect(outcome.message).toContain("No space left on device");
          expect(there).toBe("old\n");
          expect(`${await read(list)}${known}`).toBe(before);
        }
        for (const line of (await read(list)).trimEnd().split("\n"))
          expect(line).toMatch(/^files \S+ \S+ \S+ \//);
        expect(known).toContain(`${sha256(there)}  ${path}\n`);
        await mustRun(host, `rm ${state}/filler`);
        if (!(outcome instanceof Error)) break;
      }
    } finally {
      await mustRun(host, `umount ${state}; rm -r /run/state`);
    }
  });

  it("is told of in a list that an older meshctl left torn, on a line of its own", async () => {
    const path = "/etc/files-test/torn";
    await make([write(path, ["one\n"])]);
    const list = `/var/lib/meshctl/runs/${run}/files`;
    await mustRun(host, `printf 'haproxy 59f' >>${list}`);
    await make([write(path, ["two\n"])]);
    expect((await read(list)).split("\n").slice(-4)).toEqual([
      `files ${sha256("one\n")} - - ${path}`,
      "haproxy 59f",
      `files ${sha256("two\n")} ${sha256("one\n")} ${sha256("one\n")} ${path}`,
      "",
    ]);
    const kept = await readKept(remote, run);
    expect(kept.runs.get(run)!.map((file) => file.wrote)).toEqual([sha256("two\n")]);
  });

  it("keeps the runs that changed the host last, whatever the clock says that named them", async () => {
    const runs = "/var/lib/meshctl/runs";
    const path = "/etc/files-test/pruned";
    await mustRun(host, `mkdir -p /run/runs && cp -a ${runs}/. /run/runs/ && rm -r ${runs}/*`);
    try {
      for (let number = 10; number < 35; number += 1) {
        run = `${number % 2 === 0 ? "2099" : "2024"}1122-190312-${number}`;
        await mustRun(
          host,
          `mkdir -p ${runs}/${run} && echo x >${runs}/${run}/files && touch -d '@${1_700_000_000 + number}' ${runs}/${run}/files`,
        );
      }
      run = "20261122-190312-ffff";
      await make([write(path, ["x\n"])]);
      const left = (await mustRun(host, `ls ${runs}`)).trim().split("\n");
      const numbers = left.map((name) => name.split("-")[2]!).sort();
      expect(numbers).toEqual([...Array.from({ length: 20 }, (_, index) => String(index + 15)), "ffff"]);
      // The last one is told of last.
      expect([...(await readKept(remote)).runs.keys()]).toEqual([run]);
    } finally {
      await mustRun(host, `rm -r ${runs}/* && cp -a /run/runs/. ${runs}/ && rm -r /run/runs`);
    }
  });

  it("to a directory fails, and says where", async () => {
    await mustRun(host, "mkdir -p /etc/files-test/directory");
    await expect(make([write("/etc/files-test/directory", ["x"])])).rejects.toThrow(
      /^a change: write \/etc\/files-test\/directory failed with exit code 1: .*directory/,
    );
    expect(await litter("/etc/files-test")).toBe("");
  });

  it("by many at once loses no line of the manifest", async () => {
    const paths = Array.from({ length: 8 }, (_, index) => `/etc/files-test/many-${index}`);
    const script = `${scripts("manifest")}\nrecord_in_manifest x "$1"`;
    const each = paths.map((path) => `sh -s -- ${path} <<'END' &\n${script}\nEND`);
    await mustRun(host, `${each.join("\n")}\nwait`);
    const lines = (await manifest()).split("\n");
    for (const path of paths) expect(lines).toContain(`x  ${path}`);
  });
});

describe("a change with a validation", () => {
  const path = "/etc/files-test/validated";

  async function validation(text: string): Promise<NonNullable<Change["validate"]>> {
    const file = join(store, "validate.sh");
    await writeFile(file, text);
    // Scripts are read once: each gets a name of its own.
    const named = `${file}.${sha256(text).slice(0, 8)}`;
    await writeFile(named, text);
    return { file: pathToFileURL(named), args: [path], timeoutMs: 10_000 };
  }

  it("sees the staged file, which nobody else can, before it replaces the old one", async () => {
    await make([write(path, ["old\n"])]);
    const validate = await validation(
      '[ "$(cat "$1$2")" = new ] && [ "$(cat "$2")" = old ] && stat -c %a "$1" >&2',
    );
    await make([write(path, ["new\n"])], { validate });
    expect(await read(path)).toBe("new\n");
    expect(await stat(`/var/lib/meshctl/runs/${run}`)).toBe("700 root:root");
  });

  it("that fails leaves the old file and says what the validator said", async () => {
    const validate = await validation("echo line one; echo it is wrong >&2; exit 9");
    await expect(make([write(path, ["worse\n"])], { validate })).rejects.toMatchObject({
      message: "a change: validate a change failed with exit code 9: it is wrong",
      output: "line one\n\nit is wrong",
    });
    expect(await read(path)).toBe("new\n");
  });
});

describe("an adopted file", () => {
  it("stays as it is, is ours from then on, and a copy is kept", async () => {
    const path = "/etc/files-test/foreign file";
    await mustRun(host, `echo foreign >${shellQuote(path)}`);
    await make([{ kind: "adopt", path }]);
    expect(await read(path)).toBe("foreign\n");
    expect(await manifest()).toContain(`${sha256("foreign\n")}  ${path}\n`);
    expect(await read(`/var/lib/meshctl/runs/${run}/before${path}`)).toBe("foreign\n");
  });
});

describe("a removed file", () => {
  it("is gone, and a copy is kept", async () => {
    const path = "/etc/files-test/to be removed";
    await make([write(path, ["x\n"])]);
    run = `${run}-later`;
    await make([{ kind: "remove", path }]);
    expect((await host.exec(`test -e ${shellQuote(path)}`)).code).toBe(1);
    expect(await read(`/var/lib/meshctl/runs/${run}/before${path}`)).toBe("x\n");
  });
});

describe("an artefact", () => {
  it("is built once, kept on the control machine, and placed as it was built", async () => {
    const build = join(store, "build.sh");
    await writeFile(
      build,
      'mkdir -p "$(dirname "$1")"; echo built >>/root/builds; printf "\\0\\1\\377" >"$1"; cat <&3 >>"$1"',
    );
    const file = pathToFileURL(build);
    const own = join(store, "own.gem");
    await writeFile(own, Buffer.from([254, 0]));
    const artefact = {
      key: "k-1.bin",
      buildHost: host.name,
      buildPackages: ["gzip"],
      build: { file, args: [], stdin: ["in"], files: [own], timeoutMs: 10_000 },
    };
    for (const path of ["/opt/files test/one", "/opt/files test/two"]) {
      await make([{ kind: "place", path, artefact }]);
      expect((await mustRun(host, `base64 ${shellQuote(path)}`)).trim()).toBe(
        Buffer.concat([Buffer.from([0, 1, 255]), Buffer.from("in\nfile own.gem /gA=\n")]).toString("base64"),
      );
    }
    expect(await read("/root/builds")).toBe("built\n");
    expect((await readdir(store)).filter((name) => name.startsWith("k-1"))).toEqual([
      "k-1.bin",
      "k-1.bin.sha256",
    ]);
    expect((await host.exec("ls /usr/sbin/policy-rc.d /run/meshctl/ca.*")).stdout).toBe("");
  });
});

describe("an artefact that is cut off on its way", () => {
  it("leaves the old file, and what a power cut left is cleared away", async () => {
    await mustRun(
      host,
      "mkdir -p /opt/files-cut && cd /opt/files-cut && echo old >file && echo half >.meshctl.abcdef",
    );
    const args = ["/opt/files-cut/file", sha256("new\n")].map(shellQuote).join(" ");
    const cut = `echo ne | { exec 3<&0; sh -s -- ${args} <<'END'\n${scripts("receive", "place")}\nEND\n}`;
    const { code, stdout } = await host.exec(cut);
    expect([code, stdout]).toEqual([1, "what arrived for /opt/files-cut/file is not what was sent\n"]);
    expect(await read("/opt/files-cut/file")).toBe("old\n");
    expect(await litter("/opt/files-cut")).toBe("");
  });
});

describe("a host's lock", () => {
  it("is refused to a second run, and free when the first one's connection is gone", async () => {
    const [first, second] = [open(), open()];
    const other = new HostLocks("other", () => second);
    try {
      await new HostLocks("first", () => first).take(host.name);
      await expect(other.take(host.name)).rejects.toThrow(
        /another meshctl is changing this host \(run first by /,
      );
      await first.end();
      await expect.poll(() => other.take(host.name), { timeout: 60_000 }).toBeUndefined();
      await other.releaseAll();
    } finally {
      await Promise.all([first.end(), second.end()]);
    }
  });

  it("can be ended on the host by the command that the refusal names", async () => {
    const first = open();
    try {
      await new HostLocks("first", () => first).take(host.name);
      const refused = await new HostLocks("other", () => remote)
        .take(host.name)
        .catch((error: Error) => error);
      const [, pid] = /: kill (\d+)$/.exec((refused as Error).message)!;
      await mustRun(host, `kill ${pid}`);
      const other = new HostLocks("other", () => remote);
      await expect.poll(() => other.take(host.name), { timeout: 60_000 }).toBeUndefined();
      await other.releaseAll();
    } finally {
      await first.end();
    }
  });

  it("is refused while a change that lost its connection still runs, whatever services that started", async () => {
    const slow = join(store, "slow.sh");
    await writeFile(
      slow,
      ": >/root/began; setsid sleep 60 >/dev/null 2>&1 & until [ -e /root/end ]; do sleep 0.1; done",
    );
    const command = { kind: "script", file: pathToFileURL(slow), args: [], timeoutMs: 120_000 } as const;
    const first = open();
    const change = { id: "slow", why: "x", commands: [command], activate: [] };
    const artefacts = new ArtefactStore(store, network);
    const builder = async () => first;
    const cut = apply(first, change, {
      run,
      network,
      artefacts,
      builder,
      step: "files",
      alsoInstall: [],
    }).catch((error) => error);
    await expect.poll(async () => (await host.exec("test -e /root/began")).code, { timeout: 60_000 }).toBe(0);
    await first.end();
    expect(await cut).toMatchObject({ name: "HostLost" });
    const other = new HostLocks("other", () => remote);
    await expect(other.take(host.name)).rejects.toThrow(/still under way/);
    await mustRun(host, ": >/root/end");
    await expect
      .poll(() => other.take(host.name).catch((error: Error) => error.message), { timeout: 60_000 })
      .toBeUndefined();
    await other.releaseAll();
  });
});
