import { describe, expect, it } from "vitest";
import type { Change } from "../../../src/contract/change.ts";
import { socketQuestion } from "../../../src/evidence/by-hand.ts";
import { tableOf } from "../../../src/haproxy/server-state.ts";
import { descriptionOf } from "../../../src/haproxy/settings.ts";
import type { HaproxyDesired } from "../../../src/steps/haproxy/desired.ts";
import { service } from "../../haproxy/mesh.ts";
import { assessed, configText, desired, foreignText } from "./host.ts";

const other = `meshctl-${"0".repeat(64)}`;

/** A change in short: what it writes and what it runs. */
function brief(change: Change | undefined) {
  if (change === undefined) return undefined;
  const run = change.activate.map((command) =>
    command.kind === "run"
      ? command.argv.join(" ")
      : command.kind === "script"
        ? `${command.file.pathname.split("/").at(-1)} ${command.args.join(" ")}`
        : command.kind,
  );
  const made = change.commands.map((command) =>
    "path" in command ? `${command.kind} ${command.path}` : command.kind,
  );
  return { made, run, disrupts: change.disrupts?.kind };
}

describe("haproxy without a watcher", () => {
  it("leaves a converged host untouched", () => {
    const { open, changes } = assessed(desired());
    expect(open).toEqual([]);
    expect(changes).toEqual([]);
  });

  it("reloads what is loaded with another name for a server, wherever the new one leads", () => {
    const to = (host: string) =>
      desired({ services: [service({ servers: [{ name: "a", host, port: 80 }] })] });
    const [old, want] = [to("old.lab"), to("new.lab")];
    const { changes, row } = assessed(want, {
      loaded: configText(old),
      info: { description: descriptionOf(old.settings) },
      facts: {
        leadTo: new Map([["new.lab", { addresses: ["10.0.0.8"], hosts: "/etc/hosts:7" }]]),
        table: {
          is: "value",
          value: tableOf([
            ["0", "user-api", "FRONTEND", "OPEN", "", "", "50000"],
            ["2", "user-api", "a", "UP", "1", "10.0.0.9:80", "", "L7OK", "200", ""],
          ]),
        },
      },
    });
    expect(row("names of servers").verdict).toBe("proven");
    expect(changes.map(({ disrupts }) => disrupts?.kind)).toEqual(["reload"]);
  });

  it("installs on a bare host, then writes and starts", () => {
    const { row, changes, evidence } = assessed(
      desired(),
      { installed: false, config: undefined, dropIn: undefined, loadRecorder: undefined, active: "inactive" },
      { packages: new Map(), manifest: new Map(), listeners: [] },
    );
    expect(new Set(evidence.map(({ verdict }) => verdict))).toEqual(new Set(["missing"]));
    expect(row("version").because).toBe("not installed; apt offers 2.6.12-1+deb12u4");
    expect(changes.map(({ id }) => id)).toEqual(["packages", "configuration"]);
    expect(brief(changes[1])).toEqual({
      made: [
        "write /opt/meshctl/haproxy/record-loaded",
        "write /etc/systemd/system/haproxy.service.d/meshctl.conf",
        "write /etc/haproxy/haproxy.cfg",
      ],
      run: ["systemctl daemon-reload", "systemctl enable haproxy.service", "activate.sh restart"],
      disrupts: undefined,
    });
  });

  it("replaces the package's default file after a check of the new one and of its ports", () => {
    const { row, changes } = assessed(
      desired(),
      { config: "global\n\tdaemon\n", packaged: "default", info: { description: "" } },
      { manifest: new Map() },
    );
    expect(row("haproxy.cfg")).toMatchObject({
      verdict: "different",
      onDisk: { value: "the package's default" },
      diff: { path: "/etc/haproxy/haproxy.cfg", was: "global\n\tdaemon\n" },
    });
    expect(changes).toHaveLength(1);
    expect(changes[0]!.validate?.args).toEqual(["127.0.0.1", "8080"]);
    expect(brief(changes[0])?.run).toEqual(["activate.sh reload"]);
  });

  it("leaves a foreign file alone until it may be adopted", () => {
    const foreign = { config: foreignText, info: { description: "" } };
    const unknown = { manifest: new Map() };
    const { row, changes } = assessed(desired(), foreign, unknown);
    expect(row("haproxy.cfg")).toMatchObject({ verdict: "blocked", diff: { was: foreignText } });
    expect(changes).toEqual([]);
    const adopted = assessed(desired({ adopt: true }), foreign, unknown);
    expect(brief(adopted.changes[0])?.made).toEqual(["write /etc/haproxy/haproxy.cfg"]);
  });

  it("takes over what a watcher wrote when there is no watcher any more", () => {
    const want = desired();
    const { row, changes } = assessed(
      want,
      { config: `# auto\n${configText(want, `${other}-0123456789abcdef`)}` },
      { manifest: new Map() },
    );
    expect(row("haproxy.cfg").verdict).toBe("different");
    expect(brief(changes[0])?.made).toContain("write /etc/haproxy/haproxy.cfg");
  });

  it("tells a hand edit from its own older file, and says which line differs", () => {
    const want = desired();
    const text = configText(want).replace("timeout client 5000ms", "timeout client 9s");
    const { row, open } = assessed(want, { config: text });
    expect(row("haproxy.cfg").onDisk).toMatchObject({ value: "meshctl's, edited" });
    expect(row("timeout client")).toMatchObject({
      verdict: "different",
      onDisk: { value: "9s", source: "/etc/haproxy/haproxy.cfg:22" },
      inForce: { is: "inferred", value: "5000ms" },
    });
    expect(open.map(({ setting }) => setting)).toEqual(["haproxy.cfg", "settings", "timeout client"]);
  });

  it("reloads when a worker runs with another configuration than the file's, whenever that was written", () => {
    const { row, changes } = assessed(desired(), { info: { description: other, maxconn: "8000" } });
    expect(row("settings")).toMatchObject({
      verdict: "not-in-force",
      inForce: { value: "meshctl-000000000000" },
      because: "the worker runs with another configuration",
    });
    // It was loaded with the right one all the same.
    expect(row("retries")).toMatchObject({ verdict: "proven", inForce: { is: "inferred" } });
    expect(row("maxconn")).toMatchObject({ verdict: "not-in-force", inForce: { value: "8000" } });
    expect(brief(changes[0])).toEqual({ made: [], run: ["activate.sh reload"], disrupts: "reload" });
  });

  it("starts a service that does not run, and enables one that would not at boot", () => {
    const { row, changes } = assessed(
      desired(),
      { active: "inactive", enabled: "disabled" },
      { listeners: [] },
    );
    expect(row("running")).toMatchObject({ verdict: "different", because: "haproxy.service is inactive" });
    expect(row("retries")).toMatchObject({
      verdict: "not-in-force",
      because: "haproxy.service does not run",
    });
    expect(brief(changes[0])).toEqual({
      made: [],
      run: ["systemctl enable haproxy.service", "activate.sh restart"],
      disrupts: undefined,
    });
  });

  it("says in HAProxy's words why it does not start", () => {
    const { row } = assessed(
      desired(),
      {
        active: "failed",
        journal: [
          "[NOTICE]   (360) : haproxy version is 3.2.26",
          "[ALERT]    (360) : [/usr/sbin/haproxy.main()] Cannot raise FD limit to 100044, limit is 19999.",
        ],
      },
      { listeners: [] },
    );
    expect(row("running").because).toBe(
      "haproxy.service is failed: Cannot raise FD limit to 100044, limit is 19999. See journalctl -u haproxy.service.",
    );
  });

  it("does not touch a masked unit", () => {
    const { row, changes } = assessed(desired(), { load: "masked", active: "inactive" });
    expect(row("running")).toMatchObject({
      verdict: "blocked",
      because: "haproxy.service is masked, and systemd never starts it: systemctl unmask haproxy.service",
    });
    expect(changes).toEqual([]);
  });

  it("installs a package whose unit dpkg masked when it was removed", () => {
    const gone = { packages: new Map<string, string>(), listeners: [] };
    const { row, changes } = assessed(desired(), { load: "masked", active: "inactive" }, gone);
    expect(row("running").verdict).not.toBe("blocked");
    expect(changes[0]).toMatchObject({ id: "packages" });
  });

  const dropIn = "/etc/systemd/system/haproxy.service.d/x.conf";
  it.each([
    [
      "/etc/default/haproxy names",
      { defaults: ['CONFIG="/srv/x.cfg"'] },
      "/etc/default/haproxy:1",
      "/srv/x.cfg",
    ],
    [
      "/etc/default/haproxy adds",
      { defaults: ['EXTRAOPTS="-S /run/haproxy-master.sock -f /srv/x.cfg"'] },
      "/etc/default/haproxy:1",
      "/etc/haproxy/haproxy.cfg /srv/x.cfg",
    ],
    [
      "a drop-in's variable names",
      { environment: "CONFIG=/srv/x.cfg", startLines: [[dropIn, 2, "Environment"]] },
      `${dropIn}:2`,
      "/srv/x.cfg",
    ],
    [
      "a drop-in starts HAProxy with",
      { execStart: "/usr/sbin/haproxy -Ws -f /srv/x.cfg", startLines: [[dropIn, 3, "ExecStart"]] },
      `${dropIn}:3`,
      "/srv/x.cfg",
    ],
    [
      "the limit goes over haproxy.cfg's that is set beside",
      { defaults: ["EXTRAOPTS=-n 100"] },
      "/etc/default/haproxy:1",
      "/etc/haproxy/haproxy.cfg -n 100",
    ],
    [
      "an option that only checks the file goes beside",
      { defaults: ['EXTRAOPTS="-S /run/haproxy-master.sock -c"'] },
      "/etc/default/haproxy:1",
      "/etc/haproxy/haproxy.cfg -c",
    ],
  ] as const)("is not content when %s another file at the next start", (_, probe, place, file) => {
    const { row, changes } = assessed(desired(), probe);
    expect(row("starts with")).toMatchObject({
      verdict: "blocked",
      because: `${place} makes haproxy.service start with ${file} instead of /etc/haproxy/haproxy.cfg: take it out there`,
    });
    expect(changes).toEqual([]);
  });

  it.each([
    ["in quotes", { defaults: ["CONFIG='/etc/haproxy/haproxy.cfg'"] }],
    ["beside options of its own", { defaults: ['EXTRAOPTS="-S /run/haproxy-master.sock -de -L here -dr"'] }],
    [
      "after a reload",
      {
        command: `/usr/sbin/haproxy\n-Ws\n-f\n/etc/haproxy/haproxy.cfg\n-p\n/run/x\n-sf\n12\n34\n-x\n/run/y`,
      },
    ],
    ["in the command itself", { execStart: `/usr/sbin/haproxy -Ws -f \${CONFIG} -p /run/haproxy.pid` }],
  ])("is content with its file %s", (_, probe) => {
    expect(assessed(desired(), probe).open).toEqual([]);
  });

  it("restarts what was started with another file once the unit names ours again", () => {
    const { row, changes } = assessed(desired(), {
      command: "/usr/sbin/haproxy\n-Ws\n-f\n/srv/haproxy.cfg",
      info: { description: "" },
    });
    expect(row("starts with")).toMatchObject({
      verdict: "not-in-force",
      inForce: { value: "/srv/haproxy.cfg" },
    });
    expect(brief(changes[0])?.run).toEqual(["activate.sh restart"]);
  });

  it.each([
    ["once the unit names ours again", {}, /haproxy\.cfg, then run meshctl again$/],
    [
      "while a line makes it so",
      { defaults: ["CONFIG=/srv/haproxy.cfg"] },
      /haproxy\.cfg, then take it out there$/,
    ],
  ])("restarts nothing for another file that ends what it serves, %s", (_, probe, end) => {
    const want = desired({ watched: true, adopt: true });
    const runs = { command: "/usr/sbin/haproxy\n-Ws\n-f\n/srv/haproxy.cfg", info: { description: "" } };
    const { row, changes } = assessed(want, { ...runs, ...probe, config: foreignText });
    expect(changes).toEqual([]);
    expect(row("starts with")).toMatchObject({ verdict: "blocked" });
    expect(row("starts with").because).toMatch(end);
    expect(row("starts with").because).toContain(
      "/etc/haproxy/haproxy.cfg does not have user-api, which it serves now: copy what it reads there: cp -p /srv/haproxy.cfg /etc/haproxy/haproxy.cfg",
    );
    const copied = "frontend u\n\tbind 127.0.0.1:8080\n";
    expect(assessed(want, { ...runs, config: copied }).changes).toMatchObject([
      { disrupts: { kind: "restart" } },
    ]);
  });

  it.each([
    ["is drained", ["user-api", "a", "DRAIN", 1], /a is drained.*set server user-api\/a state ready/],
    ["is in maintenance", ["user-api", "a", "MAINT", 1], /a is in maintenance.*state ready/],
    ["has another weight", ["user-api", "a", "UP", 7], /a has weight 7.*weight 1/],
  ] as const)("does not take a listed server for in force that %s by hand", (_, server, because) => {
    const { row } = assessed(desired(), { servers: [server] });
    expect(row("user-api servers")).toMatchObject({ verdict: "blocked", inForce: { value: "none" } });
    expect(row("user-api servers").because).toMatch(because);
  });

  it.each([
    ["before HAProxy has read it", "a".repeat(16), "b".repeat(16), "proven", undefined],
    ["and HAProxy has read it", "b".repeat(16), "b".repeat(16), "blocked", /has weight 1/],
    ["and left one since, over the socket", "b".repeat(16), "c".repeat(16), "blocked", /has weight 1/],
  ] as const)(
    "takes the weights of servers that the watcher has just written for nobody's doing %s",
    (_, runs, onDisk, verdict, because) => {
      const want = desired({ watched: true, services: [service({ panicPercent: 50 })] });
      const described = descriptionOf(want.settings);
      const { serverOptions } = want.settings.services[0]!;
      const line = (weight: number) => `    server a 10.0.0.9:80 id 1 cookie a weight ${weight}`;
      const written = (digest: string, weight: number) =>
        configText(want, `${described}-${digest}`)
          .replace(
            "\n\nbackend user-api:panic",
            `\n${line(weight)} ${serverOptions}\n\nbackend user-api:panic`,
          )
          .replace(/\n*$/, `\n${line(weight)}\n`);
      const { row } = assessed(want, {
        config: written(onDisk, 10),
        loaded: written("b".repeat(16), 10),
        info: { description: `${described}-${runs}` },
        servers: [["user-api:panic", "a", "no check", 1]],
      });
      expect(row("user-api panic threshold").verdict).toBe(verdict);
      if (because !== undefined) expect(row("user-api panic threshold").because).toMatch(because);
    },
  );

  it("is in force although its health check has marked a listed server down", () => {
    expect(assessed(desired(), { servers: [["user-api", "a", "DOWN", 1]] }).open).toEqual([]);
  });

  it("does not run while it crashes every few seconds", () => {
    expect(assessed(desired(), { restarts: [4, 3] }).row("running")).toMatchObject({
      verdict: "different",
      inForce: { value: "running for 3 s after 4 restarts" },
    });
    expect(assessed(desired(), { restarts: [4, 30] }).open).toEqual([]);
  });

  it("does not take another HAProxy's answer for its worker's", () => {
    const { row, changes } = assessed(desired(), { info: { pid: "999" } });
    expect(row("settings")).toMatchObject({
      verdict: "blocked",
      because: "process 999 answers on /run/haproxy/admin.sock and is no worker of haproxy.service: stop it",
    });
    expect(changes).toEqual([]);
  });

  it("restarts for a lost admin socket, which every reload would hand on", () => {
    const { changes } = assessed(desired(), { socket: { is: "lost", because: "Connection refused" } });
    expect(brief(changes[0])?.run).toEqual(["activate.sh restart"]);
  });

  it("is not content while another HAProxy shares a port with it", () => {
    const { row, open } = assessed(desired(), {
      strangers: [
        ["127.0.0.1:8080", "999"],
        ["*:9", "999"],
      ],
    });
    expect(row("user-api front end")).toMatchObject({ verdict: "blocked" });
    expect(row("user-api front end").because).toContain("process 999");
    expect(open).toHaveLength(1);
  });

  it("is unknown, not proven, when no worker answers", () => {
    const silent = { is: "unreadable", because: "no end of its answer in time" } as const;
    const { row, changes } = assessed(desired(), {
      socket: { is: "silent", because: silent.because },
      info: undefined,
      facts: { processes: silent, table: silent },
    });
    for (const setting of ["admin socket", "last reload", "version", "settings", "maxconn", "retries"]) {
      expect(row(setting)).toMatchObject({
        verdict: "unknown",
        because: expect.stringContaining(silent.because),
      });
    }
    expect(changes).toEqual([]);
  });
});

