import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { WantedFile } from "../src/contract/change.ts";
import { pathOf } from "../src/contract/mesh.ts";
import { inOrder } from "../src/engine/script-block.ts";
import { uncheckedOptions } from "../src/haproxy/check-words.ts";
import { parseHaproxyConfig, renderHaproxyConfig } from "../src/haproxy/config.ts";
import { asWord } from "../src/haproxy-lines.ts";
import { formatPath } from "../src/inventory/path.ts";
import { revealContent } from "../src/secret.ts";
import type { RegistrarDesired } from "../src/steps/registrar/desired.ts";
import { renderDropIn } from "../src/steps/sysctl/drop-in.ts";
import type { WatcherDesired } from "../src/steps/watcher/desired.ts";
import { renderSynapseConfig } from "../src/steps/watcher/synapse-config.ts";
import type { ZookeeperDesired } from "../src/steps/zookeeper/desired.ts";
import { parseProperties } from "../src/steps/zookeeper/properties.ts";
import {
  documents,
  type Field,
  fields,
  isTaken,
  load,
  maps,
  problemsOf,
  put,
  takenEverywhere,
  textsOf,
} from "./hostile-files.ts";
import { HOSTILE } from "./hostile-values.ts";
import { questionsOf } from "./reader/questions-of.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "meshctl-injection-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const MACHINE = { os: { codename: "bookworm" }, architecture: "amd64", memoryBytes: 4 * 2 ** 30 };
const canary = "/tmp/meshctl-pwned";

const words: string[] = [];
const withoutContent = ({ content: _, ...file }: WantedFile) => file;

/** What reaches a host of it is literal: in the configuration files as the programs read them, and in arguments. */
async function expectLiteral({ inventory: loaded, job }: Awaited<ReturnType<typeof load>>): Promise<void> {
  for (const play of job.plays) {
    for (const host of play.hosts) {
      const view = loaded.hosts.get(host)!;
      for (const { step, parameters } of play.steps) {
        const desired = step.desired(parameters.get(host), view, loaded);
        // What a file is to hold is its author's, line breaks and all.
        const told =
          step.name === "files" ? { ...desired, files: desired.files.map(withoutContent) } : desired;
        expect(textsOf(told).filter((text) => /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u.test(text))).toEqual([]);
        words.push(...(await questionsOf(step, desired)).flat());
        if (step.name === "watcher") expectLiteralMesh(desired as WatcherDesired);
        const files = new Map(
          step
            .files?.({ name: host, desired, machine: MACHINE })
            .map((file) => [basename(file.path), revealContent(file.content)]),
        );
        if (step.name === "zookeeper")
          expectLiteralZooCfg(files.get("zoo.cfg")!, desired as ZookeeperDesired);
        if (step.name === "registrar")
          expectLiteralNerve(files.get("nerve.conf.json")!, desired as RegistrarDesired);
        if (step.name === "mysql") expectLiteralOptions([...files.values()][0]!);
        if (step.name === "sysctl") {
          const { settings } = desired as { settings: ReadonlyMap<string, string> };
          expect(renderDropIn(settings).split("\n")).toHaveLength(settings.size + 2);
        }
      }
    }
  }
}

/** As java.util.Properties reads it: as many keys as lines, the folder is the inventory's, and a lone member has no list. */
function expectLiteralZooCfg(text: string, { dataDir, address }: ZookeeperDesired): void {
  const read = parseProperties(text);
  expect(read.size).toBe(text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).length);
  expect([...read.keys()].filter((key) => key.startsWith("server."))).toEqual([]);
  expect(read.get("dataDir")?.value).toBe(dataDir);
  expect(read.get("clientPortAddress")?.value).toBe(address);
}

function expectLiteralNerve(text: string, { services }: RegistrarDesired): void {
  const read = JSON.parse(text).services;
  expect(Object.keys(read)).toEqual(services.map(({ name }) => name));
  for (const { name, path, check } of services) {
    expect(read[name].zk_path).toBe(path);
    expect(read[name].checks[0].uri).toBe(check.httpPath);
  }
}

/** One group, and behind each option a number or a word: nothing that another option could hide in. */
function expectLiteralOptions(text: string): void {
  const [comment, group, ...options] = text.split("\n");
  expect(comment).toMatch(/^# /);
  expect(group).toBe("[mysqld]");
  for (const option of options) expect(option).toMatch(/^(?:innodb_\w+ = [\w.]+)?$/);
}

function expectLiteralMesh(desired: WatcherDesired): void {
  const { settings } = desired;
  const read = parseHaproxyConfig(renderHaproxyConfig(settings, "d")).sections;
  expect(read.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
    "global ",
    "defaults ",
    ...settings.sections.map(({ title }) => title),
    ...settings.services.flatMap(({ name, panic }) => [
      `frontend ${name}`,
      `backend ${name}`,
      ...(panic === undefined ? [] : [`backend ${panic.name}`]),
    ]),
  ]);
  const linesOf = (backend: string) =>
    read.find(({ kind, name }) => kind === "backend" && name === backend)!.lines.map(({ text }) => text);
  for (const { name, backend, servers, serverOptions, panic } of settings.services) {
    const written = (options: string) =>
      servers.map(({ name, host, port }) => `server ${name} ${host}:${port} ${options}`.trimEnd());
    expect(linesOf(name)).toEqual([...backend, ...written(serverOptions)]);
    if (panic !== undefined)
      expect(linesOf(panic.name)).toEqual([...panic.backend, ...written(uncheckedOptions(serverOptions))]);
  }
  const synapse = renderSynapseConfig(desired);
  expect(synapse).not.toContain("<%");
  for (const service of desired.services)
    expect(JSON.parse(synapse).services[service.name].discovery.path).toBe(pathOf(service));
}

