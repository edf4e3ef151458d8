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

/** A plain text in lines of at most `width` columns, broken between words; a word that is wider behind a mark, or anywhere. */
export function intoLines(text: string, width: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/(?<=[^ ])(?= )/)) {
    if (widthOf(line + word) <= width) {
      line += word;
      continue;
    }
    if (line !== "") lines.push(line);
    line = line === "" ? word : word.trimStart();
    while (widthOf(line) > width) {
      const fits = beginningOf(line, width);
      const [marked = ""] = /^.*[/.:,=@-]/u.exec(fits) ?? [];
      const taken = marked.length > fits.length / 3 ? marked : fits;
      lines.push(taken);
      line = line.slice(taken.length);
    }
  }
  return [...lines, line].join("\n");
}

/** As many letters as fit, one at least. */
function beginningOf(text: string, width: number): string {
  let kept = "";
  for (const letter of text) {
    if (kept !== "" && widthOf(kept + letter) > width) break;
    kept += letter;
  }
  return kept;
}

function padded(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - widthOf(text)));
}

function cut(text: string, width: number): string {
  if (widthOf(text) <= width || text.includes("\x1b")) return text;
  return `${beginningOf(text, width - 1)}…`;
}
