import { describe, expect, it } from "vitest";
import { LiveBlock } from "../../src/cli/ui/live-block.ts";

/** A terminal that keeps what stands on it, as far as the block's sequences go. */
class Terminal {
  readonly isTTY = true;
  columns = 40;
  lines: string[] = [""];
  row = 0;

  write(text: string): boolean {
    for (const [piece] of text.matchAll(/\u001b\[\?7[lh]|\u001b\[\d*[AJK]|\r|\n|[^\u001b\r\n]+/g)) {
      const up = /^\u001b\[(\d+)A/.exec(piece);
      if (up !== null) this.row = Math.max(0, this.row - Number(up[1]));
      else if (piece === "\u001b[J") this.lines.splice(this.row, Infinity, "");
      else if (piece === "\n") {
        this.row += 1;
        this.lines[this.row] ??= "";
      } else if (!piece.startsWith("\u001b") && piece !== "\r") this.lines[this.row] = piece;
    }
    return true;
  }

  /** What terminals do when their window becomes narrower. */
  narrow(columns: number): void {
    this.columns = columns;
    this.lines = this.lines.flatMap((line) => line.match(new RegExp(`.{1,${columns}}`, "g")) ?? [""]);
    this.row = this.lines.length - 1;
  }

  get shown(): readonly string[] {
    return this.lines.filter((line) => line !== "");
  }
}

describe("lines below what scrolls", () => {
  it("are drawn in the same place, also when they become fewer", () => {
    const terminal = new Terminal();
    const block = new LiveBlock(terminal as never);
    block.draw(["a", "b", "c"]);
    block.draw(["d", "e"]);
    expect(terminal.shown).toEqual(["d", "e"]);
    block.end();
    expect(terminal.shown).toEqual([]);
  });

  it("make way for what scrolls", () => {
    const terminal = new Terminal();
    const block = new LiveBlock(terminal as never);
    block.draw(["live 1", "live 2"]);
    block.above(() => terminal.write("done\n"));
    block.draw(["live 3"]);
    expect(terminal.shown).toEqual(["done", "live 3"]);
    block.end();
    expect(terminal.shown).toEqual(["done"]);
  });

  it("leave what has scrolled where it is in a window that became narrower", () => {
    const terminal = new Terminal();
    const block = new LiveBlock(terminal as never);
    terminal.write("scrolled\n");
    block.draw(["x".repeat(39), "z"]);
    terminal.narrow(20);
    block.draw(["new"]);
    expect(terminal.shown[0]).toBe("scrolled");
    expect(terminal.shown.at(-1)).toBe("new");
    block.end();
  });

  it("are forgotten while another program has had the terminal", () => {
    const terminal = new Terminal();
    const block = new LiveBlock(terminal as never);
    block.draw(["before ^Z"]);
    process.emit("SIGCONT", "SIGCONT");
    terminal.write("of the shell\n");
    block.draw(["after fg"]);
    expect(terminal.shown).toEqual(["before ^Z", "of the shell", "after fg"]);
    block.end();
    expect(process.listenerCount("SIGCONT")).toBe(0);
  });
});