describe("what the worker was loaded with", () => {
  const RELOAD = { made: [], run: ["activate.sh reload"], disrupts: "reload" };
  const loaded = (from: string, to: string) => configText(desired()).replace(from, to);

  it.each([
    ["timeout server 5000ms", "timeout server 60000", "timeout server", "60000", 24],
    ["retries 3", "", "retries", undefined, undefined],
    ["balance roundrobin", "balance source", "user-api back end", "balance source", 33],
    ["server a 10.0.0.9:80", "server a 10.0.0.8:80", "user-api servers", "10.0.0.8:80", 35],
  ])("counts where the file is as wanted again: not %s but %s", (from, to, setting, value, line) => {
    const { row, open, changes } = assessed(desired(), { loaded: loaded(from, to) });
    expect(open.map((each) => each.setting)).toEqual(["settings", setting]);
    expect(row("settings")).toMatchObject({
      verdict: "not-in-force",
      because: expect.stringContaining("the worker was loaded with another haproxy.cfg: "),
    });
    expect(row(setting)).toMatchObject({
      verdict: "not-in-force",
      because: "the worker was loaded with another haproxy.cfg",
      inForce: value === undefined ? { is: "absent" } : { is: "inferred", value },
    });
    if (line !== undefined)
      expect(row(setting).inForce).toMatchObject({
        source: `/run/meshctl/haproxy-loaded:${line} (as it was at its start or at the last systemctl reload)`,
      });
    expect(brief(changes[0])).toEqual(RELOAD);
  });

  it.each([
    ["nothing", { loaded: undefined }],
    ["an earlier start", { loadedAt: "f".repeat(32) }],
    [
      "another configuration than the worker names",
      { loaded: loaded("description meshctl-", "description x-") },
    ],
  ])("is not proven when %s is on record, and a reload puts it there", (_, fields) => {
    const { row, changes } = assessed(desired(), fields);
    for (const setting of ["settings", "retries", "user-api back end", "user-api servers"]) {
      expect(row(setting)).toMatchObject({
        verdict: "not-in-force",
        because: "it is not on record what the worker was loaded with",
      });
    }
    expect(brief(changes[0])).toEqual(RELOAD);
  });

  it("comes on record with the first drop-in that keeps it, by one change with one reload", () => {
    const of: HaproxyDesired = desired({ watched: true });
    const { changes } = assessed(of, { loaded: undefined, loadRecorder: undefined, dropIn: "[Service]\n" });
    expect(changes.map(brief)).toEqual([
      {
        made: [
          "write /opt/meshctl/haproxy/record-loaded",
          "write /etc/systemd/system/haproxy.service.d/meshctl.conf",
        ],
        run: ["systemctl daemon-reload", "activate.sh reload"],
        disrupts: "reload",
      },
    ]);
  });

  it("may have other servers where a registry tells them", () => {
    const want = desired({ watched: true });
    const text = `${configText(want)}    server new 10.0.0.77:80 ${want.settings.services[0]!.serverOptions}\n`;
    const { open, changes } = assessed(want, { loaded: text });
    expect([open, changes]).toEqual([[], []]);
  });

  it("says nothing of the old worker when the reload was refused", () => {
    const { row } = assessed(desired(), { statusText: "Reload failed!" });
    expect(row("retries")).toMatchObject({
      verdict: "not-in-force",
      because: "the worker from before the failed reload serves",
    });
  });

  it("is not proven where the program that keeps it is another, whatever is on record", () => {
    const { row, changes } = assessed(desired(), { loadRecorder: "#!/bin/sh\n" });
    expect(row("/opt/meshctl/haproxy/record-loaded")).toMatchObject({
      verdict: "different",
      diff: { was: "#!/bin/sh\n" },
    });
    expect(brief(changes[0])).toEqual({
      made: ["write /opt/meshctl/haproxy/record-loaded"],
      run: ["activate.sh reload"],
      disrupts: "reload",
    });
    expect(row("settings").verdict).toBe("not-in-force");
  });
});

