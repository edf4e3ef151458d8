import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { HostName, Network } from "../inventory/view.ts";
import type { Remote } from "../remote/remote.ts";
import { revealContent } from "../secret.ts";
import type { Artefact } from "../step.ts";
import { blockFailure, ChangeFailed } from "./change-failed.ts";
import { installBlock } from "./install.ts";
import { batch, scriptText } from "./script-block.ts";

export interface StoredArtefact {
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

/** Files that are built once on some host and kept on the control machine, with their checksums. */
export class ArtefactStore {
  readonly #directory: string;
  readonly #network: Network;
  readonly #underWay = new Map<string, Promise<StoredArtefact>>();

  constructor(directory: string, network: Network) {
    this.#directory = directory;
    this.#network = network;
  }

  /** The artefact, built on its build host when the store does not have it. Throws ChangeFailed when the build fails. */
  get(artefact: Artefact, builder: (host: HostName) => Promise<Remote>): Promise<StoredArtefact> {
    const known = this.#underWay.get(artefact.key);
    if (known !== undefined) return known;
    const got = this.#readStored(artefact.key).then(
      async (stored) => stored ?? this.#build(artefact, await builder(artefact.buildHost)),
    );
    this.#underWay.set(artefact.key, got);
    // A failed build may be tried again by a later change.
    got.catch(() => this.#underWay.delete(artefact.key));
    return got;
  }

  /** Undefined when it is not there or is not what was stored. */
  async #readStored(key: string): Promise<StoredArtefact | undefined> {
    try {
      const bytes = await readFile(join(this.#directory, key));
      const sum = await readFile(join(this.#directory, `${key}.sha256`), "utf8");
      const sha256 = digest(bytes);
      return sum.startsWith(`${sha256} `) ? { bytes, sha256 } : undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  async #build(artefact: Artefact, remote: Remote): Promise<StoredArtefact> {
    const path = `/var/lib/meshctl/build/${artefact.key}`;
    const { build } = artefact;
    const blocks = [
      installBlock(artefact.buildPackages, this.#network),
      {
        name: "build",
        text: scriptText(build.file),
        args: [path, ...build.args],
        input: build.stdin === undefined ? undefined : Buffer.from(revealContent(build.stdin)),
        timeoutMs: build.timeoutMs,
      },
      { name: "fetch", text: scriptText(FETCH), args: [path], timeoutMs: 60_000 },
    ];
    const { script, parse } = batch(blocks, { stopAtFailure: true });
    const what = `building ${artefact.key} on ${remote.host}`;
    const outcome = await remote.run(script, { during: what, timeoutMs: build.timeoutMs + 1_000_000 });
    const results = parse(outcome.stdout, outcome.stderr);
    const failed = results.findIndex(({ exitCode }) => exitCode !== 0);
    if (failed !== -1) throw blockFailure(remote.host, what, blocks[failed]!, results[failed]!);
    const last = results.at(-1);
    if (results.length < blocks.length || last === undefined) {
      throw new ChangeFailed(remote.host, `${what} ended after ${results.length} of ${blocks.length} steps`);
    }
    const bytes = Buffer.from(last.stdout, "base64");
    const sha256 = digest(bytes);
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const file = join(this.#directory, artefact.key);
    await writeFile(`${file}.new`, bytes, { mode: 0o600 });
    await writeFile(`${file}.sha256`, `${sha256}  ${artefact.key}\n`, { mode: 0o600 });
    await rename(`${file}.new`, file);
    return { bytes, sha256 };
  }
}

const FETCH = new URL("./commands/fetch.sh", import.meta.url);

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
