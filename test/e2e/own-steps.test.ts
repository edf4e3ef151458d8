import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Lab, type LabHost, startLab } from "../lab/lab.ts";
import { mustRun } from "./backends.ts";
import { type Ended, inventoryFor, meshctl, oneHost, openRows, summaryOf } from "./meshctl.ts";

const GREETING = "/etc/greeter/greeting";
const KEY = "/etc/greeter/key";
const UNIT = "greeter.service";
const UNIT_FILE = `/etc/systemd/system/${UNIT}`;
const WANTED = `/etc/systemd/system/multi-user.target.wants/${UNIT}`;

let lab: Lab;
let host: LabHost;
let inventory: string;
let folder: string;
/** The run that put everything there. */
let first: string;

beforeAll(async () => {
  lab = await startLab({ hosts: 1 });
  host = lab.hosts[0]!;
  inventory = await inventoryFor(lab, oneHost);
  folder = await mkdtemp(join(tmpdir(), "meshctl-own-"));
  await writeFile(join(folder, "key"), "s3cret-of-the-greeter\n");
  // Its commands of before and after note what the service says meanwhile.
  await mustRun(
    host,
    `printf '#!/bin/sh\\nprintf "%%s %%s %%s\\\\n" "$1" "$MESHCTL_STEP" "$(cat /run/greeter 2>/dev/null)" >>/root/hooks\\n' >/usr/local/bin/note && chmod 0755 /usr/local/bin/note`,
  );
});