describe("a reload that silently failed", () => {
  const failed = {
    info: { description: other },
    processes: [
      "360 master 2 [failed: 1] 0d00h00m04s 2.6.12-1+deb12u4",
      "# workers",
      "388 worker 1 0d00h00m03s 2.6",
    ],
  };

  it("is told with HAProxy's own message and the next move", () => {
    const { row, changes } = assessed(
      desired(),
      {
        ...failed,
        journal: [
          "[NOTICE]   (360) : Reloading HAProxy",
          "[ALERT]    (360) : Binding [/etc/haproxy/haproxy.cfg:26] for frontend user-api: cannot bind socket (Address already in use) for [127.0.0.1:8080]",
          "[ALERT]    (360) : [/usr/sbin/haproxy.main()] Some protocols failed to start their listeners! Exiting.",
          "[WARNING]  (360) : Loading failure!",
          "[ALERT]    (388) : backend 'user-api' has no server available!",
        ],
      },
      { listeners: [{ address: "127.0.0.1", port: 8080, process: "java" }] },
    );
    expect(row("last reload")).toMatchObject({
      verdict: "different",
      inForce: { value: "failed" },
      because:
        "reload failed, the old worker still serves: Binding [/etc/haproxy/haproxy.cfg:26] for frontend user-api: cannot bind socket (Address already in use) for [127.0.0.1:8080]. Stop java, which listens on 127.0.0.1:8080, or give the service another port.",
    });
    expect(row("user-api front end")).toMatchObject({
      verdict: "not-in-force",
      inForce: { value: "127.0.0.1:8080 of java" },
    });
    expect(row("settings").because).toBe("the worker from before the failed reload serves");
    expect(brief(changes[0])?.run).toEqual(["activate.sh reload"]);
  });

  it("is seen by the status text alone, and by an old worker that serves alone", () => {
    expect(assessed(desired(), { statusText: "Reload failed!" }).row("last reload").verdict).toBe(
      "different",
    );
    const alone = assessed(desired(), {
      socket: { is: "lost", because: "Connection refused" },
      processes: [
        "480 master 0 2 0d00h00m05s 2.2.9-2+deb11u7",
        "# workers",
        "# old workers",
        "482 worker [was: 1] 2 0d00h00m05s 2.2.9-2+deb11u7",
      ],
    });
    expect(alone.row("last reload")).toMatchObject({
      verdict: "different",
      inForce: {
        source: `${socketQuestion("/run/haproxy-master.sock", "show proc")} (2 reloads, 1 old worker)`,
      },
    });
    expect(alone.row("admin socket")).toMatchObject({
      verdict: "not-in-force",
      inForce: { is: "absent", source: "/run/haproxy/admin.sock: Connection refused" },
    });
  });

  it("is no failure when old workers only finish their connections", () => {
    const { open } = assessed(desired(), {
      processes: [
        "480 master 0 2 0d00h00m05s 2.2.9",
        "# workers",
        "500 worker 1 0 0d00h00m05s 2.2.9",
        "# old workers",
        "482 worker [was: 1] 1 0d00h00m05s 2.2.9",
      ],
      info: { pid: "500" },
    });
    expect(open).toEqual([]);
  });
});

