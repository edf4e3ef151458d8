import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { shellQuote } from "../../src/shell-quote.ts";
import { type Lab, type LabHost, startLab } from "../lab/lab.ts";
import { mustRun } from "./backends.ts";
import { givenBack } from "./given-back.ts";
import { type Ended, inventoryFor, meshctl, oneHost, startMeshctl, summaryOf } from "./meshctl.ts";

let lab: Lab;
let host: LabHost;
let inventory: string;

beforeAll(async () => {
  lab = await startLab({ hosts: 1 });
  host = lab.hosts[0]!;
  inventory = await inventoryFor(lab, oneHost);
});

afterAll(() => lab?.down());

const look = (patience: string, file = inventory) => [
  "plan",
  "-i",
  file,
  "--steps",
  "preflight",
  "--json",
  "--wait-for-ssh",
  patience,
];

/**
 * Stands in for cloud-init, which the lab's hosts do not have, at the interface that counts: an executable that
 * answers `status --long`. It answers with what is in /root/cloud-init, and ends with the code in its first line.
 */
async function putCloudInit(code: number, ...answer: string[]): Promise<void> {
  await mustRun(
    host,
    `printf '%s\\n' ${[String(code), ...answer].map(shellQuote).join(" ")} >/root/cloud-init
    cat >/usr/local/bin/cloud-init <<'END'
#!/bin/sh
[ "$*" = "status --long" ] || exit 64
sed 1d /root/cloud-init
exit "$(head -n 1 /root/cloud-init)"
END
    chmod 0755 /usr/local/bin/cloud-init`,
  );
}

const waitedFor = ({ events }: Ended) =>
  events.filter(({ event }) => event === "waiting").map(({ because }) => String(because));

describe("--wait-for-ssh", () => {
  it("finds a host that is switched on meanwhile, lets it boot, and waits for its cloud-init", async () => {
    await putCloudInit(0, "status: running", "detail:", "config-apt");
    await mustRun(host, "sync");
    const powerOn = givenBack(() => host.powerOn());
    await host.powerCut();
    const running = startMeshctl(look("200s"));
    const waits = (why: RegExp) =>
      running.event(({ event, because }) => event === "waiting" && why.test(String(because)));
    const setUp = waits(/^boot: waiting for cloud-init: detail: config-apt$/);
    await waits(/^connect: /);
    await powerOn();
    expect((await setUp).host).toBe("kvm-03");
    await putCloudInit(0, "status: done");
    const ended = await running.ended;
    expect(ended.code).toBe(0);
    expect(summaryOf(ended).hosts).toMatchObject([{ outcome: "as wanted" }]);
  });

  it("waits while only root may log in", async () => {
    const letIn = givenBack(() => mustRun(host, "rm -f /run/nologin"));
    await mustRun(host, "echo 'System is booting up.' >/run/nologin");
    const running = startMeshctl(look("200s"));
    await running.event(
      ({ event, because }) => event === "waiting" && /^authentication: /.test(String(because)),
    );
    await letIn();
    expect((await running.ended).code).toBe(0);
  });

  it("gives up when the time is up, with exit code 4 and what it waited for", async () => {
    await putCloudInit(0, "status: running", "detail: config-apt");
    const ended = await meshctl(look("4s"));
    expect(ended.code).toBe(4);
    expect(summaryOf(ended).hosts).toMatchObject([
      {
        outcome: "unreachable",
        because: "not up within 4 s (--wait-for-ssh): boot: waiting for cloud-init: detail: config-apt",
      },
    ]);
  });

  it("does not use a host whose cloud-init failed, and says why", async () => {
    await putCloudInit(1, "status: error", "detail:", "('ssh-import-id', KeyError)");
    const ended = await meshctl(look("200s"));
    expect(ended.code).toBe(1);
    expect(summaryOf(ended).hosts[0]!.because).toBe("cloud-init: detail: ('ssh-import-id', KeyError)");
    expect(waitedFor(ended)).toEqual([]);
  });

  it.each([
    ["is disabled", 0, ["status: disabled"], []],
    ["never ran", 0, ["status: not run"], []],
    [
      "recovered from errors, with a remark",
      2,
      ["status: done", "extended_status: degraded done", "detail: x"],
      ["cloud-init is done, but not all went well: extended_status: degraded done detail: x"],
    ],
  ] as const)("goes on where cloud-init %s", async (_what, code, answer, remarks) => {
    await putCloudInit(code, ...answer);
    const ended = await meshctl(look("200s"));
    expect(ended.code).toBe(0);
    expect(waitedFor(ended)).toEqual([]);
    const ofHost = ended.events.filter(({ event, host }) => event === "note" && host !== undefined);
    expect(ofHost.map(({ text }) => text)).toEqual(remarks);
  });

  it("does not wait where waiting cannot help: wrong credentials, an unknown key", async () => {
    const folder = await mkdtemp(join(tmpdir(), "meshctl-waiting-"));
    for (const [edit, stage] of [
      [(yaml: string) => yaml.replace("user: ops", "user: nobody"), "authentication"],
      [(yaml: string) => yaml.replace(/known_hosts: .*/, `known_hosts: ${folder}/none`), "host key"],
    ] as const) {
      const ended = await meshctl(look("200s", await inventoryFor(lab, (yaml) => edit(oneHost(yaml)))));
      expect(ended.code).toBe(4);
      expect(waitedFor(ended)).toEqual([]);
      expect(ended.events.find(({ event }) => event === "unreachable")?.stage).toBe(stage);
    }
  });

  it("wants a time with its unit", async () => {
    for (const time of ["120", "25h"]) {
      const ended = await meshctl(look(time));
      expect(ended.code).toBe(3);
      expect(ended.stderr).toContain("expected a time with its unit, like 120s or 5m, at most 24h");
    }
  });
});
