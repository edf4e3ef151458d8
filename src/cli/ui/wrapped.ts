const COLOURS = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g");

/** Text without its colours, as wide as it is shown. */
export function plain(text: string): string {
  return text.replace(COLOURS, "");
}

/** Text as lines of at most `width`, broken between words; the first has `taken` columns less. */
export function wrapped(text: string, width: number, taken = 0): readonly string[] {
  const lines: string[] = [];
  for (const part of text.split("\n")) {
    let line = "";
    for (const word of part.split(" ")) {
      const room = Math.max(20, width - (lines.length === 0 ? taken : 0));
      if (line !== "" && plain(line).length + 1 + plain(word).length > room) {
        lines.push(line);
        line = word;
      } else {
        line = line === "" ? word : `${line} ${word}`;
      }
    }
    lines.push(line);
  }
  return lines;
}

/** Lines broken between words, what follows a bit further to the right than its beginning. */
export function hanging(text: string, columns: number): string {
  return text
    .split("\n")
    .map((line) => {
      const [indent] = /^ */.exec(line)!;
      const more = `\n${indent}${" ".repeat(HANG)}`;
      return indent + wrapped(line.slice(indent.length), columns - indent.length - HANG, -HANG).join(more);
    })
    .join("\n");
}

const HANG = 4;

/** A stream that may be a terminal's. */
interface Window {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** How many columns a window has; `otherwise` where nobody knows, as of a terminal that nobody sees: it says 0. */
export function widthOf({ columns = 0 }: Window, otherwise: number): number {
  return columns > 0 ? columns : otherwise;
}

/** The same for what reads the stream: a program gets each line whole. */
export function brokenFor(stream: Window, text: string): string {
  return stream.isTTY === true ? hanging(text, widthOf(stream, 80)) : text;
}
