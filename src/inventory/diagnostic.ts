/** One problem of a file, at the place where a person mends it. */
export interface Diagnostic {
  /** As the user named it. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units as editors count. */
  readonly column: number;
  /** For example "hosts.zk2.port"; empty when it is about the file as a whole. */
  readonly path: string;
  /** For example "expected 1–65535, found 'ssh'". */
  readonly message: string;
  /** One sentence on how to mend it, where the message alone does not say. */
  readonly hint?: string | undefined;
}

/** "inventories/prod.yaml:14:11 hosts.zk2.port: expected 1–65535, found 'ssh'" */
export function formatDiagnostic({ file, line, column, path, message }: Diagnostic): string {
  return `${file}:${line}:${column}${path === "" ? "" : ` ${path}`}: ${message}`;
}