describe("open files", () => {
  it("refuses a maxconn that the host's limit is too low for, and says which one fits", () => {
    const { row, changes } = assessed(desired({ maxconn: 50_000 }));
    expect(row("open files")).toMatchObject({
      verdict: "blocked",
      because:
        "haproxy.maxconn 50000 needs 100116 open files and the host allows 20000: lower haproxy.maxconn to 9942, or raise the host's limit",
    });
    expect(changes).toEqual([]);
  });

  it("restarts a master process that was started with too low a limit, for a reload keeps it", () => {
    const { row, changes } = assessed(desired(), { hardLimit: "4096" });
    expect(row("open files")).toMatchObject({ verdict: "not-in-force", inForce: { value: "4096" } });
    expect(brief(changes[0])).toEqual({ made: [], run: ["activate.sh restart"], disrupts: "restart" });
  });

  it("restarts a master whose limit somebody has lowered since, and says so of the limit", () => {
    const { row, changes } = assessed(desired(), {
      facts: { master: { is: "value", value: { pid: 360, command: [], hardOpenFiles: 4096 } } },
    });
    expect(row("open files")).toMatchObject({
      verdict: "not-in-force",
      inForce: { value: "4096", source: "/proc/360/limits" },
    });
    expect(brief(changes[0])).toMatchObject({ disrupts: "restart" });
  });

  it("names the drop-in that overrides ours", () => {
    const { row, changes } = assessed(desired(), {
      limitNofile: "4096",
      dropInPaths:
        "/etc/systemd/system/haproxy.service.d/meshctl.conf /etc/systemd/system/haproxy.service.d/override.conf",
    });
    expect(row("open files")).toMatchObject({
      verdict: "blocked",
      onDisk: { value: "4096", source: "/etc/systemd/system/haproxy.service.d/override.conf" },
    });
    expect(changes).toEqual([]);
  });

  it("has systemd read a drop-in that a run which was cut left unread", () => {
    const { row, changes } = assessed(desired(), { needDaemonReload: "yes" });
    expect(row("open files").verdict).toBe("not-in-force");
    expect(brief(changes[0])?.run).toEqual(["systemctl daemon-reload"]);
  });

  it("needs no restart for another maxconn", () => {
    const { changes } = assessed(desired({ maxconn: 9500 }), {
      config: configText(desired()),
      info: { maxconn: "9000", description: other },
    });
    expect(brief(changes[0])).toEqual({
      made: ["write /etc/haproxy/haproxy.cfg"],
      run: ["activate.sh reload"],
      disrupts: "reload",
    });
  });

  it("calls a maxconn that HAProxy lowered clamped", () => {
    const { row, changes } = assessed(desired(), { info: { maxconn: "8123" } });
    expect(row("maxconn")).toMatchObject({ verdict: "clamped", inForce: { value: "8123" } });
    expect(changes).toHaveLength(1);
  });

  it("calls a maxconn clamped that it shows and lacks the open files for", () => {
    const { row, changes } = assessed(desired(), { hardLimit: "4096" });
    expect(row("maxconn")).toMatchObject({
      verdict: "clamped",
      inForce: { value: expect.stringMatching(/^19\d\d$/) },
    });
    expect(changes.map(brief)).toMatchObject([{ disrupts: "restart" }]);
  });
});

