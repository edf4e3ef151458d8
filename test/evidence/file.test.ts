import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { assessFile, type FileFact, fileFacts, type Ownership, sha256Of } from "../../src/evidence/file.ts";
import { parseProbeOutput } from "../../src/evidence/probe-output.ts";

const path = "/etc/thing.conf";
const wanted = { path, content: ["new\n"], mode: "0644", owner: "root:root" };

function fact(content: string | undefined, packaged: FileFact["packaged"] = "no"): FileFact {
  const kind = content === undefined ? "absent" : "regular";
  const sha256 = content === undefined ? "" : sha256Of(content);
  return { path, kind, mode: "0644", owner: "root:root", sha256, packaged, realPath: path, content };
}

const written = new Map([[path, sha256Of("ours\n")]]);
const cases: [
  string,
  FileFact,
  ReadonlyMap<string, string>,
  Ownership,
  { blocked: boolean; agrees: boolean },
][] = [
  ["is absent", fact(undefined), new Map(), "absent", { blocked: false, agrees: false }],
  ["is what meshctl wrote before", fact("ours\n"), written, "ours", { blocked: false, agrees: false }],
  ["was edited since meshctl wrote it", fact("hand\n"), written, "edited", { blocked: false, agrees: false }],
  [
    "is the package's default",
    fact("d\n", "default"),
    new Map(),
    "default",
    { blocked: false, agrees: false },
  ],
  ["is somebody's", fact("x\n"), new Map(), "foreign", { blocked: true, agrees: false }],
  [
    "is the package's, changed by somebody",
    fact("x\n", "changed"),
    new Map(),
    "foreign",
    { blocked: true, agrees: false },
  ],
  [
    "is somebody's but says just what is wanted",
    fact("new\n"),
    new Map(),
    "foreign",
    { blocked: false, agrees: true },
  ],
];

describe("a file that a step wants", () => {
  it.each(cases)("when it %s", (_name, found, manifest, ownership, { blocked, agrees }) => {
    const assessed = assessFile(found, wanted, manifest, false);
    expect(assessed.ownership).toBe(ownership);
    expect(assessed.blocked !== undefined).toBe(blocked);
    expect(assessed.agrees).toBe(agrees);
    expect(assessFile(found, wanted, manifest, true).blocked).toBeUndefined();
  });

  it("does not agree when only its mode is wrong", () => {
    const assessed = assessFile({ ...fact("new\n"), mode: "0666" }, wanted, new Map(), false);
    expect(assessed.agrees).toBe(false);
  });

  it("is never replaced when it is a directory, adopted or not", () => {
    const assessed = assessFile({ ...fact("x"), kind: "directory" }, wanted, new Map(), true);
    expect(assessed.blocked).toContain("is a directory");
  });

  it("is told to be masked when it is a link to /dev/null", () => {
    const masked = { ...fact("x"), kind: "character special file", realPath: "/dev/null" };
    const { blocked } = assessFile(masked, wanted, new Map(), true);
    expect(blocked).toContain("is a link to /dev/null, which masks it");
  });

  it("is not taken for empty when it cannot be read", () => {
    const unreadable = { ...fact(undefined), kind: "unreadable" };
    expect(assessFile(unreadable, { ...wanted, content: [""] }, new Map(), true)).toMatchObject({
      agrees: false,
      blocked: `${path} cannot be read, not even by root; move it away, then run meshctl again`,
    });
  });
});

describe("a file's record", () => {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "meshctl-file-")));
  const real = join(directory, "real");
  mkdirSync(real);
  writeFileSync(join(real, "file"), "x\n", { mode: 0o640 });
  writeFileSync(join(real, "empty"), "");
  writeFileSync(join(real, "large"), "x".repeat(262145));
  symlinkSync(real, join(directory, "link"));
  symlinkSync("/nowhere", join(real, "dangling"));
  const paths = [
    "real/file",
    "link/file",
    "real/../link/./file",
    "real/empty",
    "real/large",
    "real/dangling",
  ];
  const asked = [...paths, "real/none", "real"].map((name) => join(directory, "/") + name);
  const sent = ["keeper", "prelude"].map((name) => new URL(`../../src/evidence/${name}.sh`, import.meta.url));
  const script = `${sent.map((url) => `. ${fileURLToPath(url)}\n`).join("")}
    for path; do emit_file "$path"; done`;
  const { stdout } = spawnSync("sh", ["-c", script, "sh", ...asked], { encoding: "utf8" });
  rmSync(directory, { recursive: true });
  const facts = fileFacts(parseProbeOutput(stdout));
  const of = (name: string) => facts.get(join(directory, "/") + name);

  it.each(paths.slice(0, 3))("tells where %s really is, and what it holds", (name) => {
    const found = { kind: "regular", mode: "0640", packaged: "no", content: "x\n", sha256: sha256Of("x\n") };
    expect(of(name)).toMatchObject({ ...found, realPath: join(real, "file") });
  });

  it("tells an empty file from one that is too large to send, from none, and from what is no file", () => {
    expect(of("real/empty")).toMatchObject({ kind: "regular", content: "", sha256: sha256Of("") });
    const large = { kind: "regular", content: undefined, sha256: sha256Of("x".repeat(262145)) };
    expect(of("real/large")).toMatchObject(large);
    expect(of("real/none")?.kind).toBe("absent");
    expect(of("real/dangling")?.kind).toBe("dangling link");
    expect(of("real")?.kind).toBe("directory");
  });

  it("of a path that was told of already is refused, whatever it says", () => {
    const row = "file\t/etc/thing.conf\tregular\t0644\troot:root\t\tno\t/etc/thing.conf\t";
    const twice = parseProbeOutput(`${row}eA==\n${row}eQ==\n`);
    expect(() => fileFacts(twice)).toThrow("/etc/thing.conf was told of twice");
  });
});
