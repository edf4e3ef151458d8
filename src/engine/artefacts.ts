import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Artefact } from "../contract/change.ts";
import type { HostName, Network } from "../contract/inventory-view.ts";
import type { Remote } from "../remote/remote.ts";
import { scriptText } from "../script-text.ts";
import { revealContent } from "../secret.ts";
import { shellQuote } from "../shell-quote.ts";
import { ChangeFailed } from "./change-failed.ts";
import type { Hear } from "./events.ts";
import { installBlock } from "./install.ts";
import { runChange } from "./run-change.ts";

export interface StoredArtefact {
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

/** What a build says, and the artefact as base64. */
const MOST_OUTPUT_BYTES = 32 * 1024 * 1024;

/** Files that are built once on some host and kept on the control machine, with their checksums. */
export class ArtefactStore {
  readonly #directory: string;
  readonly #network: Network;
  readonly #hear: Hear | undefined;
  readonly #underWay = new Map<string, Promise<StoredArtefact>>();

  constructor(directory: string, network: Network, hear?: Hear) {
    this.#hear = hear;
    this.#directory = directory;
    this.#network = network;
  }

  /** The artefact, built on its build host when the store does not have it. Throws ChangeFailed when the build fails. */
  get(artefact: Artefact, builder: (host: HostName) => Promise<Remote>): Promise<StoredArtefact> {
    const known = this.#underWay.get(artefact.key);
    if (known !== undefined) return known;
    const got = this.#sound(artefact).then(
      async (stored) => stored ?? this.#build(artefact, await builder(artefact.buildHost)),
    );
    this.#underWay.set(artefact.key, got);
    // A failed build may be tried again by a later change.
    got.catch(() => this.#underWay.delete(artefact.key));
    return got;
  }

  /**
   * Begins the build that `get` would make, beside whatever else is changed on the build host; `get` waits for it there.
   * Throws ChangeFailed, HostLost and HostUnreachable as it does.
   */
  async begin(artefact: Artefact, builder: (host: HostName) => Promise<Remote>): Promise<void> {
    if (await this.has(artefact)) return;
    const remote = await builder(artefact.buildHost);
    const { file, timeoutMs } = artefact.build;
    const [name, ...args] = buildArguments(artefact);
    const block = {
      name: "begin the build",
      text: [BUILDS, BEGIN].map(scriptText).join("\n"),
      args: [
        ...[name, `${Math.ceil(timeoutMs / 1000)}`],
        `set -- ${args.map(shellQuote).join(" ")}\n${scriptText(file)}`,
      ],
      input: (await inputOf(artefact, remote.host)) ?? Buffer.alloc(0),
      timeoutMs: 60_000,
    };
    await runChange(remote, `beginning to build ${artefact.key} on ${remote.host}`, [block], {
      hear: this.#hear,
    });
  }

  /** Whether `get` needs no build. */
  async has(artefact: Artefact): Promise<boolean> {
    if (this.#underWay.has(artefact.key)) return true;
    return (await this.#sound(artefact)) !== undefined;
  }

  /** What the store has of it; one that an older meshctl stored is looked at as well. */
  async #sound({ key, buildHost, refusal }: Artefact): Promise<StoredArtefact | undefined> {
    const stored = await this.#use(buildHost, () => this.#readStored(key));
    return stored !== undefined && refusal?.(stored.bytes) === undefined ? stored : undefined;
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
    const { build } = artefact;
    const args = buildArguments(artefact);
    const blocks = [
      installBlock(artefact.buildPackages, this.#network),
      {
        name: "build",
        text: [BUILDS, AWAIT, build.file].map(scriptText).join("\n"),
        args,
        input: await inputOf(artefact, remote.host),
        timeoutMs: build.timeoutMs,
        tells: true,
      },
      { name: "fetch", text: scriptText(FETCH), args: [pathOf(artefact)], timeoutMs: 60_000 },
    ];
    const results = await runChange(remote, `building ${artefact.key} on ${remote.host}`, blocks, {
      maxOutputBytes: MOST_OUTPUT_BYTES,
      hear: this.#hear,
    });
    const bytes = Buffer.from(results.at(-1)!.stdout, "base64");
    const sha256 = digest(bytes);
    const refusal = artefact.refusal?.(bytes);
    if (refusal !== undefined) {
      throw new ChangeFailed(
        remote.host,
        `the build ${artefact.key} of ${remote.host} goes to no host: ${refusal}. Look at ${remote.host}, or name another build_host`,
      );
    }
    const file = join(this.#directory, artefact.key);
    await this.#use(remote.host, async () => {
      await mkdir(this.#directory, { recursive: true, mode: 0o700 });
      await writeFile(`${file}.new`, bytes, { mode: 0o600 });
      await writeFile(`${file}.sha256`, `${sha256}  ${artefact.key}\n`, { mode: 0o600 });
      await rename(`${file}.new`, file);
    });
    return { bytes, sha256 };
  }

  /** What the control machine's disk does not allow is no fault of ours, and needs no stack trace. */
  async #use<T>(host: HostName, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw new ChangeFailed(
        host,
        `built artefacts cannot be kept on this machine, in ${this.#directory}: ${(error as Error).message}`,
      );
    }
  }
}

function pathOf({ key }: Artefact): string {
  return `/var/lib/meshctl/build/${key}`;
}

/** A name that only the same build has, and what the build's script is told: where its output goes, and its own arguments. */
function buildArguments(artefact: Artefact): readonly [name: string, ...args: string[]] {
  const { file, args } = artefact.build;
  const told = [pathOf(artefact), ...args];
  return [digest(Buffer.from(JSON.stringify([scriptText(file), told]))).slice(0, 16), ...told];
}

/** What the build reads, with the control machine's files as lines behind it. */
async function inputOf({ key, build }: Artefact, host: HostName): Promise<Buffer | undefined> {
  const { stdin = [], files = [] } = build;
  if (build.stdin === undefined && files.length === 0) return undefined;
  const lines = files.map(async (path) => `\nfile ${basename(path)} ${await readFile(path, "base64")}`);
  try {
    const text = [revealContent(stdin), ...(await Promise.all(lines))].join("");
    return Buffer.from(files.length === 0 ? text : `${text}\n`);
  } catch (error) {
    throw new ChangeFailed(host, `${key} cannot be built: ${(error as Error).message}`);
  }
}

const [BUILDS, BEGIN, AWAIT, FETCH] = ["builds", "build-begin", "build-await", "fetch"].map(
  (name) => new URL(`./commands/${name}.sh`, import.meta.url),
) as [URL, URL, URL, URL];

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