describe("HAProxy's version", () => {
  it("is taken from what runs, which an upgrade may have left behind", () => {
    const { row, changes } = assessed(desired(), { info: { version: "2.6.12-1+deb12u1" } });
    expect(row("version")).toMatchObject({
      verdict: "not-in-force",
      because: "2.6.12-1+deb12u1 runs since before 2.6.12-1+deb12u4 was installed",
    });
    expect(brief(changes[0])?.run).toEqual(["activate.sh reload"]);
  });

  it("must be 2.0 or later to send a request a second time", () => {
    const want = desired({ retryOn: ["empty-response"] });
    const buster = { packages: new Map([["haproxy", "1.8.19-1+deb10u5"]]) };
    const { row, changes } = assessed(want, {}, buster);
    expect(row("version").verdict).toBe("blocked");
    expect(row("version").because).toContain("haproxy.retry_on needs 2.0 or later: take retry_on away");
    expect(changes).toEqual([]);
    expect(assessed(want).row("version").verdict).toBe("proven");
    expect(assessed(desired(), {}, buster).row("version").verdict).not.toBe("blocked");
  });

  it("must be 1.5 or later", () => {
    const old = assessed(
      desired(),
      { installed: false, candidate: "1.4.25-1", config: undefined, dropIn: undefined, active: "inactive" },
      { packages: new Map(), manifest: new Map() },
    );
    expect(old.row("version").verdict).toBe("blocked");
    expect(old.changes).toEqual([]);
    expect(
      assessed(desired(), {}, { packages: new Map([["haproxy", "1.4.25-1"]]) }).row("version").verdict,
    ).toBe("blocked");
  });
});

