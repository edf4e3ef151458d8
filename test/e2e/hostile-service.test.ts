import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Command } from "../../src/contract/change.ts";
import type { AnyStep } from "../../src/contract/step.ts";
import { apply } from "../../src/engine/apply.ts";
import { ArtefactStore } from "../../src/engine/artefacts.ts";
import { HostLocks } from "../../src/engine/host-locks.ts";
import { planPutBack, readKept } from "../../src/engine/kept.ts";
import { observe } from "../../src/engine/observe.ts";
import { readerOf } from "../../src/engine/readers.ts";
import { fileFacts } from "../../src/evidence/file.ts";
import { parseProbeOutput } from "../../src/evidence/probe-output.ts";
import { lookThrough } from "../../src/reader/look.ts";
import { Reader } from "../../src/reader/reader.ts";
import type { Remote } from "../../src/remote/remote.ts";
import { scriptText } from "../../src/script-text.ts";
import { shellQuote } from "../../src/shell-quote.ts";
import { NODE_RECORD } from "../../src/steps/registrar/paths.ts";
import type { ZookeeperFacts } from "../../src/steps/zookeeper/facts.ts";
import { zookeeper } from "../../src/steps/zookeeper/index.ts";
import { dataIn, idOnDisk, shownId } from "../../src/steps/zookeeper/member.ts";
import { type Lab, type LabHost, startLab } from "../lab/lab.ts";
import { mustRun } from "./backends.ts";
import { network, openRemote, write } from "./changes.ts";

// What the user of a service can do with the files and directories that are his, to those who come as root.

let lab: Lab;
let host: LabHost;
let remote: Remote;
let store: string;
let run = "";
const runNumber = (number: number) => `20261122-190312-${number.toString(16).padStart(4, "0")}`;
let runs = 0;

beforeAll(async () => {
  lab = await startLab({ hosts: 1 });
  host = lab.hosts[0]!;
  remote = openRemote(lab, host);
  store = await mkdtemp(join(tmpdir(), "meshctl-store-"));
  await mustRun(host, "useradd --system --user-group svc; install -m 0600 /dev/null /root/secret");
});

afterAll(async () => {
  await remote?.end();
  await lab?.down();
  if (store !== undefined) await rm(store, { recursive: true });
});

beforeEach(async () => {
  runs += 1;
  run = runNumber(runs);
  await mustRun(
    host,
    `rm -rf /srv/svc /srv/elsewhere && install -d -o svc -g svc /srv/svc /srv/svc/data && mkdir /srv/elsewhere &&
     echo s3cret >/root/secret && chmod 0600 /root/secret && chown root:root /root/secret`,
  );
});

function make(commands: readonly Command[]): Promise<void> {
  const artefacts = new ArtefactStore(store, network);
  const change = { id: "a change", why: "a test", commands, activate: [] };
  const builder = async () => remote;
  return apply(remote, change, { run, network, artefacts, builder, step: "svc", alsoInstall: [] });
}

const stat = async (path: string) => (await mustRun(host, `stat -c '%F %a %U:%G' -- ${path}`)).trim();
const secret = async () => `${await mustRun(host, "cat /root/secret")}${await stat("/root/secret")}`;
const SECRET = "s3cret\nregular file 600 root:root";
const keptText = () => mustRun(host, `grep -rs . /var/lib/meshctl/runs/${run} || :`);

