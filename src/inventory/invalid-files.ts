import { ConfigurationError } from "../errors.ts";
import { maskSecrets } from "../secret.ts";
import { linesOf, renderCodeFrame } from "./code-frame.ts";
import { type Diagnostic, formatDiagnostic } from "./diagnostic.ts";

/** Every problem of the inventory and the playbook at once. The message shows them all with their code frames. */
export class InvalidFiles extends ConfigurationError {
  readonly diagnostics: readonly Diagnostic[];

  /** `texts` holds the content of each file that could be read. */
  constructor(diagnostics: readonly Diagnostic[], texts: ReadonlyMap<string, string>) {
    const lines = new Map([...texts].map(([file, text]) => [file, linesOf(text)]));
    const rendered = diagnostics.map((diagnostic) => render(diagnostic, lines.get(diagnostic.file) ?? []));
    // A frame may show a line with a secret that should not stand in the file.
    super(maskSecrets(rendered.join("\n\n")));
    this.diagnostics = diagnostics;
  }
}

function render(diagnostic: Diagnostic, lines: readonly string[]): string {
  const frame = renderCodeFrame(lines, diagnostic.line, diagnostic.column);
  return [
    formatDiagnostic(diagnostic),
    ...(frame === "" ? [] : [frame]),
    ...(diagnostic.hint === undefined ? [] : [`  hint: ${diagnostic.hint}`]),
  ].join("\n");
}
