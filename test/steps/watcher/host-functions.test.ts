import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { installerText } from "../../../src/steps/watcher/files.ts";

const src = resolve(import.meta.dirname, "../../../src");
const shared = ["manifest", "receive"].map((name) => join("host", `${name}.sh`));
const functionsIn = (text: string) => [...text.matchAll(/^(\w+)\(\) [({]/gm)].map(([, name]) => name!);
const textOf = (file: string) => readFileSync(join(src, file), "utf8");

describe("the functions that scripts on a host share", () => {
  const known = shared.flatMap((file) => functionsIn(textOf(file)));
  const scripts = readdirSync(src, { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".sh") && !shared.includes(file),
  );

  it("are found", () => {
    expect(known).toEqual(expect.arrayContaining(["record_in_manifest", "new_beside", "put_in_place"]));
  });

  it.each(scripts)("are not written again in %s", (file) => {
    expect(functionsIn(textOf(file)).filter((name) => known.includes(name))).toEqual([]);
  });

  it("are in the installer, which is one program that a shell understands", () => {
    const text = installerText();
    expect(functionsIn(text)).toEqual(expect.arrayContaining(known));
    expect(text.startsWith("#!/bin/sh\n")).toBe(true);
    expect(spawnSync("sh", ["-n"], { input: text }).status).toBe(0);
    // No variable of one is another's.
    const constants = [...text.matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name);
    expect(constants).toEqual([...new Set(constants)]);
  });
});
