const WORDS: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EISDIR: "expected a file, found a folder",
  ENOTDIR: "no such file: a part of its path is not a folder",
  EROFS: "the file system is read-only",
  ENOSPC: "no space is left on the disk",
  EEXIST: "it is there already",
  ERR_ENCODING_INVALID_ENCODED_DATA: "expected text in UTF-8, found other bytes",
};

/** What went wrong when a file was read or written, in words. Rethrows what is no error of files. */
export function fileError(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
  if (code === undefined) throw error;
  return WORDS[code] ?? `cannot be read (${code})`;
}
