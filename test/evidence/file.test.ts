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

  it("is read back from the probe's record, an empty file too", () => {
    const empty = sha256Of("");
    const output = parseProbeOutput(
      `file\t/a\tregular\t0644\troot:root\t${empty}\tyes\t/real/a\t\nfile\t/b\tregular\t0600\tu:g\tabc\t\t/b\teAo=\n`,
    );
    const facts = fileFacts(output);
    expect(facts.get("/a")).toMatchObject({ packaged: "default", realPath: "/real/a", content: "" });
    expect(facts.get("/b")).toMatchObject({ packaged: "no", mode: "0600", content: "x\n" });
  });
});