type Loaded = Awaited<ReturnType<typeof load>>;

/** What the steps and the SSH settings make of the value is the value, but for the blanks that sysctl takes for one. */
function expectAsGiven(value: string, taking: readonly Field[], { inventory: loaded, job }: Loaded): void {
  const desired = job.plays.flatMap(({ hosts, steps }) =>
    hosts.flatMap((host) =>
      steps.map(({ step, parameters }) =>
        step.desired(parameters.get(host), loaded.hosts.get(host)!, loaded),
      ),
    ),
  );
  // Not what the files say: that is the value in any case.
  const views = [...loaded.hosts.values()].map(({ written: _, ...view }) => view);
  const texts = textsOf([desired, views, loaded.mesh, loaded.network]);
  const forms = taking.some(({ path }) => path.includes("sysctl"))
    ? [value, value.trim().replace(/\s+/g, " ")]
    : [value, asWord(value)];
  if (taking.length > 0)
    expect(
      texts.some((text) => forms.some((form) => text.includes(form))),
      value,
    ).toBe(true);
}

describe("a hostile value", () => {
  it("is one of many kinds", () => {
    expect(new Set(HOSTILE).size).toBeGreaterThan(60);
    expect(fields.length).toBeGreaterThan(70);
  });

  it("can stand in no field that this test does not know", async () => {
    const known = async (file: Field["file"]) => {
      const error = (await load(folder, { [file]: { ...documents[file](), no_such_key: 1 } }).catch(
        (each) => each,
      )) as Error;
      return /known are ([a-z_, ]+)/.exec(error.message)?.[1]?.split(", ");
    };
    const tested = new Set(fields.map(({ file, path }) => `${file} ${path[0]}`));
    for (const key of (await known("i.yaml"))!) expect(tested).toContain(`i.yaml ${key}`);
    for (const key of (await known("p.yaml"))!) expect(tested).toContain(`p.yaml ${key}`);
  });

  it("is refused in every field that does not take it, at its place", async () => {
    const refusing = fields.flatMap((field) => {
      const isWithin = fields.some(
        ({ file, path }) =>
          file === field.file &&
          path.length > field.path.length &&
          field.path.every((key, index) => key === path[index]),
      );
      const value = HOSTILE.find((each) => !isTaken(field, each));
      return isWithin || value === undefined ? [] : [{ ...field, value }];
    });
    expect(refusing.length).toBeGreaterThan(50);
    const reported = [];
    for (const name of ["i.yaml", "p.yaml"] as const) {
      const document = documents[name]();
      for (const { path, value } of refusing.filter(({ file }) => file === name)) put(document, path, value);
      reported.push(...(await problemsOf(folder, { [name]: document })));
    }
    for (const { path } of refusing) {
      // An element of a list may be told of at its list.
      const places = [path, path.slice(0, typeof path.at(-1) === "number" ? -1 : undefined)].map(formatPath);
      expect(
        reported.filter((place) => places.includes(place)),
        places.join(" or "),
      ).not.toEqual([]);
    }
  });

  const naming = new Set<string>();
  let kept = 0;

  it.each(HOSTILE.map((value) => ({ value, shown: JSON.stringify(value.slice(0, 40)) })))(
    "that a field takes is kept literally, or refused with the rest of the files: $shown",
    async ({ value }) => {
      const { taking, loaded } = await takenEverywhere(folder, value, naming);
      await expectLiteral(loaded);
      expectAsGiven(value, taking, loaded);
      kept += taking.length;
    },
  );

  it("was kept in more than a hundred fields, all in all", () => {
    expect(kept).toBeGreaterThan(100);
  });

  it("is refused as a name or kept literally", async () => {
    for (const [file, path] of maps) {
      const withNames = (names: readonly string[]) => {
        const document = documents[file]();
        for (const name of names) put(document, [...path, name], {});
        return { [file]: document };
      };
      const reported = await problemsOf(folder, withNames(HOSTILE));
      expect(reported.length).toBeGreaterThan(0);
      const isReported = (name: string) => {
        const place = formatPath([...path, name]);
        return reported.some((each) => each === place || each.startsWith(`${place}.`));
      };
      const left = HOSTILE.filter((name) => !isReported(name));
      if (left.length > 0) expect(await problemsOf(folder, withNames(left)), `${left}`).not.toEqual([]);
    }
  });

  it("that is kept reaches a script on the host as it is, and no shell runs it", () => {
    const args = [...new Set([...words, ...HOSTILE.filter((value) => !/\0|\p{Cs}/u.test(value))])];
    const { script, parse } = inOrder([
      { name: "b", text: `printf '%s\\0' "$@" | base64 -w0`, args, timeoutMs: 30_000 },
    ]);
    const { stdout, stderr } = spawnSync("sh", ["-s"], { input: script, encoding: "utf8", cwd: folder });
    const read = Buffer.from(parse(stdout, stderr)[0]!.stdout, "base64").toString().split("\0");
    expect(read).toEqual([...args, ""]);
    expect(spawnSync("ls", [canary]).status).not.toBe(0);
  });
});
