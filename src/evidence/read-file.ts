import { createHash } from "node:crypto";
import type { Reader } from "../reader/reader.ts";
import { type FileFact, sha256Of } from "./file.ts";

interface FileWish {
  /** What it should hold: a file that holds just that is not sent. */
  readonly wanted?: string | undefined;
  /** Whether a package may ship it as its conffile. */
  readonly mayBePackaged?: boolean;
  /** Whether it grows with the mesh: then its text comes up to 3 MiB, not 256 KiB. */
  readonly isLong?: boolean;
  /** Whether it holds a secret: then its text stays on the host. */
  readonly isSecret?: boolean;
}

/** What a reader finds at a path, as `emit_file` would tell it. Of what is not read whole `because` is the reason. */
export async function readFileFact(reader: Reader, path: string, wish: FileWish = {}): Promise<FileFact> {
  const { wanted } = wish;
  const known =
    wanted === undefined ? undefined : { sha256: sha256Of(wanted), bytes: Buffer.byteLength(wanted) };
  const answer = await (wish.isSecret === true
    ? reader.secretFile(path)
    : wish.isLong === true
      ? reader.longFile(path, known)
      : reader.file(path, known));
  const nothing = {
    path,
    mode: "",
    owner: "",
    sha256: "",
    packaged: "no",
    realPath: "",
    content: undefined,
  } as const;
  if (answer.is === "absent") return { ...nothing, kind: "absent" };
  if (answer.is === "unreadable") return { ...nothing, kind: "unreadable", because: answer.because };
  const { kind, mode, owner, realPath, changed } = answer.value;
  if (kind !== "regular") return { ...nothing, kind, mode, owner, realPath };
  const isAsWanted = wanted !== undefined && answer.value.sha256 === sha256Of(wanted);
  const content = wish.isSecret === true ? undefined : isAsWanted ? wanted : answer.value.content?.toString();
  const sha256 = answer.value.sha256 ?? createHash("sha256").update(answer.value.content!).digest("hex");
  const packaged =
    wish.mayBePackaged === true && !isAsWanted
      ? await packagedState(reader, realPath, answer.value.content)
      : "no";
  return { path, kind, mode, owner, sha256, packaged, realPath, content, changed };
}

const DPKG = "/var/lib/dpkg";

/**
 * By dpkg's list: " PATH MD5" with perhaps " obsolete" behind it. While dpkg runs, and after one that was cut off, what it did
 * last stands in files of its own, one a change of a package, and not in the list. What is too large to be sent is nobody's
 * default.
 */
async function packagedState(
  reader: Reader,
  realPath: string,
  content: Buffer | undefined,
): Promise<FileFact["packaged"]> {
  const pattern = `^ ${realPath.replace(/[^A-Za-z0-9/_-]/g, "\\$&")} [0-9a-f]{32}`;
  const [status, updates] = await Promise.all([
    reader.lines(`${DPKG}/status`, pattern),
    reader.list(`${DPKG}/updates`, "^[0-9]+$"),
  ]);
  const names = updates.is === "value" ? updates.value.map(({ name }) => name) : [];
  const later = await Promise.all(names.map((name) => reader.lines(`${DPKG}/updates/${name}`, pattern)));
  // Without the list it is told as somebody's: it is not overwritten then.
  const lines = [status, ...later].flatMap((each) => (each.is === "value" ? each.value.lines : []));
  if (lines.length === 0) return "no";
  const md5 = content === undefined ? "-" : createHash("md5").update(content).digest("hex");
  const isShipped = lines.some(({ text }) => text.slice(realPath.length + 2).startsWith(md5));
  return isShipped ? "default" : "changed";
}
