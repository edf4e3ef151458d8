import type { HostName } from "../host-name.ts";
import type { Content } from "../secret.ts";

/** One remote action, as data. Nothing here touches a host: only the engine carries it out, as root. */
export type Command =
  /** A program with its arguments. Any exit code but 0 fails the change. */
  | { readonly kind: "run"; readonly argv: readonly [string, ...string[]]; readonly timeoutMs: number }
  /**
   * A script of ours, run by `sh` behind evidence/keeper.sh. Content of `stdin` is read from file descriptor 3. A Perl
   * program (.pl) may need others before it, whose functions it uses.
   */
  | {
      readonly kind: "script";
      readonly file: URL;
      readonly before?: readonly URL[];
      readonly args: readonly string[];
      readonly stdin?: Content;
      readonly timeoutMs: number;
    }
  /** Replaces a whole file atomically, keeps the old one for the run, records the digest in the manifest. */
  | (WantedFile & {
      readonly kind: "write";
      /** What the file holds now, for the diff; undefined when there is none. */
      readonly was?: string | undefined;
    })
  /** Removes a file of ours after keeping a copy for the run. */
  | { readonly kind: "remove"; readonly path: string; readonly was?: string | undefined }
  /** Installs Debian packages; the engine joins what other steps claim on the host into the same apt run. */
  | { readonly kind: "install"; readonly packages: readonly string[] }
  /** Takes over a foreign file, as the inventory's `adopt: true` allows: keeps a copy, records its digest as ours. */
  | { readonly kind: "adopt"; readonly path: string }
  /** Puts back what run `from` replaced at a path, if it is still as `expected`. Digests are sha256, "-" for no file. */
  | {
      readonly kind: "restore";
      readonly path: string;
      readonly from: string;
      readonly expected: string;
      readonly before: string;
      readonly diff: FileDiff;
    }
  /** Puts a file that is built once, kept on the control machine and pushed to every host that needs it. */
  | { readonly kind: "place"; readonly path: string; readonly artefact: Artefact };

export type ScriptCommand = Extract<Command, { kind: "script" }>;

/** A file as a step wants it. */
export interface WantedFile {
  readonly path: string;
  readonly content: Content;
  /** Octal, four digits: "0644". */
  readonly mode: string;
  /** "user:group". */
  readonly owner: string;
}

/** A file as it would be on a bare host. */
export interface RenderedFile extends WantedFile {
  /** What makes it another one on a living host, as whole sentences. */
  readonly notes?: readonly string[];
}

export interface Artefact {
  /** Its name in the control machine's store. Equal keys mean equal content: letters, digits, ".", "_", "-" only. */
  readonly key: string;
  /** Where it is built when the store does not have it. */
  readonly buildHost: HostName;
  /** Debian packages the build needs. */
  readonly buildPackages: readonly string[];
  /** Writes the artefact to the path given as its first argument. Run by `sh` as root; its output is shown when it fails. */
  readonly build: {
    readonly file: URL;
    readonly args: readonly string[];
    /** Read by the script from file descriptor 3. */
    readonly stdin?: Content;
    /**
     * Files of the control machine, read when it is built. Behind `stdin` each is one line: "file", its name and
     * its content in base64, parted by blanks.
     */
    readonly files?: readonly string[];
    readonly timeoutMs: number;
  };
  /** Why what the build host made must not go to others, as one phrase; undefined when it may. Pure. */
  readonly refusal?: (content: Uint8Array) => string | undefined;
}

/** `was` is undefined when there is no such file. Secrets are masked in `want`. */
export interface FileDiff {
  readonly path: string;
  readonly was: string | undefined;
  readonly want: string;
}

interface Disruption {
  readonly kind: "reload" | "restart" | "reboot";
  readonly what: string;
  /** Clients of the host's backends would notice: these leave the mesh first, and no other host is disrupted meanwhile. */
  readonly drains?: true;
}

/** The unit of diff, backup, gate and restore: twelve rows of zoo.cfg are one change. */
export interface Change {
  /** Stable on a host from one observation to the next, for example "zoo.cfg". Proposed a second time, it has failed. */
  readonly id: string;
  readonly why: string;
  /** Shown in the plan and in the question before it, for example { kind: "restart", what: "zookeeper.service" }. */
  readonly disrupts?: Disruption | undefined;
  /** What a person should know before saying yes, for example a flush setting that weakens durability. */
  readonly warning?: string | undefined;
  /** Made before all else, where the change might shut meshctl out of the host. */
  readonly trial?: Trial;
  readonly commands: readonly Command[];
  /** A script of ours, run after the commands' files are staged and before any replaces the old one. The staged
   * copy of each write is in a directory given as the script's first argument, under the file's full path. */
  readonly validate?: { readonly file: URL; readonly args: readonly string[]; readonly timeoutMs: number };
  readonly activate: readonly Command[];
}

/**
 * What is tried and takes itself back. Its commands put the new state in force, and with it something on the host that
 * puts the old one back by itself. All else of the change is made over a connection that did not exist before, and
 * the first of those commands ends the waiting: a host that nobody can reach any more has its old state back.
 */
export interface Trial {
  readonly commands: readonly Command[];
  /** When it has been taken back at the latest, counted from the last command. */
  readonly undoneAfterMs: number;
}
