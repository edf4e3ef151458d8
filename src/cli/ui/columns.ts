import stringWidth from "string-width";

const PLAIN = /^[\x20-\x7e]*$/;
const ESC = String.fromCharCode(27);
const COLOUR = new RegExp(`${ESC}\\[[0-9;]*m`, "g");
/** What ends a colour, or bold and dim letters. */
const ENDS = new RegExp(`^${ESC}\\[(?:0|2[2-9]|39|49)?m$`);
const RESET = `${ESC}[0m`;
const LETTERS = new RegExp(`${COLOUR.source}|.`, "gsu");

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

/** What is left whole as long as that is possible: a name, a part of a path. */
const WORD = / |\n|(?<=[/,=])/;

/** No column becomes narrower than this for want of room. */
const NARROWEST = 8;

/**
 * Rows with their columns below each other, as wide as they need. Where that is wider than `room`, the widest column is
 * broken into lines, and then the next one: between words first, and within them when that is not enough.
 */
export function tableOf(rows: readonly (readonly string[])[], room = Number.POSITIVE_INFINITY): string {
  const widestOf = (parts: RegExp) =>
    (rows[0] ?? []).map((_, at) => Math.max(...rows.flatMap((row) => row[at]!.split(parts).map(widthOf))));
  const widths = widestOf(/\n/);
  // The first column begins behind a blank.
  for (const least of [widestOf(WORD), widths.map(() => 0)])
    while (acrossAll(widths) + 1 > room) {
      const isOpen = (width: number, at: number) => width > Math.max(NARROWEST, least[at]!);
      const widest = Math.max(...widths.filter(isOpen));
      if (widest < 0) break;
      const at = widths.findIndex((width, each) => width === widest && isOpen(width, each));
      widths[at] = widest - 1;
    }
  return rows
    .map((row) =>
      columnsOf(
        row.map((cell, at) =>
          cell
            .split("\n")
            .map((line) => intoLines(line, widths[at]!))
            .join("\n"),
        ),
        widths,
      ),
    )
    .join("\n");
}

/** A text in lines of at most `width` columns, broken between words; a word that is wider behind a mark, or anywhere. */
export function intoLines(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
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
  return colouredEach([...lines, line]).join("\n");
}

/** A colour that goes on in the next line ends with its line, and begins anew in that one. */
function colouredEach(lines: readonly string[]): readonly string[] {
  let open = "";
  return lines.map((line) => {
    const begun = open + line;
    for (const code of line.match(COLOUR) ?? []) open = ENDS.test(code) ? "" : open + code;
    return open === "" ? begun : `${begun}${RESET}`;
  });
}

/** As many letters as fit, one at least. */
function beginningOf(text: string, width: number): string {
  let kept = "";
  for (const letter of text.match(LETTERS) ?? []) {
    if (widthOf(kept) > 0 && widthOf(kept + letter) > width) break;
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
