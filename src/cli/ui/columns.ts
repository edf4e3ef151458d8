import stringWidth from "string-width";

const PLAIN = /^[\x20-\x7e]*$/;

/** Columns that a text takes on a terminal: none for colours, two for wide letters. */
function widthOf(text: string): number {
  return PLAIN.test(text) ? text.length : stringWidth(text);
}

const BETWEEN = "  ";

/** How wide columns are together. */
export function acrossAll(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + BETWEEN.length + width, -BETWEEN.length);
}

/** One row of cells, as many lines as it takes. What is wider than its column is cut, unless it is coloured. */
export function columnsOf(cells: readonly string[], widths: readonly number[]): string {
  const columns = cells.map((cell, at) => cell.split("\n").map((line) => cut(line, widths[at]!)));
  const height = Math.max(...columns.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) =>
    ` ${columns.map((lines, at) => padded(lines[line] ?? "", widths[at]!)).join(BETWEEN)}`.trimEnd(),
  )
    .filter((line) => line !== "")
    .join("\n");
}

function padded(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - widthOf(text)));
}

function cut(text: string, width: number): string {
  if (widthOf(text) <= width || text.includes("\x1b")) return text;
  let kept = "";
  let left = width - 1;
  for (const letter of text) {
    left -= widthOf(letter);
    if (left < 0) break;
    kept += letter;
  }
  return `${kept}…`;
}