describe("haproxy beside a watcher", () => {
  const synapse = (want: ReturnType<typeof desired>) =>
    `# auto-generated by synapse at 2026-11-22 19:15:04\n${configText(want)
      .replace(/(description \S+)/, "$1-0123456789abcdef")
      .replace(/ {4}/g, "\t")}`;

  it("leaves a host alone whose file the watcher wrote, whatever its bytes", () => {
    const want = desired({ watched: true });
    const { open, changes } = assessed(
      want,
      { config: synapse(want), info: { description: `meshctl-${"0".repeat(64)}` } },
      {},
    );
    expect(open.map(({ closedBy }) => closedBy)).toContainEqual({ change: "configuration" });
    expect(changes.flatMap(({ commands }) => commands)).toEqual([]);
    const description = /description (\S+)/.exec(synapse(want))![1]!;
    const converged = assessed(want, { config: synapse(want), info: { description } });
    expect(converged.open).toEqual([]);
    expect(converged.changes).toEqual([]);
  });

  it("starts HAProxy with the package's file and waits for the watcher with all content", () => {
    const want = desired({ watched: true });
    const { row, changes, open } = assessed(
      want,
      { config: "global\n\tdaemon\n", packaged: "default", dropIn: undefined, active: "inactive" },
      { manifest: new Map(), listeners: [] },
    );
    expect(brief(changes[0])).toEqual({
      made: ["write /etc/systemd/system/haproxy.service.d/meshctl.conf"],
      run: ["systemctl daemon-reload", "activate.sh restart"],
      disrupts: undefined,
    });
    // The ports of the file to come are not those of the file that is there.
    expect(changes[0]!.validate?.args).toEqual([]);
    expect(row("haproxy.cfg")).toMatchObject({ verdict: "pending", closedBy: { step: "watcher" } });
    for (const setting of ["settings", "maxconn", "retries", "user-api front end", "user-api back end"]) {
      expect(open.find((candidate) => candidate.setting === setting)).toMatchObject({
        verdict: "pending",
        closedBy: { step: "watcher" },
      });
    }
  });

  it.each([
    ["has other settings", () => "global\n\tbogus\n"],
    ["has a server whose name does not resolve", synapse],
  ])(
    "lets systemd try until the watcher has written a file that HAProxy does not refuse: it %s",
    (_, text) => {
      const want = desired({ watched: true });
      const broken = { config: text(want), configCheck: 1 };
      const stopped = assessed(want, { ...broken, active: "failed" }, { listeners: [] });
      expect(brief(stopped.changes[0])).toEqual({
        made: [],
        run: ["activate.sh start"],
        disrupts: undefined,
      });
      expect(stopped.changes[0]!.validate).toBeUndefined();
      const trying = assessed(want, { ...broken, active: "activating" }, { listeners: [] });
      expect(trying.changes).toEqual([]);
      expect(new Set(trying.open.map(({ verdict }) => verdict))).toEqual(new Set(["pending"]));
    },
  );

  describe("with a server that no HAProxy starts with, from a meshctl of before", () => {
    const want = desired({ watched: true });
    const { serverOptions } = want.settings.services[0]!;
    const poisoned = (more = "") =>
      `${synapse(want)}\tserver evil_10.0.0.9:9 10.0.0.9:9 id 1 cookie evil_10.0.0.9:9 ${serverOptions} source 0.0.0.0 usesrc clientip${more}\n`;

    it.each(["", " disabled"])("leaves a HAProxy that is down to systemd and the watcher%s", (more) => {
      const world = { config: poisoned(more), configCheck: 0 };
      const stopped = assessed(want, { ...world, active: "failed" }, { listeners: [] });
      expect(brief(stopped.changes[0])?.run).toEqual(["activate.sh start"]);
      const trying = assessed(want, { ...world, active: "activating" }, { listeners: [] });
      expect(trying.changes).toEqual([]);
      expect(new Set(trying.open.map(({ verdict }) => verdict))).toEqual(new Set(["pending"]));
    });

    it.each([
      ["", {}],
      [" after a failed reload", { statusText: "Reload failed!" }],
      [" with too few open files", { hardLimit: "5000" }],
    ])("neither reloads nor restarts one that runs%s", (_, more) => {
      const { row, changes } = assessed(want, { config: poisoned(), ...more });
      expect(changes).toEqual([]);
      expect(row("settings")).toMatchObject({ verdict: "pending", closedBy: { step: "watcher" } });
      expect(row("settings").because).toContain("backend user-api server evil_10.0.0.9:9 is too much");
    });
  });

  it("blocks a foreign file, and with leave to adopt it only records it for the watcher", () => {
    const foreign = { config: foreignText, info: { description: "", maxconn: "10" } };
    const unknown = { manifest: new Map<string, string>(), listeners: [] };
    const refused = assessed(desired({ watched: true }), { ...foreign, dropIn: undefined }, unknown);
    expect(refused.row("haproxy.cfg")).toMatchObject({ verdict: "blocked", diff: { was: foreignText } });
    expect(refused.changes).toEqual([]);
    const adopting = assessed(desired({ watched: true, adopt: true }), foreign, unknown);
    expect(brief(adopting.changes[0])).toEqual({
      made: ["adopt /etc/haproxy/haproxy.cfg"],
      run: [],
      disrupts: undefined,
    });
    expect(adopting.row("haproxy.cfg").closedBy).toEqual({ change: "configuration" });
  });

  it("says who is missing when the playbook has no watcher to wait for", () => {
    const { row } = assessed(
      desired({ watched: true }),
      { config: "global\n\tdaemon\n", packaged: "default", watcherFollows: false },
      { manifest: new Map() },
    );
    expect(row("haproxy.cfg")).toMatchObject({
      verdict: "pending",
      because: expect.stringContaining("this playbook has no watcher step for this host"),
    });
  });

  it("switches a watcher off that the inventory does not want any more, before it writes the file", () => {
    const want = desired();
    const { row, changes, open } = assessed(want, { config: configText(want, other), watcher: "active" });
    expect(row("meshctl-watcher.service")).toMatchObject({ want: "off", inForce: { value: "active" } });
    expect(open.map(({ setting }) => setting)).toContain("meshctl-haproxy-install.path");
    expect(changes.map(({ id }) => id)).toEqual(["switch the watcher off", "configuration"]);
    expect(assessed(want, { watcher: "inactive" }).open).toEqual([]);
  });

  it("waits for the watcher, and does not reload, while the file has other settings", () => {
    const old = desired({ watched: true, maxconn: 8000 });
    const want = desired({ watched: true });
    const { row, changes } = assessed(want, {
      config: synapse(old),
      info: { description: other, maxconn: "8000" },
    });
    expect(row("settings")).toMatchObject({ verdict: "pending", onDisk: { value: "2 differences" } });
    expect(changes).toEqual([]);
  });
});

