import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { archiveRefusal } from "../../src/smartstack/archive.ts";

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "meshctl-archive-"));
  mkdirSync(join(home, "gems"));
  writeFileSync(join(home, "gems.lock"), "x");
});

afterEach(() => rmSync(home, { recursive: true }));

const tar = (...args: string[]) => {
  execFileSync("tar", ["-C", home, "--format=ustar", "-czf", join(home, "a.tgz"), ...args]);
  return archiveRefusal(readFileSync(join(home, "a.tgz")));
};

describe("a build that a host made", () => {
  it("is refused for a link, a pipe, a set-user-ID program and what others may write", () => {
    symlinkSync("/etc/shadow", join(home, "gems/link"));
    expect(tar("gems.lock", "gems")).toBe('"gems/link" is neither a plain file nor a directory');
    rmSync(join(home, "gems/link"));
    execFileSync("sh", ["-c", 'mkfifo "$1"', "sh", join(home, "gems/pipe")]);
    expect(tar("gems")).toBe('"gems/pipe" is neither a plain file nor a directory');
    rmSync(join(home, "gems/pipe"));
    expect(tar("--mode=4755", "gems.lock")).toBe('"gems.lock" has the mode 4755');
    expect(tar("--mode=0666", "gems.lock")).toBe('"gems.lock" has the mode 666');
  });

  it("is refused for names that lead elsewhere and for files told twice", () => {
    expect(tar("-P", "--transform=s|^|../|", "gems.lock")).toBe('"../gems.lock" leads elsewhere');
    expect(tar("-P", "--transform=s|^|/|", "gems.lock")).toBe('"/gems.lock" leads elsewhere');
    writeFileSync(join(home, "other"), "y");
    expect(tar("--transform=s|^other$|gems.lock|", "gems.lock", "other")).toBe('"gems.lock" is there twice');
  });

  it("is refused for Ruby files that are not the locked gems'", () => {
    expect(tar("gems.lock")).toBe("the Ruby files of synapse are not the locked gem's");
  });

  it("is refused when it is no archive, or unpacks to more than any build", () => {
    expect(archiveRefusal(Buffer.from("not an archive at all"))).toBe("incorrect header check");
    expect(archiveRefusal(gzipSync(Buffer.alloc(5000)), 4096)).toContain(
      "Cannot create a Buffer larger than",
    );
  });
});
