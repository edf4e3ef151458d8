import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scriptText } from "../../../src/script-text.ts";

/** A block of a look as it stands in the script: its text, and the mark that ends it. */
const BLOCK = /<<'(meshctl_\w+)_script'\n([\s\S]*?)\n\1_script\n[\s\S]*?\1 (\d+) end /g;

/** Exit code and records of a block, by the file that it runs. */
const BLOCKS: readonly (readonly [URL, (host: Folder) => readonly [number, string]])[] = [
  [new URL("../../../src/engine/prologue.sh", import.meta.url), prologue],
  [new URL("./probe.sh", import.meta.url), value],
  [new URL("./serve-probe.sh", import.meta.url), service],
];

/**
 * What a look at a host of this world would print, told without a shell: a look starts about twenty programs, and most
 * tests are about what is made of it. Undefined of any other script.
 */
export function toldLook(script: string, directory: string): string | undefined {
  const host = new Folder(directory);
  const said = [...script.matchAll(BLOCK)].map(([, nonce, text, index]) => {
    const block = BLOCKS.find(([file]) => text!.includes(scriptText(file).trim()));
    return block && (() => `${block[1](host).toReversed().join(`\n${nonce} ${index} end `)}\n`);
  });
  if (said.length === 0 || said.includes(undefined)) return undefined;
  return said.map((say) => say!()).join("");
}

class Folder {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  has(name: string): boolean {
    return existsSync(join(this.#path, name));
  }

  /** As `$(cat NAME)` gives it. */
  read(name: string): string {
    return readFileSync(join(this.#path, name), "utf8").replace(/\n+$/, "");
  }

  put(name: string, text = ""): void {
    writeFileSync(join(this.#path, name), text);
  }

  /** Whether it was there. */
  take(name: string): boolean {
    const was = this.has(name);
    rmSync(join(this.#path, name), { force: true });
    return was;
  }

  /** As emit_file prints it. */
  file(name: string): readonly string[] {
    const path = join(this.#path, name);
    if (!this.has(name)) return ["file", path, "absent", "", "", "", "", "", ""];
    const mode = (statSync(path).mode & 0o7777).toString(8).padStart(4, "0");
    return ["file", path, "regular", mode, "us:us", "", "", path, readFileSync(path, "base64")];
  }
}

function records(...rows: readonly (readonly (string | number)[])[]): string {
  return rows.map((row) => row.join("\t")).join("\n");
}

function prologue(host: Folder): readonly [number, string] {
  const manifest = host.has("var/lib/meshctl/manifest") ? host.read("var/lib/meshctl/manifest") : "";
  const ours = manifest.split("\n").filter((line) => line !== "");
  const text = records(
    ["clock", Date.now() / 1000],
    ["os", "debian", "12", "bookworm", "Debian GNU/Linux 12 (bookworm)"],
    ["kernel", "6.1.0-28-amd64"],
    ["architecture", "amd64"],
    ["virtualization", "kvm"],
    ["cpus", 2],
    ["memory_kib", 4_000_000],
    ["boot_id", "2f8c1f5e-8f0a-4a57-9d6b-6a9f2f0f7a11"],
    ["uptime", 100],
    ["hard_open_files", 524_288],
    ...ours.map((line) => ["manifest", ...line.split(/ +/)]),
  );
  return [0, text];
}

function value(host: Folder): readonly [number, string] {
  if (host.take("break once")) return [3, ""];
  // Every other look finds what runs changed.
  if (host.has("flap") && !host.take("flapped")) host.put("flapped");
  const text = records(
    ["disk", host.read("disk")],
    ["live", host.has("flapped") ? "flapping" : host.read("live")],
    ["count", host.read("log") === "" ? 0 : host.read("log").split("\n").length],
    ...(host.has("blocked") ? [["blocked"]] : []),
  );
  return [0, text];
}

function service(host: Folder): readonly [number, string] {
  const text = records(host.file("config"), ["state", host.read("state")], ["live", host.read("live")]);
  // One that is late is up after a look.
  if (host.take("late")) {
    host.put("state", "up\n");
    host.put("live", "late\n");
  }
  return [0, text];
}