describe("what somebody told HAProxy over its socket", () => {
  it.each<[string, Parameters<typeof assessed>[1], string, RegExp]>([
    [
      "a front end's limit",
      { frontEnds: { "user-api": ["OPEN", 1] } },
      "user-api front end",
      /takes 1 connection at most\. .*: set maxconn frontend user-api 9000$/,
    ],
    [
      "a disabled front end",
      { frontEnds: { "user-api": ["PAUSED"] } },
      "user-api front end",
      /is disabled\. .*: enable frontend user-api$/,
    ],
    [
      "connections of the whole process",
      { info: { maxconn: "100", hard_maxconn: "9000" } },
      "maxconn",
      /HAProxy takes 100 connections at most\. .*: set maxconn global 9000$/,
    ],
    [
      "a rate",
      { info: { connratelimit: "0", sessratelimit: "7" } },
      "maxconn",
      /takes 7 new sessions a second\. .*: set rate-limit sessions global 0$/,
    ],
  ])("is blocked with what takes it back: %s", (_, probe, setting, because) => {
    const { row, changes, open } = assessed(desired(), probe);
    expect(row(setting)).toMatchObject({ verdict: "blocked", because: expect.stringMatching(because) });
    expect(open).toHaveLength(1);
    expect(changes).toEqual([]);
  });

  it("is not what another configuration says of it", () => {
    const { row } = assessed(desired(), {
      ...{ frontEnds: { "user-api": ["OPEN", 8000] } },
      info: { description: other, maxconn: "8000", hard_maxconn: "9000" },
    });
    expect(row("user-api front end").verdict).toBe("proven");
    expect(row("maxconn").verdict).toBe("not-in-force");
  });

  it("is mended by a reload where nothing else takes it back: a front end that is shut down", () => {
    const gone = { frontEnds: { "user-api": ["STOP"] } } as const;
    const { row, changes } = assessed(desired(), gone, { listeners: [] });
    expect(row("user-api front end")).toMatchObject({
      verdict: "not-in-force",
      because: expect.stringContaining("a reload brings it back"),
      closedBy: { change: "configuration" },
    });
    expect(changes.map(brief)).toMatchObject([{ run: ["activate.sh reload"] }]);
  });
});

