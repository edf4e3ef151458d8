import { type Document, visit, type YAMLError } from "yaml";

interface SyntaxProblem {
  readonly offset: number;
  readonly message: string;
  readonly hint?: string | undefined;
}

const WORDS: Partial<Record<YAMLError["code"], string>> = {
  TAB_AS_INDENT: "tabs cannot indent YAML: use spaces",
  MULTIPLE_DOCS: "expected one document, found another one after '---'",
  BAD_ALIAS: "'*' without quotes begins a YAML alias",
  BLOCK_AS_IMPLICIT_KEY: "invalid YAML: a second ': ' on the same line, or a line indented too far",
};

/** "[web]" on a line of its own, and a host below it. */
const INI = /^\s*(?:[#;].*\n\s*)*\[[\w:.-]+\]\s*\n\s*[\w.-]+/;

/** What makes the text no YAML at all, one problem a line: the errors after the first are its echo. */
export function syntaxProblems(
  document: Document.Parsed,
  text: string,
  lineAt: (offset: number) => number,
): SyntaxProblem[] {
  const tags = document.warnings.filter((warning) => warning.code === "TAG_RESOLVE_FAILED");
  // Unknown tags alone leave a tree that can be read; its reader reports them with their path.
  const others = document.warnings.filter((warning) => warning.code !== "TAG_RESOLVE_FAILED");
  const byLine = new Map<number, SyntaxProblem>();
  for (const error of [...document.errors, ...others]) {
    const line = lineAt(error.pos[0]);
    if (byLine.has(line)) continue;
    const tag = tags.find((warning) => warning.pos[1] === error.pos[0]);
    byLine.set(line, tag === undefined ? translate(error, document, text) : unquotedTag(tag, text));
  }
  return [...byLine.values()];
}

function translate(error: YAMLError, document: Document.Parsed, text: string): SyntaxProblem {
  if (/^Missing closing ['"]quote/.test(error.message)) {
    const offset = openQuote(document, error.pos[0]);
    if (offset !== undefined)
      return { offset, message: `the quote that begins here, ${text[offset]}, is not closed` };
  }
  if (INI.test(text)) {
    const hint = "`meshctl init prod.yaml --from-ansible FILE` makes an inventory of it";
    return {
      offset: 0,
      message: "expected YAML, found sections in brackets as in an INI file of Ansible's",
      hint,
    };
  }
  const message = WORDS[error.code] ?? `invalid YAML: ${lowerFirst(error.message)}`;
  const hint = error.code === "BAD_ALIAS" ? 'put quotes around it: "*"' : undefined;
  return { offset: error.pos[0], message, hint };
}

/** Where the quoted text begins that goes on until the end. */
function openQuote(document: Document.Parsed, end: number): number | undefined {
  let offset: number | undefined;
  visit(document, {
    Scalar: (_, { type, range }) => {
      if (type?.startsWith("QUOTE_") && range && range[1] >= end - 1) offset = range[0];
    },
  });
  return offset;
}

/** `!db-01,all`: a tag that ran into the rest of a pattern. */
function unquotedTag(warning: YAMLError, text: string): SyntaxProblem {
  const word = /^[^\s\]}]+/.exec(text.slice(warning.pos[0]))?.[0] ?? "!";
  return {
    offset: warning.pos[0],
    message: `'${word}' without quotes is a YAML tag`,
    hint: `put quotes around it: "${word}"`,
  };
}

function lowerFirst(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}
