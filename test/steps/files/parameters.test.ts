import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { formatDiagnostic } from "../../../src/inventory/diagnostic.ts";
import { InvalidFiles } from "../../../src/inventory/invalid-files.ts";
import { loadFiles } from "../../../src/playbook/load-files.ts";
import { revealContent, showContent } from "../../../src/secret.ts";
import type { FilesDesired } from "../../../src/steps/files/desired.ts";
import { steps } from "../../../src/steps/registry.ts";

const FILES = {
  "app.conf": "port = 1\n",
  key: "not for your eyes\n",
  binary: Buffer.from([0xff, 0xfe]),
  large: "x".repeat(256 * 1024 + 1),
};

/** A host whose `files` step holds these lines, with some files beside the inventory. */
async function load(parameters: string) {
  const folder = mkdtempSync(join(tmpdir(), "meshctl-own-"));
  const indented = parameters.replace(/^/gm, "        ");
  const playbook = `version: 1\nplays:\n  - hosts: all\n    steps:\n      files:\n${indented}\n`;
  const inventory = "version: 1\nhosts: { a: { address: 10.0.0.1 } }\n";
  const all = { ...FILES, "i.yaml": inventory, "p.yaml": playbook };
  try {
    for (const [name, text] of Object.entries(all)) writeFileSync(join(folder, name), text);
    const files = { inventoryFile: join(folder, "i.yaml"), playbookFile: join(folder, "p.yaml") };
    const { inventory: loaded, job } = await loadFiles({ ...files, environment: { PIN: "hunter2" } }, steps);
    const { step, parameters: values } = job.plays[0]!.steps[0]!;
    return step.desired(values.get("a"), loaded.hosts.get("a")!, loaded) as FilesDesired;
  } catch (error) {
    if (!(error instanceof InvalidFiles)) throw error;
    return error.diagnostics.map((each) =>
      [
        formatDiagnostic(each).replaceAll(`${folder}/`, ""),
        ...(each.hint === undefined ? [] : [each.hint]),
      ].join(" | "),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function desired(parameters: string): Promise<FilesDesired> {
  const loaded = await load(parameters);
  if (Array.isArray(loaded)) throw new Error(loaded.join("\n"));
  return loaded as FilesDesired;
}

describe("the parameters of files of one's own", () => {
  it("have defaults that a person expects", async () => {
    const want = await desired(`files:
  /etc/app.conf: { src: app.conf }
  /etc/own: { content: x, owner: app, mode: "0600" }
packages: [b, a, b]
units:
  app.service: { running: true }
  app.timer: {}
  db.service: { files: [/etc/own], on_change: reload }
check: { run: [app, --self test] }`);
    expect(want.files).toEqual([
      { path: "/etc/app.conf", content: ["port = 1\n"], mode: "0644", owner: "root:root" },
      { path: "/etc/own", content: ["x"], mode: "0600", owner: "app:app" },
    ]);
    expect(want.packages).toEqual(["a", "b"]);
    const all = ["/etc/app.conf", "/etc/own"];
    expect(want.units).toEqual([
      { name: "app.service", enabled: undefined, running: true, onChange: "restart", files: all },
      { name: "app.timer", enabled: undefined, running: undefined, onChange: "nothing", files: all },
      { name: "db.service", enabled: undefined, running: undefined, onChange: "reload", files: ["/etc/own"] },
    ]);
    expect(want.check).toEqual({ run: "app '--self test'", timeoutMs: 30_000 });
  });

  it.each([
    ["{ src: key, secret: true }", "not for your eyes\n"],
    ["{ content: !env PIN }", "hunter2"],
    ["{ content: !file key }", "not for your eyes"],
  ])("show nobody what %s holds", async (source, text) => {
    const { files } = await desired(`files: { /etc/x: ${source} }`);
    expect(showContent(files[0]!.content)).toBe("••••••");
    expect(revealContent(files[0]!.content)).toBe(text);
  });

  it.each([
    [
      "files: { etc/x: { content: a } }",
      "files.\"etc/x\": expected an absolute path of a file without '.', '..' or '//' in it",
    ],
    ["files: { /etc/../x: { content: a } }", "expected an absolute path"],
    ["files: { /etc/x/: { content: a } }", "expected an absolute path"],
    ["files: { /etc/x: {} }", "files.\"/etc/x\": needs 'content' or 'src'"],
    ["files: { /etc/x: { content: a, src: key } }", "src: stands beside 'content': leave one of them out"],
    ["files: { /etc/x: { content: a, secret: true } }", "a secret does not stand in this file"],
    ["files: { /etc/x: { src: nowhere } }", "nowhere: "],
    ["files: { /etc/x: { src: binary } }", "binary is no text in UTF-8"],
    ["files: { /etc/x: { src: large } }", "large is larger than 256 KiB"],
    [
      "files: { /etc/x: { content: a, mode: 0644 } }",
      '0644 begins with 0, which some read as octal | put quotes around it: "0644"',
    ],
    [
      "files: { /etc/x: { content: a, mode: 644 } }",
      'expected four octal digits in quotes, like "0640", found',
    ],
    ["files: { /etc/x: { content: a, owner: Bob } }", "expected a name as Debian has them"],
    ["files: { /run/x: { content: a } }", "is gone after a reboot: name a place that lasts"],
    ["files: { /proc/sys/x: { content: a } }", "is the kernel's, and no file"],
    [
      "files: { /etc/x: { content: a }, /etc/x/y: { content: a } }",
      "is to be a file and a folder at once: /etc/x/y is in it",
    ],
    [
      "files: { /etc/haproxy/haproxy.cfg: { content: a } }",
      "is the haproxy step's: say there what is to be in it",
    ],
    ["files: { /var/lib/zookeeper/data/myid: { content: a } }", "is the zookeeper step's"],
    ["files: { /etc/sysctl.d/99-zz-meshctl.conf: { content: a } }", "is meshctl's own"],
    ["files: { /var/lib/meshctl/manifest: { content: a } }", "is meshctl's own"],
    ["units: { haproxy.service: { running: false } }", "is the haproxy step's, which starts and restarts it"],
    ["units: { mysqld.service: {} }", "is the mysql step's, which starts and restarts it"],
    [
      "units: { app: { running: true } }",
      "expected the name of a systemd unit with its ending, like app.service, found 'app'",
    ],
    ["units: { a.service: { files: [/etc/x] } }", "/etc/x is not among the step's files"],
    ["packages: [-oDebug]", "expected the name of a Debian package, found '-oDebug'"],
    ["check: ''", "expected a command"],
    [
      "check: { run: x, timeout: 0s }",
      "expected a time with its unit, like 30s or 5m, from 1s to 1h, found '0s'",
    ],
  ])("refuse %s with its place", async (parameters, problem) => {
    const problems = await load(parameters);
    expect(problems).toEqual([expect.stringContaining(problem)]);
    expect((problems as string[])[0]).toMatch(/^p\.yaml:6:\d+ /);
  });
});

describe("a local path", () => {
  it("starts beside the file that says it: playbook, group or host", async () => {
    const folder = mkdtempSync(join(tmpdir(), "meshctl-own-"));
    const texts = {
      "hosts/i.yaml":
        'version: 1\nhosts:\n  a: { address: 10.0.0.1 }\n  b: { address: 10.0.0.2, files: { files: { /etc/x: { src: "x" } } } }\n',
      "groups/g.yaml":
        "version: 1\ngroups:\n  some:\n    hosts: [a, b]\n    files: { files: { /etc/y: { src: ./x }, /etc/z: { mode: '0600' } } }\n    watcher: { gems: mine }\n",
      "plays/p.yaml":
        "version: 1\nplays:\n  - hosts: all\n    steps: { files: { files: { /etc/x: { src: x }, /etc/z: { src: x } } } }\n",
    };
    try {
      for (const [name, text] of Object.entries(texts)) {
        mkdirSync(join(folder, dirname(name)));
        writeFileSync(join(folder, name), text);
        writeFileSync(join(folder, dirname(name), "x"), dirname(name));
      }
      const inventoryFile = ["hosts/i.yaml", "groups/g.yaml"].map((name) => join(folder, name));
      const files = { inventoryFile, playbookFile: join(folder, "plays/p.yaml") };
      const { inventory, job } = await loadFiles(files, steps);
      const { step, parameters } = job.plays[0]!.steps[0]!;
      const contents = (host: string) => {
        const want: FilesDesired = step.desired(parameters.get(host), inventory.hosts.get(host)!, inventory);
        return Object.fromEntries(want.files.map(({ path, content }) => [path, revealContent(content)]));
      };
      // A group that says another key of the file does not move its source.
      expect(contents("a")).toEqual({ "/etc/x": "plays", "/etc/y": "groups", "/etc/z": "plays" });
      expect(contents("b")).toEqual({ "/etc/x": "hosts", "/etc/y": "groups", "/etc/z": "plays" });
      const watcher = inventory.hosts.get("a")!.parameters.get("watcher");
      expect(watcher).toMatchObject({ gems: join(folder, "groups/mine") });
      // What the file writes stays what is shown of it.
      expect(inventory.hosts.get("a")!.written.get("watcher")).toEqual({ gems: "mine" });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("what other steps own", () => {
  const machine = { os: { codename: "bookworm" }, architecture: "amd64", memoryBytes: 4 * 2 ** 30 };

  it("covers every file that they render for a whole mesh", async () => {
    const root = join(import.meta.dirname, "../../..");
    const { inventory, job } = await loadFiles(
      {
        inventoryFile: join(root, "inventories/example.yaml"),
        playbookFile: join(root, "playbooks/site.yaml"),
      },
      steps,
    );
    const paths = job.plays.flatMap((play) =>
      play.steps.flatMap(({ step, parameters }) =>
        play.hosts.flatMap((name) => {
          const view = inventory.hosts.get(name)!;
          const wanted = step.desired(parameters.get(name), view, inventory);
          return (step.files?.({ name, desired: wanted, machine }) ?? []).map(({ path }) => path);
        }),
      ),
    );
    expect(paths.length).toBeGreaterThan(20);
    for (const path of new Set(paths))
      expect([path, await load(`files: { ${path}: { content: x } }`)]).toEqual([
        path,
        [expect.stringMatching(/is meshctl's own|is the \w+ step's/)],
      ]);
  });
});
