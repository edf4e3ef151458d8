import { shownText } from "../shown.ts";

/** Text that is HTML already. Made by `html` alone, so that whatever else stands in a page was escaped. */
export class Html {
  readonly text: string;

  constructor(text: string, key: typeof MADE_HERE) {
    if (key !== MADE_HERE) throw new Error("HTML is made by the html tag");
    this.text = text;
  }
}

const MADE_HERE = Symbol("made here");

type Part = Html | string | number | undefined | readonly Part[];

/** A template of HTML. What is put into it is masked and escaped unless it is HTML; lists are joined, undefined is nothing. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(String.raw({ raw: strings }, ...parts.map(textOf)), MADE_HERE);
}

/** A file of ours as it is: nothing of it comes from elsewhere. */
export function verbatim(ours: string): Html {
  return new Html(ours, MADE_HERE);
}

function textOf(part: Part): string {
  if (part === undefined) return "";
  if (part instanceof Html) return part.text;
  if (Array.isArray(part)) return part.map(textOf).join("");
  return escaped(String(part));
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text for an element or an attribute in quotes; what HTML does not allow becomes "\ufffd". */
function escaped(text: string): string {
  return shownText(text)
    .replace(/[^\t\n\u0020-\u007e\u00a0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd")
    .replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}
