const CONTEXT_LINES = 2;

/** The line with two before and after it, numbered, and a caret under the column. Empty for an empty text. */
export function renderCodeFrame(text: string, line: number, column: number): string {
  if (text.trim() === "") return "";
  const lines = text.split(/\r?\n/);
  const first = Math.max(1, line - CONTEXT_LINES);
  const last = Math.min(lines.length, line + CONTEXT_LINES);
  const width = String(last).length;
  const rows: string[] = [];
  for (let number = first; number <= last; number++) {
    const content = lines[number - 1] ?? "";
    rows.push(`${number === line ? ">" : " "} ${String(number).padStart(width)} | ${content}`.trimEnd());
    if (number === line) {
      // Tabs are kept, so that the caret stays under its character however wide the terminal draws them.
      const indent = content.slice(0, column - 1).replace(/[^\t]/g, " ");
      rows.push(`  ${" ".repeat(width)} | ${indent}^`);
    }
  }
  return rows.join("\n");
}