describe("a file that root writes among a service's own", () => {
  const own = { owner: "svc:svc" };

  it("replaces a link to a file that only root may read, and copies nothing of that", async () => {
    for (const path of ["/srv/svc/id", "/srv/svc/data/id"]) {
      await mustRun(host, `ln -s /root/secret ${path}`);
      await make([write(path, ["1\n"], own)]);
      expect(await mustRun(host, `cat ${path}`)).toBe("1\n");
      expect(await stat(path)).toBe("regular file 644 svc:svc");
    }
    expect(await secret()).toBe(SECRET);
    expect(await keptText()).not.toContain("s3cret");
    expect(await mustRun(host, "find /srv/svc -name '.meshctl.*'")).toBe("");
  });

  it("does not come to where a linked directory of the service's leads", async () => {
    await mustRun(host, "rmdir /srv/svc/data && ln -s /srv/elsewhere /srv/svc/data");
    await expect(make([write("/srv/svc/data/other", ["1\n"], own)])).rejects.toThrow(
      /^a change: write .* failed with exit code 1: .*as the user with the id \d+: .*Permission denied/,
    );
    await expect(make([write("/srv/svc/data/other", ["1\n"])])).rejects.toThrow(
      /can write \/srv\/svc and decides where it leads\. Give that directory to root/,
    );
    expect(await mustRun(host, "ls -A /srv/elsewhere")).toBe("");
    expect(await mustRun(host, "grep -c other /var/lib/meshctl/manifest || :")).toBe("0\n");
  });

  it("may be root's own in a directory that is the service's, and goes back and away again", async () => {
    const path = "/srv/svc/settings";
    await mustRun(host, `echo old >${path}; chown svc:svc ${path}; chmod 0640 ${path}`);
    await make([write(path, ["new\n"])]);
    expect(await stat(path)).toBe("regular file 644 root:root");
    const step = { name: "svc", title: "svc" } as AnyStep;
    const plan = planPutBack(await readKept(remote, run), run, step, undefined);
    if (plan.is !== "planned") throw new Error(plan.is);
    run = runNumber(0xbac0 + runs);
    await make(plan.change.commands);
    expect(`${await mustRun(host, `cat ${path}`)}${await stat(path)}`).toBe("old\nregular file 640 svc:svc");
    // What is removed is the name; the copy is of what the service may read.
    await mustRun(host, `ln -sf /root/secret ${path}`);
    run = runNumber(0xdea0 + runs);
    await make([{ kind: "remove", path }]);
    expect(await mustRun(host, "ls -A /srv/svc")).toBe("data\n");
    expect(await secret()).toBe(SECRET);
    expect(await keptText()).not.toContain("s3cret");
  });

  it("is refused where there is a pipe or a device that never ends, at once", async () => {
    for (const path of ["/srv/svc/pipe", "/srv/svc/data/pipe"]) {
      await mustRun(host, `mkfifo ${path} && chown svc:svc ${path}`);
      await expect(make([write(path, ["1\n"], own)])).rejects.toThrow(/is no file$/);
      await expect(make([{ kind: "adopt", path }])).rejects.toThrow(/is no file$/);
      expect(await stat(path)).toMatch(/^fifo /);
    }
  });

  it("is not placed there as an artefact", async () => {
    const build = { file: new URL("../engine/world/set.sh", import.meta.url), args: [], timeoutMs: 1 };
    const artefact = { key: "k", buildHost: host.name, buildPackages: [], build };
    const artefacts = {
      get: async () => ({ bytes: Buffer.from(""), sha256: "" }),
    } as unknown as ArtefactStore;
    const commands = [{ kind: "place", path: "/srv/svc/archive", artefact }] as const;
    const change = { id: "a change", why: "a test", commands, activate: [] };
    const builder = async () => remote;
    const context = { run, network, artefacts, builder, step: "svc", alsoInstall: [] };
    await expect(apply(remote, change, context)).rejects.toThrow(/is not root's to change/);
  });
});

describe("a script's reading of a service's file", () => {
  const names = ["keeper", "prelude"].map(
    (name) => new URL(`../../src/evidence/${name}.sh`, import.meta.url),
  );

  async function probe(script: string) {
    const text = `${names.map(scriptText).join("\n")}\n${script}`;
    const { stdout, exitCode } = await remote.run(text, { during: "a probe", timeoutMs: 60_000 });
    expect(exitCode).toBe(0);
    expect(stdout).not.toContain("s3cret");
    return parseProbeOutput(stdout);
  }

  it("tells what the service may read, and of all else what it is", async () => {
    await mustRun(
      host,
      `cd /srv/svc && setpriv --reuid=svc --regid=svc --clear-groups sh -c '
         echo mine >file; ln -s /root/secret link; ln -s /dev/zero zero; mkfifo pipe; ln -s . self; truncate -s 1T large
         ln -s /root dir'
       ln /root/secret hard; printf x >closed; chmod 0600 closed`,
    );
    const asked = ["file", "link", "zero", "pipe", "self", "large", "dir/secret", "hard", "closed", "none"];
    const paths = asked.map((name) => `/srv/svc/${name}`);
    const facts = fileFacts(await probe(paths.map((path) => `emit_file ${path}`).join("\n")));
    const found = paths.map((path) => [facts.get(path)!.kind, facts.get(path)!.content]);
    expect(found).toEqual([
      ["regular", "mine\n"],
      ["symbolic link", undefined],
      ["symbolic link", undefined],
      ["fifo", undefined],
      ["symbolic link", undefined],
      ["unreadable", undefined],
      ["unreadable", undefined],
      ["unreadable", undefined],
      ["unreadable", undefined],
      ["absent", undefined],
    ]);
  });
});

describe("a host's lock", () => {
  const asSvc = (name: string, command: string) =>
    mustRun(
      host,
      `systemd-run --quiet --unit=${name} -p TimeoutStopSec=1 --uid=svc --gid=svc ${command} && until pgrep -u svc sleep; do sleep 0.1; done`,
    );
  const take = (name: string) => {
    const locks = new HostLocks(name, () => remote);
    return locks.take(host.name).then(
      () => locks,
      (error: Error) => error.message,
    );
  };
  const release = async (locks: HostLocks | string) => {
    if (typeof locks === "string") throw new Error(locks);
    await locks.releaseAll();
  };

  it("cannot be held by another user, not even one who opened the files of an older meshctl", async () => {
    await mustRun(
      host,
      "install -d /run/meshctl && cd /run/meshctl && rm -rf lock change locks && touch lock change",
    );
    await asSvc("squat-lock", "flock /run/meshctl/lock sleep 600");
    await asSvc("squat-change", "flock /run/meshctl/change sleep 601");
    try {
      const locks = await take("first");
      expect(await take("second")).toMatch(/another meshctl is changing this host \(run first by /);
      await make([write("/srv/elsewhere/file", ["x"])]);
      await release(locks);
    } finally {
      await mustRun(host, "systemctl stop squat-lock squat-change");
    }
    for (const path of ["lock", "change", "locks/run", "locks/change"]) {
      const opened = `setpriv --reuid=svc --regid=svc --clear-groups flock -n /run/meshctl/${path} true`;
      expect((await host.exec(opened)).code, path).not.toBe(0);
    }
    await release(await take("third"));
  });

  it("keeps an older meshctl out, and is kept by one", async () => {
    const older = "exec 9<>/run/meshctl/lock; flock -n 9";
    const locks = await take("newer");
    expect((await host.exec(older)).code).toBe(1);
    await release(locks);
    // As its lock.sh does it.
    const held =
      "exec 9<>/run/meshctl/lock; flock -n 9; read -r pid _ </proc/self/stat; echo $pid run older by alice >/run/meshctl/lock.holder; exec sleep 600";
    await mustRun(
      host,
      `systemd-run --quiet --unit=older -p TimeoutStopSec=1 sh -c '${held.replace("$pid", "$$$$pid")}'; until pgrep -x sleep; do sleep 0.1; done`,
    );
    try {
      expect(await take("newer")).toMatch(/\(run older by alice\).* kill \d+$/);
    } finally {
      await mustRun(host, "systemctl stop older");
    }
    await release(await take("newer"));
  });

  it("that is held by none that says so names what really holds it, and nothing to kill", async () => {
    await release(await take("before"));
    const { stdout } = await host.exec("sleep 600 >/dev/null 2>&1 & echo $!");
    const innocent = stdout.trim();
    await mustRun(
      host,
      `echo "${innocent} run gone by alice" >/run/meshctl/lock.holder
       systemd-run --quiet --unit=holder -p TimeoutStopSec=1 flock /run/meshctl/locks/run sleep 602 && until pgrep -f 'sleep 602'; do sleep 0.1; done`,
    );
    try {
      const refused = await take("after");
      expect(refused).toMatch(/is held by process \d+ \(root (flock|sleep)\), and no run of meshctl's says/);
      expect(refused).not.toContain(innocent);
      expect(refused).not.toContain("kill");
      expect(refused).not.toContain("alice");
    } finally {
      await mustRun(host, `systemctl stop holder; kill ${innocent}`);
    }
    await release(await take("after"));
  });
});

describe("a member's data directory", () => {
  const dataDir = "/var/lib/zookeeper/data";
  const initialise = {
    kind: "script",
    file: new URL("../../src/steps/zookeeper/initialise.sh", import.meta.url),
    args: [dataDir],
    timeoutMs: 20_000,
  } as const;
  const asZookeeper = (script: string) =>
    mustRun(host, `setpriv --reuid=zookeeper --regid=zookeeper --clear-groups sh -c ${shellQuote(script)}`);
  const look = async () => {
    const desired = { address: host.address, ports: { clientPort: 2181 }, dataDir };
    const observation = await observe(readerOf(remote), [{ step: zookeeper as AnyStep, desired }]);
    if (observation.is !== "seen") throw observation.error;
    return observation.facts.get("zookeeper")!;
  };

  beforeAll(async () => {
    await mustRun(host, "getent passwd zookeeper || useradd --system --user-group zookeeper");
  });
  beforeEach(async () => {
    await mustRun(
      host,
      "rm -rf /var/lib/zookeeper && install -d -o zookeeper -g zookeeper /var/lib/zookeeper",
    );
  });

  it("is made ready, also where root left it empty", async () => {
    const made = async () => [
      await stat(dataDir),
      await stat(`${dataDir}/version-2`),
      await stat(`${dataDir}/initialize`),
    ];
    const wanted = [
      "directory 750 zookeeper:zookeeper",
      "directory 750 zookeeper:zookeeper",
      "regular empty file 640 zookeeper:zookeeper",
    ];
    for (const before of [
      ":",
      `mkdir -p ${dataDir}`,
      "rm -r /var/lib/zookeeper",
      "rm -r /var/lib/zookeeper; mkdir -p /var/lib/zookeeper/data/version-2",
    ]) {
      await mustRun(host, `rm -rf /var/lib/zookeeper/data; ${before}`);
      await make([initialise]);
      expect(
        (await made()).map((line) => line.replace("regular file", "regular empty file")),
        before,
      ).toEqual(wanted);
      await make([initialise, write(`${dataDir}/myid`, ["1\n"], { owner: "zookeeper:zookeeper" })]);
      expect(await stat(`${dataDir}/myid`)).toBe("regular file 644 zookeeper:zookeeper");
    }
  });

  it.each([
    ["version-2", `mkdir -p ${dataDir} && ln -s /srv/elsewhere ${dataDir}/version-2`],
    ["itself", `ln -s /srv/elsewhere ${dataDir}`],
  ])("whose %s leads to what is root's stays unmade, and that root's", async (_what, plant) => {
    await asZookeeper(plant);
    await expect(make([initialise])).rejects.toThrow(/must be zookeeper's own/);
    expect(await stat("/srv/elsewhere")).toBe("directory 755 root:root");
    expect(await mustRun(host, "ls -A /srv/elsewhere")).toBe("");
  });

  it("is read without an end to wait for, and what it links to is shown to nobody", async () => {
    const plants = {
      "a link to a secret": ["ln -s /root/secret", "no number, unreadable", "zookeeper may not read it"],
      "a device without end": [
        "ln -s /dev/zero",
        "no number, unreadable",
        "the way to it is a link that zookeeper made, and it leads to /dev/zero",
      ],
      "a pipe": ["mkfifo", "no number, fifo", undefined],
    } as const;
    for (const [what, [plant, shown, because]] of Object.entries(plants)) {
      await asZookeeper(
        `rm -rf ${dataDir}; mkdir -p ${dataDir}/version-2; ${plant} ${dataDir}/myid; ${plant} ${dataDir}/version-2/currentEpoch`,
      );
      const read = await look();
      if (read.is !== "read") throw new Error(`${what}: ${read.because}`);
      const facts = read.facts as ZookeeperFacts;
      expect(idOnDisk(facts), what).toBeUndefined();
      expect(shownId(facts)).toBe(shown);
      expect([facts.unread.get("myid"), facts.unread.get("data")], what).toEqual([because, because]);
      expect(JSON.stringify(facts)).not.toContain("s3cret");
      // What cannot be read is not taken for a directory that may be made anew.
      expect(dataIn(facts, dataDir)).toBe("holds");
    }
  });

  it("has its number also where that is a link of the package's", async () => {
    await mustRun(host, "echo 3 >/srv/elsewhere/myid");
    await asZookeeper(`mkdir -p ${dataDir}`);
    await mustRun(host, `ln -s /srv/elsewhere/myid ${dataDir}/myid`);
    const { facts } = (await look()) as { facts: ZookeeperFacts };
    expect(idOnDisk(facts)).toBe(3);
    await mustRun(host, "chmod 0600 /srv/elsewhere/myid");
    const { facts: closed } = (await look()) as { facts: ZookeeperFacts };
    expect([idOnDisk(closed), closed.unread.get("myid")]).toEqual([undefined, "zookeeper may not read it"]);
  });

  it("shows no more of myid than a number", async () => {
    await asZookeeper(`mkdir -p ${dataDir}; echo root:hash >${dataDir}/myid`);
    const { facts } = (await look()) as { facts: ZookeeperFacts };
    expect(shownId(facts)).toBe("no number");
  });
});

describe("the registrar's record of its nodes", () => {
  it("is not followed, not waited for and not taken for empty", async () => {
    const directory = "/run/meshctl-registrar";
    await mustRun(host, `install -d -o svc -g svc ${directory}`);
    const nodes = async (plant: string) => {
      await mustRun(
        host,
        `rm -f ${NODE_RECORD}; setpriv --reuid=svc --regid=svc --clear-groups sh -c ${shellQuote(plant)}`,
      );
      return new Reader(lookThrough(readerOf(remote))).longText(NODE_RECORD);
    };
    expect(await nodes(`echo '{}' >${NODE_RECORD}`)).toEqual({ is: "value", value: "{}\n" });
    expect(await nodes(":")).toEqual({ is: "absent" });
    for (const plant of [
      `ln -s /root/secret ${NODE_RECORD}`,
      `ln -s /dev/zero ${NODE_RECORD}`,
      `mkfifo ${NODE_RECORD}`,
      `truncate -s 5M ${NODE_RECORD}`,
    ])
      expect((await nodes(plant)).is, plant).toBe("unreadable");
  });
});
