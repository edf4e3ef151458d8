import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { GEMS } from "./locked-gems.ts";

/** More than any build unpacks to, so that nothing small unpacks to all of the memory. */
const MAX_BYTES = 64 * 2 ** 20;

const BLOCK = 512;
/** What the build host compiles; all else is as the gems have it. */
const COMPILED = "gems/zookeeper-1.5.5/lib/zookeeper_c.so";

/**
 * Why a build that a host made must not go to others, as one phrase; undefined when it may. It holds plain files and
 * directories only, none with another's rights, and every Ruby file is as the locked gem has it.
 */
export function archiveRefusal(bytes: Uint8Array, maxBytes = MAX_BYTES): string | undefined {
  let files: ReadonlyMap<string, Uint8Array>;
  try {
    files = filesOf(gunzipSync(bytes, { maxOutputLength: maxBytes }));
  } catch (error) {
    return (error as Error).message;
  }
  const known = new Set(["gems.lock", "SHA256SUMS", COMPILED]);
  for (const gem of GEMS) {
    const folder = `gems/${gem.name}-${gem.version}/`;
    const paths = [...files.keys()].filter((path) => path.startsWith(folder) && path !== COMPILED).sort();
    const lines = paths.map((path) => `${digest(files.get(path)!)}  ${path}\n`);
    if (digest(lines.join("")) !== gem.files) return `the Ruby files of ${gem.name} are not the locked gem's`;
    for (const path of paths) known.add(path);
  }
  const stranger = [...files.keys()].find((path) => !known.has(path));
  return stranger && `${JSON.stringify(stranger)} belongs to no locked gem`;
}

/** Throws with a phrase on anything but plain files and directories. */
function filesOf(tar: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const text = new TextDecoder("latin1");
  const files = new Map<string, Uint8Array>();
  let at = 0;
  while (at + BLOCK <= tar.length && tar[at] !== 0) {
    const field = (from: number, length: number) =>
      text.decode(tar.subarray(at + from, at + from + length)).replace(/\0.*$/s, "");
    const prefix = field(345, 155);
    const path = prefix === "" ? field(0, 100) : `${prefix}/${field(0, 100)}`;
    const [mode, size, type] = [octal(field(100, 8)), octal(field(124, 12)), field(156, 1)];
    const name = JSON.stringify(path);
    if (type !== "0" && type !== "5") throw new Error(`${name} is neither a plain file nor a directory`);
    if ((mode & 0o7022) !== 0) throw new Error(`${name} has the mode ${mode.toString(8)}`);
    if (path.startsWith("/") || path.split("/").includes("..")) throw new Error(`${name} leads elsewhere`);
    if (files.has(path)) throw new Error(`${name} is there twice`);
    if (at + BLOCK + size > tar.length) throw new Error(`${name} is cut short`);
    if (type === "0") files.set(path, tar.subarray(at + BLOCK, at + BLOCK + size));
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}

function octal(field: string): number {
  const number = Number.parseInt(field.trim(), 8);
  if (!/^[0-7]+ *$/.test(field) || Number.isNaN(number))
    throw new Error("it is no archive that meshctl makes");
  return number;
}

function digest(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
