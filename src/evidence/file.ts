import { createHash } from "node:crypto";
import type { Command, FileDiff, WantedFile } from "../contract/change.ts";
import { NotUnderstood } from "../reader/answer.ts";
import { revealContent, showContent } from "../secret.ts";
import { type ProbeOutput, rowsOf } from "./probe-output.ts";

/** What `emit_file` read of one path. Root's links are followed, other users' are not. */
export interface FileFact {
  readonly path: string;
  /** "absent", "regular", "unreadable", "dangling link", "directory" … */
  readonly kind: string;
  readonly mode: string;
  readonly owner: string;
  readonly sha256: string;
  /** Whether it is a package's conffile, and unchanged. */
  readonly packaged: "default" | "changed" | "no";
  readonly realPath: string;
  /** Text of the file; undefined when there is none or it is larger than was asked for. */
  readonly content: string | undefined;
  /** When its content, mode or owner was changed last, in seconds since 1970, where a reader told it. */
  readonly changed?: number;
  /** Why it is unreadable, where a reader told it. */
  readonly because?: string;
}

/** Every "file" record of a probe, by the path that was asked for. */
export function fileFacts(output: ProbeOutput): ReadonlyMap<string, FileFact> {
  const facts = new Map<string, FileFact>();
  for (const row of rowsOf(output, "file")) {
    const [path, kind, mode, owner, sha256, packaged, realPath, content] = row;
    if (content === undefined || path === undefined) throw new NotUnderstood(`a "file" record is cut short`);
    // The later one would decide, and one of them is not ours.
    if (facts.has(path)) throw new NotUnderstood(`${path} was told of twice`);
    // A host sends the digest only of what it does not send whole.
    const isSent = kind === "regular" && (content !== "" || sha256 === "");
    const bytes = isSent ? Buffer.from(content, "base64") : undefined;
    facts.set(path, {
      path,
      kind: kind!,
      mode: mode!,
      owner: owner!,
      sha256: bytes === undefined ? sha256! : digest(bytes),
      packaged: packaged === "yes" ? "default" : packaged === "no" ? "changed" : "no",
      realPath: realPath!,
      content: bytes?.toString("utf8"),
    });
  }
  return facts;
}

/** The digests of the last few texts are kept: each host is compared with files that all of them are to have. */
export function sha256Of(text: string): string {
  if (text.length > LONGEST_KEPT) return digest(text);
  const known = digests.get(text);
  if (known !== undefined) return known;
  if (digests.size >= MOST_KEPT) digests.clear();
  const made = digest(text);
  digests.set(text, made);
  return made;
}

const MOST_KEPT = 128;
const LONGEST_KEPT = 64 * 1024;
const digests = new Map<string, string>();

function digest(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/**
 * Whose file it is. "ours": as meshctl wrote it last. "edited": ours, changed by hand since. "default": as the
 * package ships it. "foreign": somebody's, never overwritten unless the inventory says `adopt: true`.
 */
export type Ownership = "absent" | "ours" | "edited" | "default" | "foreign";

export function ownershipOf(fact: FileFact, manifest: ReadonlyMap<string, string>): Ownership {
  if (fact.kind === "absent") return "absent";
  const written = manifest.get(fact.path) ?? manifest.get(fact.realPath);
  if (written !== undefined) return written === fact.sha256 ? "ours" : "edited";
  return fact.packaged === "default" ? "default" : "foreign";
}

/** A file that everybody may read and root alone writes. */
export function plainFile(path: string, text: string): WantedFile {
  return { path, content: [text], mode: "0644", owner: "root:root" };
}

/** How a file that a step owns stands against what is wanted. */
export interface FileAssessment {
  readonly ownership: Ownership;
  readonly agrees: boolean;
  /** Set when it must not be overwritten: one sentence that says what to do. */
  readonly blocked: string | undefined;
  /** From what is there to what is wanted; undefined when it agrees. */
  readonly diff: FileDiff | undefined;
  /** The command that writes it; for a change's `commands`. */
  readonly write: Command;
}

export function assessFile(
  fact: FileFact,
  wanted: WantedFile,
  manifest: ReadonlyMap<string, string>,
  adopt: boolean,
): FileAssessment {
  const ownership = ownershipOf(fact, manifest);
  const text = revealContent(wanted.content);
  const sameContent = fact.kind === "regular" && fact.sha256 === sha256Of(text);
  const agrees = sameContent && fact.mode === wanted.mode && fact.owner === wanted.owner;
  const was = fact.content;
  let blocked: string | undefined;
  if (fact.kind !== "absent" && fact.kind !== "regular") {
    blocked = `${wanted.path} ${whatItIs(fact)}; move it away, then run meshctl again`;
  } else if (ownership === "foreign" && !sameContent && !adopt) {
    blocked = `${wanted.path} is neither meshctl's nor the package's default; look at the diff, then say "adopt: true" in the inventory to replace it`;
  }
  return {
    ownership,
    agrees,
    blocked,
    diff: agrees ? undefined : { path: wanted.path, was, want: showContent(wanted.content) },
    write: { kind: "write", ...wanted, was },
  };
}

function whatItIs({ kind, realPath }: FileFact): string {
  if (kind === "unreadable") return "cannot be read, not even by root";
  if (realPath === "/dev/null") return "is a link to /dev/null, which masks it";
  return `is a ${kind}`;
}