afterAll(async () => {
  await lab?.down();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

interface Wish {
  readonly greeting?: string;
  readonly before?: string | { readonly run: string; readonly timeout: string };
  readonly after?: string;
  readonly onChange?: "restart" | "reload";
  readonly more?: string;
}

/** Reads its greeting when it is started, and says it from then on. */
const unit = `[Unit]
Description=A service of one's own
[Service]
# Ahead of it, so that it has been said when systemctl returns.
ExecStartPre=/bin/sh -c 'cat ${GREETING} >/run/greeter'
ExecStart=/bin/sleep infinity
ExecReload=/bin/sh -c 'cat ${GREETING} >/run/greeter'
[Install]
WantedBy=multi-user.target
`;

async function playbook({
  greeting = "hello",
  before = "note before",
  after = "note after",
  onChange = "restart",
  more = "",
}: Wish) {
  const file = join(folder, "playbook.yaml");
  const text = `version: 1
plays:
  - hosts: all
    before: ${JSON.stringify(before)}
    steps:
      files:
        packages: [bc]
        files:
          ${GREETING}: { content: ${JSON.stringify(`${greeting}\n`)} }
          ${KEY}: { src: ${join(folder, "key")}, secret: true, mode: "0600" }
          ${UNIT_FILE}: { content: ${JSON.stringify(unit)} }
          ${more}
        units:
          ${UNIT}: { enabled: true, running: true, on_change: ${onChange} }
        check: { run: "grep -q ^hello /run/greeter", timeout: 2s }
        after: ${JSON.stringify(after)}
`;
  await writeFile(file, text);
  return file;
}

async function run(command: string, wish: Wish = {}, ...flags: string[]): Promise<Ended> {
  return meshctl([command, "-i", inventory, "-p", await playbook(wish), "--json", ...flags]);
}
const provision = (wish: Wish = {}) => run("provision", wish, "--yes");
const read = (path: string) => mustRun(host, `cat -- ${path}`);
const state = async () =>
  (await mustRun(host, `systemctl is-enabled ${UNIT}; systemctl is-active ${UNIT}; cat /run/greeter`)).trim();
const hooks = (ended: Ended) =>
  ended.events
    .filter(({ event, is }) => event === "hook" && is !== "begun")
    .map(({ when, is }) => `${when} ${is}`);

describe("files, a package, a unit and a check of one's own", () => {
  it("are planned with what runs around them, and a plan touches nothing", async () => {
    const planned = await run("plan");
    expect(planned.code, planned.stderr).toBe(2);
    expect(planned.events.filter(({ event }) => event === "hooks")).toEqual([
      expect.objectContaining({
        step: "files",
        before: [expect.objectContaining({ command: "note before" })],
        after: [expect.objectContaining({ command: "note after" })],
      }),
    ]);
    const text = await meshctl(["plan", "-i", inventory, "-p", await playbook({})]);
    expect(text.stdout).toContain("apt install bc");
    expect(text.stdout).toMatch(/\+ ?hello/);
    expect(text.stdout).not.toContain("s3cret");
    await mustRun(host, `test ! -e /root/hooks -a ! -e ${GREETING}`);
  });

  it("are there after a first run, each proven, with the commands run once around all of it", async () => {
    const ended = await provision();
    expect(openRows(ended)).toEqual([]);
    expect(ended.code, ended.stderr).toBe(0);
    first = ended.events[0]!.run as string;
    expect(summaryOf(ended).hosts[0]!.changed.map(({ change }) => change)).toEqual([
      "packages",
      "configuration",
    ]);
    expect(await state()).toBe("enabled\nactive\nhello");
    expect(await read("/root/hooks")).toBe("before files \nafter files hello\n");
    expect(await mustRun(host, `stat -c '%a %U:%G' ${KEY} && cat ${KEY} && command -v bc`)).toContain(
      "600 root:root\ns3cret-of-the-greeter\n",
    );
    expect(JSON.stringify(ended.events)).not.toContain("s3cret");
  });

  it("stay as they are in a second run, and no command is run", async () => {
    const invocation = () => mustRun(host, `systemctl show -p InvocationID ${UNIT}`);
    const before = await invocation();
    const ended = await provision();
    expect(ended.code, ended.stderr).toBe(0);
    expect(summaryOf(ended).hosts[0]).toMatchObject({ outcome: "as wanted", changed: [] });
    expect([await invocation(), hooks(ended)]).toEqual([before, []]);
    expect(await read("/root/hooks")).toBe("before files \nafter files hello\n");
  });

  it("go away again when the run that brought them is restored, which runs no command", async () => {
    const ended = await meshctl([
      "restore",
      first,
      "-i",
      inventory,
      "-p",
      await playbook({}),
      "--json",
      "--yes",
    ]);
    expect(ended.code, JSON.stringify(ended.events.at(-1))).toBe(0);
    await mustRun(host, `test ! -e ${GREETING} -a ! -e ${UNIT_FILE} -a ! -L ${WANTED}`);
    expect((await host.exec(`systemctl is-active ${UNIT}`)).stdout.trim()).toBe("inactive");
    expect(await read("/root/hooks")).toBe("before files \nafter files hello\n");
    expect((await provision()).code).toBe(0);
    expect(await state()).toBe("enabled\nactive\nhello");
  });

  it("are named where somebody has altered them by hand, and mended", async () => {
    await mustRun(host, `echo bye >${GREETING}; chmod 0644 ${KEY}; systemctl disable --now ${UNIT}`);
    const verified = await run("verify");
    expect(verified.code).toBe(2);
    expect(openRows(verified).map((row) => row.split(": ").slice(0, 2).join(": "))).toEqual([
      `kvm-03 files ${GREETING}: different`,
      `kvm-03 files ${KEY}: different`,
      `kvm-03 files ${UNIT} at boot: different`,
      `kvm-03 files ${UNIT} now: different`,
      "kvm-03 files check: missing",
    ]);
    const ended = await provision();
    expect([openRows(ended), ended.code]).toEqual([[], 0]);
    expect(await state()).toBe("enabled\nactive\nhello");
    expect(await mustRun(host, `stat -c %a ${KEY}`)).toBe("600\n");
  });

  it("are restarted where only what runs is behind", async () => {
    await mustRun(host, `systemctl restart ${UNIT} && sleep 1.1 && touch ${GREETING}`);
    const verified = await run("verify");
    expect(openRows(verified)).toEqual([
      expect.stringContaining(
        `${UNIT} runs with: different: ${GREETING} was changed after ${UNIT} was started`,
      ),
    ]);
    expect((await provision()).code).toBe(0);
  });

  it("go back to what they were when the check fails, with both facts", async () => {
    const ended = await provision({ greeting: "nonsense" });
    expect(ended.code).toBe(1);
    const [outcome] = summaryOf(ended).hosts;
    expect(outcome!.because).toMatch(/check\.sh failed .* did not pass within 2 s/);
    expect(outcome!.because).toContain(
      "the old configuration was put back, and the service is healthy with it",
    );
    expect([await read(GREETING), await state()]).toEqual(["hello\n", "enabled\nactive\nhello"]);
    expect((await run("verify")).code).toBe(0);
  });

  it("are not changed when the command before hangs: its time-out ends it, and it is named", async () => {
    const ended = await provision({ greeting: "hallo", before: { run: "sleep 600", timeout: "2s" } });
    expect(ended.code).toBe(1);
    expect(summaryOf(ended).hosts[0]!.because).toBe(
      "files: its before hook: sleep 600 did not end within 2 s and was stopped: it said nothing. It was not changed",
    );
    expect(hooks(ended)).toEqual(["before failed"]);
    expect(await read(GREETING)).toBe("hello\n");
    expect((await host.exec("pgrep -fx 'sleep 600'")).code).toBe(1);
  });

  it("go back to what they were when the command after fails", async () => {
    const ended = await provision({
      ...{ greeting: "hello again", onChange: "reload" },
      after: "echo the balancer says no; exit 1",
    });
    expect(ended.code).toBe(1);
    expect(summaryOf(ended).hosts[0]!.because).toMatch(
      /its after hook: .* failed with exit code 1: the balancer says no; the old configuration was put back/,
    );
    expect([await read(GREETING), await state()]).toEqual(["hello\n", "enabled\nactive\nhello"]);
    // It was reloaded with either, and by the same invocation.
    expect(openRows(await run("verify"))).toEqual([]);
  });

  it("are not put where another user than root leads", async () => {
    await mustRun(
      host,
      "install -d -o daemon /srv/theirs && setpriv --reuid daemon --clear-groups ln -s /etc /srv/theirs/link",
    );
    const ended = await provision({ more: "/srv/theirs/link/own: { content: x }" });
    expect(ended.code).toBe(1);
    expect(summaryOf(ended).hosts[0]!.because).toContain("/srv/theirs/link is a link that belongs to daemon");
    await mustRun(host, "test ! -e /etc/own");
  });
});
