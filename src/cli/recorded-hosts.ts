import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import * as z from "zod";
import type { HostName } from "../contract/inventory-view.ts";
import type { RunEvent } from "../engine/events.ts";
import { readThrough } from "../engine/readers.ts";
import { ConfigurationError, HostUnreachable } from "../errors.ts";
import { RecordedReader, type Recording, RecordingReader } from "../reader/recording.ts";
import type { Remote } from "../remote/remote.ts";
import type { Remotes } from "./remotes.ts";
import { requireEveryShard, type Shard, shardText } from "./shard.ts";
import { shownText } from "./shown.ts";

const FORMAT = 1;

const answer = z.union([
  z.strictObject({
    is: z.literal("value"),
    value: z.array(z.union([z.string(), z.strictObject({ base64: z.string() })])),
  }),
  z.strictObject({ is: z.literal("absent") }),
  z.strictObject({ is: z.literal("unreadable"), because: z.string() }),
]);

const file = z.strictObject({
  meshctl_recording: z.literal(FORMAT),
  /** When the hosts were read, ISO 8601. */
  recorded: z.iso.datetime({ error: "expected a moment like 2026-01-02T03:04:05Z" }),
  /** "2/8". */
  shard: z.string().optional(),
  hosts: z.record(
    z.string(),
    z.union([
      z.strictObject({ answers: z.record(z.string(), answer) }),
      z.strictObject({ unreachable: z.string() }),
    ]),
  ),
});

type RecordedFile = z.infer<typeof file>;

/** Keeps what hosts answer in a file for this user alone, masked. */
export class HostRecorder {
  readonly #path: string;
  readonly #recorded = new Date().toISOString();
  readonly #hosts = new Map<HostName, Recording>();
  readonly #unreachable = new Map<HostName, string>();

  readonly #shard: Shard | undefined;

  /** Throws ConfigurationError where the file cannot be written. */
  constructor(path: string, shard?: Shard) {
    this.#path = path;
    this.#shard = shard;
    // What cannot be kept is told before any host is read.
    try {
      rmSync(this.#partial, { force: true });
      writeFileSync(this.#partial, "", { mode: 0o600, flag: "wx" });
    } catch (error) {
      throw new ConfigurationError(`--record: ${(error as Error).message}`);
    }
  }

  /** The same hosts, recorded. */
  through({ of, end }: Remotes): Remotes {
    return {
      of: (host) => {
        const remote = of(host);
        if (!this.#hosts.has(host)) {
          const recording: Recording = {};
          this.#hosts.set(host, recording);
          readThrough(remote, (reader) => new RecordingReader(reader, recording));
        }
        return remote;
      },
      end,
    };
  }

  see(event: RunEvent): void {
    if (event.event === "unreachable") this.#unreachable.set(event.host, shownText(event.error.message));
  }

  /** Writes the file, unless nothing was read. Throws as `fs` does. */
  end(): void {
    if (this.#hosts.size === 0) {
      rmSync(this.#partial, { force: true });
      return;
    }
    const hosts: RecordedFile["hosts"] = {};
    for (const [host, answers] of this.#hosts) {
      const unreachable = this.#unreachable.get(host);
      hosts[host] = unreachable === undefined ? { answers } : { unreachable };
    }
    const recorded: RecordedFile = {
      meshctl_recording: FORMAT,
      recorded: this.#recorded,
      ...(this.#shard === undefined ? {} : { shard: shardText(this.#shard) }),
      hosts,
    };
    writeFileSync(this.#partial, `${JSON.stringify(recorded, null, 1)}\n`);
    renameSync(this.#partial, this.#path);
  }

  get #partial(): string {
    return `${this.#path}.partial`;
  }
}

/** Hosts as a file has them: nobody is asked. */
export class RecordedHosts implements Remotes {
  /** What a person has to know of what is shown. */
  readonly notes: readonly string[];
  /** When the hosts were read. */
  readonly recordedAt: Date;
  readonly #hosts: RecordedFile["hosts"];
  readonly #remotes = new Map<HostName, Remote>();

  /** Throws ConfigurationError where the file is none of `HostRecorder`'s. */
  constructor(path: string) {
    const { recorded, hosts } = readRecording(path);
    this.notes = [`the answers that hosts gave at ${recorded} are shown: no host is asked now`];
    this.recordedAt = new Date(recorded);
    this.#hosts = hosts;
  }

  readonly of = (host: HostName): Remote => {
    const known = this.#remotes.get(host) ?? this.#recordedHost(host);
    this.#remotes.set(host, known);
    return known;
  };

  readonly end = async (): Promise<void> => {};

  #recordedHost(host: HostName): Remote {
    const remote = new UnaskedHost(host);
    const recorded = this.#hosts[host] ?? { unreachable: "the recording holds nothing of this host" };
    if ("answers" in recorded) readThrough(remote, () => new RecordedReader(recorded.answers));
    else remote.because = recorded.unreachable;
    return remote;
  }
}

function readRecording(path: string): RecordedFile {
  try {
    return parseRecording(readFileSync(path, "utf8"));
  } catch (error) {
    throw new ConfigurationError(`--from ${path}: ${(error as Error).message}`);
  }
}

function parseRecording(text: string): RecordedFile {
  const parsed = file.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(`it is none that --record wrote: ${issue?.path.join(".")}: ${issue?.message}`);
}

type RecordedHost = RecordedFile["hosts"][string];

/**
 * One recording of several. A host that was looked at in more than one, as the peer of others, has the answers of the one that
 * asked it most, and what only the others asked. Throws ConfigurationError where a file is no recording, or
 * a shard is missing.
 */
export function joinRecordings(parts: readonly { readonly file: string; readonly text: string }[]): string {
  const files = parts.map(({ file, text }) => {
    try {
      return parseRecording(text);
    } catch (error) {
      throw new ConfigurationError(`${file}: ${(error as Error).message}`);
    }
  });
  requireEveryShard(files.flatMap(({ shard }) => shard ?? []));
  const names = new Set(files.flatMap(({ hosts }) => Object.keys(hosts)));
  const joined = [...names].map((name): [HostName, RecordedHost] => {
    const found = files.flatMap(({ hosts }) => hosts[name] ?? []);
    const answers = found.flatMap((host) => ("answers" in host ? [host.answers] : []));
    // The later ones win: those of whom was asked most come last.
    answers.sort((a, b) => Object.keys(a).length - Object.keys(b).length);
    return [name, answers.length === 0 ? found[0]! : { answers: Object.assign({}, ...answers) }];
  });
  const [recorded] = files.map((each) => each.recorded).sort();
  const whole = { meshctl_recording: FORMAT, recorded, hosts: Object.fromEntries(joined) };
  return `${JSON.stringify(whole, null, 1)}\n`;
}

/** Nobody can be asked anything any more. */
class UnaskedHost implements Remote {
  readonly host: HostName;
  readonly execs = 0;
  because = "it is not asked: what is shown was recorded";

  constructor(host: HostName) {
    this.host = host;
  }

  run = () => this.#reject();
  hold = () => this.#reject();
  talk = () => this.#reject();
  anew = () => this;
  end = async () => {};

  async #reject(): Promise<never> {
    throw new HostUnreachable(this.host, "connect", this.because);
  }
}