describe("a request through a front end", () => {
  const FRONT = "user-api front end";

  it("is what proves it, with its answer", () => {
    expect(assessed(desired()).row(FRONT)).toMatchObject({
      verdict: "proven",
      inForce: { source: "ss -ltn; GET /health of 127.0.0.1:8080: status 200" },
    });
  });

  it("that nobody lets through is not in force, with where to look, and no change is made for it", () => {
    const serves = { "user-api": { is: "failed", because: "Permission denied" } } as const;
    const { row, changes } = assessed(desired(), { serves });
    expect(row(FRONT)).toMatchObject({
      verdict: "not-in-force",
      because: expect.stringMatching(/fails on this host itself: Permission denied\. .*nft list ruleset/),
    });
    expect(row(FRONT).closedBy).toBeUndefined();
    expect(changes).toEqual([]);
  });

  it("that gets no answer in time is unknown", () => {
    const serves = { "user-api": { is: "late", because: "no answer within 7 s" } } as const;
    expect(assessed(desired(), { serves }).row(FRONT)).toMatchObject({
      verdict: "unknown",
      because: expect.stringContaining("no answer within 7 s"),
    });
  });

  it.each([
    ["UP", 503, /GET \/health gets status 503 through it, although 1 of its servers/],
    ["DOWN", 503, undefined],
    ["UP", 302, undefined],
  ] as const)("to a server that is %s and that gets %d is in force", (state, status, warning) => {
    const { row } = assessed(desired(), {
      servers: [["user-api", "a", state, 1]],
      serves: { "user-api": { is: "answered", status } },
    });
    expect(row(FRONT).verdict).toBe("proven");
    if (warning === undefined) expect(row(FRONT).warning).toBeUndefined();
    else expect(row(FRONT).warning).toMatch(warning);
  });

  it("is no proof while anybody else listens there, whatever its name", () => {
    const { row } = assessed(desired(), { strangers: [["127.0.0.1:8080", "77", "nginx"]] });
    expect(row(FRONT)).toMatchObject({
      verdict: "blocked",
      because: expect.stringMatching(
        /^process 77, nginx that haproxy\.service did not start, takes requests/,
      ),
    });
  });
});

describe("a front end whose connections a rule of nftables sends elsewhere", () => {
  const FRONT = "user-api front end";
  const TO_PORT = {
    match: { op: "==", left: { payload: { protocol: "tcp", field: "dport" } }, right: 8080 },
  };
  const BY_USER = { match: { op: "==", left: { meta: { key: "skuid" } }, right: 1000 } };
  const told = (...rule: readonly object[]) => {
    const { row } = assessed(desired(), { rules: [rule] });
    const { verdict, because, warning } = row(FRONT);
    return { verdict, said: because ?? warning };
  };

  it("is not HAProxy's", () => {
    expect(told(TO_PORT, { redirect: { port: 81 } })).toEqual({
      verdict: "blocked",
      said: "table ip nat, chain o, has a redirect for port 8080: requests of this host to 127.0.0.1:8080 do not reach HAProxy. nft -a list ruleset shows the rule",
    });
  });

  it("may not be HAProxy's alone where the rule asks for more", () => {
    expect(told(BY_USER, TO_PORT, { dnat: { addr: "10.0.0.9" } })).toEqual({
      verdict: "proven",
      said: "table ip nat, chain o, has a dnat for port 8080, and HAProxy may not get all that is sent to 127.0.0.1:8080: nft list ruleset",
    });
  });

  it("is HAProxy's where rules are for others", () => {
    expect(told(TO_PORT, { accept: null })).toEqual({ verdict: "proven", said: undefined });
  });
});

describe("workers of earlier reloads", () => {
  const workers = (sinceReload: string, ...old: readonly string[]) => ({
    processes: [
      "360 master 3 [failed: 0] 1d00h00m00s 2.6.12",
      "# workers",
      `388 worker 0 ${sinceReload} 2.6.12`,
      "# old workers",
      ...old.map((age, index) => `${300 + index} worker 1 ${age} 2.6.12`),
    ],
  });

  it.each<[string, ReturnType<typeof workers>, RegExp | undefined]>([
    [
      "two of them",
      workers("0d00h00m02s", "0d00h00m09s", "0d02h05m00s"),
      /^2 workers .* oldest started 2 h ago/,
    ],
    ["one that lives on", workers("0d00h20m00s", "0d00h30m00s"), /^1 worker of .* oldest started 30 min ago/],
    ["one that has just been told to end", workers("0d00h00m02s", "0d00h30m00s"), undefined],
    ["none", workers("0d00h00m02s"), undefined],
  ])("are warned of: %s", (_, probe, warning) => {
    const { row, changes } = assessed(desired(), probe);
    expect(row("last reload").verdict).toBe("proven");
    if (warning === undefined) expect(row("last reload").warning).toBeUndefined();
    else expect(row("last reload").warning).toMatch(warning);
    expect(changes).toEqual([]);
  });

  it("nobody can tell of where the master has no socket, nor whether a reload failed", () => {
    const { row, changes } = assessed(desired(), { processes: [] });
    expect(row("last reload")).toMatchObject({
      verdict: "unknown",
      because: expect.stringContaining("take EXTRAOPTS= out"),
    });
    expect(changes).toEqual([]);
  });
});
