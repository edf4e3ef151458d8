import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { type Html, html, verbatim } from "./html.ts";

export interface Section {
  /** For links within the page. */
  readonly id: string;
  readonly title: string;
  readonly body: Html;
}

export interface Page {
  readonly title: string;
  /** The one sentence that most people came for. */
  readonly standing: { readonly is: "well" | "wrong"; readonly words: string };
  /** What is to be known of the page itself: when it was made, of which files. */
  readonly facts: readonly (readonly [name: string, value: string | undefined])[];
  readonly sections: readonly (Section | undefined)[];
}

/** A page that needs nothing else: no network, no script, no other file. */
export function pageText({ title, standing, facts, sections }: Page): string {
  const style = readFileSync(new URL("./page.css", import.meta.url), "utf8");
  const digest = createHash("sha256").update(style).digest("base64");
  // What a host said could be made no program of by whatever reads the page: it has none.
  const policy = `default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'`;
  const shown = sections.filter((section) => section !== undefined);
  const body = html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title}: ${standing.words}</title>
<style>${verbatim(style)}</style>
</head>
<body>
<a class="skip" href="#content">To the content</a>
<header>
<h1>${title}</h1>
<p class="standing ${standing.is}">${standing.is === "well" ? "✓" : "✗"} ${standing.words}</p>
<dl>${facts.map(([name, value]) => (value === undefined ? undefined : html`<dt>${name}</dt><dd>${value}</dd>`))}</dl>
<nav aria-label="Sections">${shown.map(({ id, title: name }) => html`<a href="#${id}">${name}</a>`)}</nav>
</header>
<main id="content">
${shown.map(
  (section) => html`<section id="${section.id}"><h2>${section.title}</h2>
${section.body}
</section>
`,
)}</main>
</body>
</html>
`;
  return body.text;
}

/** Rows of cells under their names; where there is no room for columns each cell has its name before it. */
export function table(
  names: readonly string[],
  rows: readonly (readonly (Html | string | undefined)[])[],
  kind = "plain",
): Html {
  return html`<table class="${kind}"><thead><tr>${names.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead><tbody>
${rows.map(
  (
    cells,
  ) => html`<tr>${cells.map((cell, at) => (names[at] === "" ? html`<td>${cell}</td>` : html`<td data-is="${names[at]}">${cell}</td>`))}</tr>
`,
)}</tbody></table>`;
}

/** What can be folded; open or not at first. */
export function folded(summary: Html, body: Html, isOpen: boolean): Html {
  return html`<details${isOpen ? html` open` : undefined}><summary>${summary}</summary>
${body}
</details>
`;
}
