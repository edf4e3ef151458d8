import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import type { Artefact, Change, Command } from "../../../src/contract/change.ts";
import { apply } from "../../../src/engine/apply.ts";
import { HostLocks } from "../../../src/engine/host-locks.ts";
import { readKept } from "../../../src/engine/kept.ts";
import { sha256Of } from "../../../src/evidence/file.ts";
import { set, start, World } from "./world.ts";

// Each also in a real shell.
vi.setConfig({ testTimeout: 300_000 });

const [FIRST, SECOND] = ["20261122-190312-4f2a", "20261122-190313-0001"];
const owner = `${process.getuid!()}:${process.getgid!()}`;

interface Act {
  readonly run?: string;
  /** Of a host whose folder it is given. */
  readonly commands: (folder: string) => readonly Command[];
  /** What somebody else does first: file → text. */
  readonly before?: Readonly<Record<string, string>>;
}

const script = (name: string, folder: string): Command => {
  const file = new URL(`./${name}.sh`, import.meta.url);
  return { kind: "script", file, args: [folder], timeoutMs: 5_000 };
};
const hook = (command: string): Act => {
  const file = new URL("../../../src/engine/commands/hook.sh", import.meta.url);
  const args = [command, FIRST, "step", "a", "a b"];
  return { commands: () => [{ kind: "script", file, args, timeoutMs: 5_000 }] };
};
const write = (path: string, text: string, mode = "0644"): Command => {
  return { kind: "write", path, content: [text], mode, owner };
};
const putBack = (path: string, present: string): Command => {
  const diff = { path, was: present, want: "" };
  return { kind: "restore", path, from: FIRST, expected: sha256Of(present), before: "-", diff };
};
const serves = (word: string): Act => {
  return {
    commands: (folder) => [script("serve", folder)],
    before: { config: word, state: "up\n", live: "x\n" },
  };
};

const ARTEFACT: Artefact = {
  key: "k.tar.gz",
  buildHost: "a",
  buildPackages: [],
  build: { file: new URL("./build.sh", import.meta.url), args: [], timeoutMs: 5_000 },
};
const BUILT = Buffer.from("built\0\xff", "latin1");

/** Each on a host of its own, one act after the other. */
const STORIES: Readonly<Record<string, readonly Act[]>> = {
  "a value's": [
    { commands: (folder) => [set(folder, "it's $(id)"), start(folder)] },
    { commands: (folder) => [set(folder, "other"), start(folder)], before: { stuck: "" } },
    { commands: (folder) => [start(folder)], before: { "break after start": "" } },
  ],
  "a service's": [
    { commands: (folder) => [script("serve", folder)] },
    ...["old", "refused", "dies", "slow", "late", "clamped", "poison", "old"].map(serves),
  ],
  "hooks of the user's own": [
    hook('echo "$MESHCTL_RUN $MESHCTL_STEP $MESHCTL_HOST: $MESHCTL_WAVE" >>"$HOME/notes"'),
    hook(`cat >"$HOME/read"; printf '%s\\n' '$(id) "x"' >>"$HOME/notes"`),
    hook("echo said; echo no such backend >&2; exit 3"),
  ],
  "packages'": [
    { commands: () => [{ kind: "install", packages: ["one", "two"] }] },
    { commands: (folder) => [{ kind: "install", packages: ["three"] }, set(folder, "new")] },
  ],
  "what is built": [
    { commands: (folder) => [{ kind: "place", path: `${folder}/new/built`, artefact: ARTEFACT }] },
    {
      commands: (folder) => [{ kind: "place", path: `${folder}/built`, artefact: ARTEFACT }],
      before: { built: "other" },
    },
  ],
  "files that are written and put back": [
    {
      commands: (folder) => [write(`${folder}/new/er`, "one\n"), write(`${folder}/foreign`, "ours")],
      before: { foreign: "" },
    },
    { commands: (folder) => [write(`${folder}/foreign`, "ours again", "0600")] },
    { commands: (folder) => [write(`${folder}/foreign`, "")], run: SECOND },
    { commands: (folder) => [putBack(`${folder}/new/er`, "no such text")] },
    { commands: (folder) => [putBack(`${folder}/log`, "log")], before: { log: "log" } },
    {
      commands: (folder) => [putBack(`${folder}/new/er`, "one\n"), putBack(`${folder}/foreign`, "")],
      run: SECOND,
    },
  ],
};

/** What is below a host's folder: "MODE PATH: text", without what only a real shell needs. */
function left(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => !/^(bin|run|usr)\b|^script-|manifest\.lock$/.test(path))
    .sort()
    .map((path) => {
      const { mode } = statSync(join(folder, path));
      const text = (mode & 0o40000) === 0 ? readFileSync(join(folder, path), "utf8") : "";
      return `${(mode & 0o7777).toString(8)} ${path}: ${text.replaceAll(folder, "FOLDER")}`;
    })
    .map((line) =>
      line
        .replace(/meshctl-engine-\w+/g, "ROOT")
        .replace(/(boots: |\n)(\S+) \d+ (file|unit|package) /g, "$1$2 NOW $3 "),
    );
}

/** Each act's end and what it left, and what the host keeps at the end. */
async function played(acts: readonly Act[], world: World) {
  const remote = world.remote("a");
  const { directory } = remote;
  const locks = new HostLocks(FIRST, () => remote);
  await locks.take("a");
  const ends: unknown[] = [];
  for (const { run = FIRST, commands, before = {} } of acts) {
    for (const [name, text] of Object.entries(before)) world.put("a", name, text);
    const change: Change = { id: "act", why: "it is one", commands: commands(directory), activate: [] };
    const sha256 = createHash("sha256").update(BUILT).digest("hex");
    const artefacts = { get: async () => ({ bytes: BUILT, sha256 }) };
    const context = { run, step: "step", artefacts } as unknown as Parameters<typeof apply>[2];
    const end = await apply(remote, change, { ...context, alsoInstall: [] }).then(() => "made", String);
    ends.push([end.replaceAll(directory, "FOLDER"), left(directory)]);
  }
  const kept = await Promise.all([readKept(remote), readKept(remote, FIRST), readKept(remote, SECOND)]);
  const busy = await new HostLocks(SECOND, () => remote).take("a").then(() => "taken", String);
  await locks.releaseAll();
  const told = kept.map(({ runs, files }) =>
    JSON.stringify([[...runs], [...files]]).replaceAll(directory, "FOLDER"),
  );
  return { ends, told, busy: busy.replace(/\d+/g, "N") };
}

describe.concurrent("what is told of the engine's scripts is what they do in a real shell", () => {
  it.each(Object.entries(STORIES))("%s", async (_, acts) => {
    const told = await played(acts, new World("a"));
    expect(told).toEqual(await played(acts, new World("a").inShell()));
    expect(told.ends).toHaveLength(acts.length);
  });
});
