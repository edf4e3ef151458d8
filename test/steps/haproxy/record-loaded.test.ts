import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { parseHaproxyConfig } from "../../../src/haproxy/config.ts";
import { loadedConfig } from "../../../src/haproxy/loaded.ts";

const script = resolve(import.meta.dirname, "../../../src/steps/haproxy/record-loaded.sh");

let home: string;
let record: string;
let config: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "meshctl-loaded-"));
  record = join(home, "run", "haproxy-loaded");
  config = join(home, "haproxy.cfg");
  writeFileSync(config, "global\n  maxconn 5\n");
});

afterEach(() => rmSync(home, { recursive: true }));

/** Runs it as systemd does at a start or a reload; returns its exit code. */
const keep = (invocation: string) =>
  spawnSync("sh", [script, record, config], { env: { INVOCATION_ID: invocation } }).status;

it("keeps the whole file under the start that it is of, for root alone", () => {
  expect(keep("abc")).toBe(0);
  const kept = readFileSync(record, "utf8");
  expect(kept).toBe("# invocation abc\nglobal\n  maxconn 5\n");
  const read = { is: "value", value: kept } as const;
  expect(loadedConfig(read, "abc")).toEqual({ is: "value", value: parseHaproxyConfig(kept) });
  expect(loadedConfig(read, "ab")).toEqual({ is: "absent" });
  expect(loadedConfig(read, undefined)).toEqual({ is: "absent" });
  expect(statSync(record).mode & 0o777).toBe(0o600);
  expect(statSync(join(home, "run")).mode & 0o777).toBe(0o755);
});

it("leaves no older one for what cannot be read", () => {
  expect(keep("abc")).toBe(0);
  rmSync(config);
  expect(keep("abc")).toBe(1);
  expect(() => readFileSync(record)).toThrow("ENOENT");
});

it("leaves no older one for what cannot be kept", () => {
  expect(keep("abc")).toBe(0);
  mkdirSync(`${record}.new`);
  expect(keep("abc")).toBe(1);
  expect(() => readFileSync(record)).toThrow("ENOENT");
});
