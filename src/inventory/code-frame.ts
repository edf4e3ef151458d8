const CONTEXT_LINES = 2;
/** A longer line says nothing at a glance. Not cut, but left out: half a secret would not be recognised as one. */
const MOST_CHARACTERS = 500;

/** The lines of a text, which frames are cut out of; none of a text of blanks. */
export function linesOf(text: string): readonly string[] {
  return text.trim() === "" ? [] : text.split(/\r?\n/);
}

/** The line with two before and after it, numbered, and a caret under the column. Empty where there are no lines. */
export function renderCodeFrame(lines: readonly string[], line: number, column: number): string {
  if (lines.length === 0) return "";
  const first = Math.max(1, line - CONTEXT_LINES);
  const last = Math.min(lines.length, line + CONTEXT_LINES);
  const width = String(last).length;
  const rows: string[] = [];
  for (let number = first; number <= last; number++) {
    const whole = lines[number - 1] ?? "";
    const isLong = whole.length > MOST_CHARACTERS;
    const content = isLong ? `(a line of ${whole.length} characters)` : whole;
    rows.push(`${number === line ? ">" : " "} ${String(number).padStart(width)} | ${content}`.trimEnd());
    if (number === line && !isLong) {
      // Tabs are kept, so that the caret stays under its character however wide the terminal draws them.
      const indent = content.slice(0, column - 1).replace(/[^\t]/g, " ");
      rows.push(`  ${" ".repeat(width)} | ${indent}^`);
    }
  }
  return rows.join("\n");
}
