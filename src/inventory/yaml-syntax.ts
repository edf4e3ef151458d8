import { type Document, isCollection, visit, type YAMLError } from "yaml";
import { missingColon } from "./shape-hint.ts";

interface SyntaxProblem {
  readonly offset: number;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** Errors of one word: what stands behind it is read as it was meant. Every other error may have the next ones as its echo. */
const OF_ONE_WORD: readonly YAMLError["code"][] = ["BAD_ALIAS", "BAD_SCALAR_START", "BAD_DQ_ESCAPE"];

/** "[web]" on a line of its own, and a host below it. */
const INI = /^\s*(?:[#;].*\n\s*)*\[[\w:.-]+\]\s*\n\s*[\w.-]+/;

/** A key and a value in quotes, or a list or a number, on a line of its own. */
const TOML = /^\s*[\w.-]+ *= *(?:"[^"\n]*"|'[^'\n]*'|\[.*\]|\d+|true|false)\s*$/m;

/** What makes the text no YAML at all, one problem a line, without the echoes of the first. */
export function syntaxProblems(
  document: Document.Parsed,
  text: string,
  lineAt: (offset: number) => number,
): SyntaxProblem[] {
  const foreign = oldLineEnd(text) ?? (document.errors.length > 0 ? mark(text) : undefined);
  if (foreign !== undefined) return [foreign];
  const tags = document.warnings.filter((warning) => warning.code === "TAG_RESOLVE_FAILED");
  // Unknown tags alone leave a tree that can be read; its reader reports them with their path.
  const others = document.warnings.filter((warning) => warning.code !== "TAG_RESOLVE_FAILED");
  const byLine = new Map<number, SyntaxProblem>();
  for (const error of [...document.errors, ...others].sort((a, b) => a.pos[0] - b.pos[0])) {
    const line = lineAt(error.pos[0]);
    const tag = tags.find((warning) => warning.pos[1] === error.pos[0]);
    const isOfOneWord = tag !== undefined || OF_ONE_WORD.includes(error.code);
    if (byLine.has(line) || (byLine.size > 0 && !isOfOneWord)) continue;
    byLine.set(line, tag === undefined ? translate(error, document, text) : unquotedTag(tag, text));
  }
  return [...byLine.values()];
}

function translate(error: YAMLError, document: Document.Parsed, text: string): SyntaxProblem {
  const offset = error.pos[0];
  if (/^Missing closing ['"]quote/.test(error.message)) {
    const quote = openQuote(document, offset);
    if (quote !== undefined)
      return {
        offset: quote,
        message: `the quote that begins here, ${text[quote]}, is not closed`,
        hint: `end the value with ${text[quote]}, or leave both quotes out`,
      };
  }
  const far = farQuote(document, offset, text);
  if (far !== undefined) return far;
  if (INI.test(text) && TOML.test(text))
    return {
      offset: 0,
      message: "expected YAML, found TOML",
      hint: "`meshctl init FILE` writes an inventory, and inventories/example.yaml explains every key",
    };
  if (INI.test(text)) {
    const hint = "`meshctl init prod.yaml --from-ansible FILE` makes an inventory of it";
    return {
      offset: 0,
      message: "expected YAML, found sections in brackets as in an INI file of Ansible's",
      hint,
    };
  }
  return (
    strangeBlank(text, offset) ??
    openBracket(error, document, text) ??
    byCode(error, text) ?? { offset, message: `invalid YAML: ${lowerFirst(error.message)}` }
  );
}

/** A carriage return alone, as the first Macs ended lines. */
function oldLineEnd(text: string): SyntaxProblem | undefined {
  const offset = text.search(/\r(?!\n)/);
  if (offset === -1) return undefined;
  return {
    offset,
    message: "this line ends with a carriage return (CR) alone, which ends no line of YAML",
    hint: "save the file with line ends of Unix (LF) or Windows (CR LF); `tr '\\r' '\\n' <OLD >NEW` makes them",
  };
}

/** A line that other programs put into files: Git around what two branches changed, Markdown around code. */
function mark(text: string): SyntaxProblem | undefined {
  const [, before = "", line] = /^((?:.*\n)*?)(<{7} .*|={7}|>{7} .*|```.*)$/m.exec(text) ?? [];
  if (line === undefined) return undefined;
  const isFence = line.startsWith("`");
  return {
    offset: before.length,
    message: isFence
      ? "expected YAML, found a fence of Markdown"
      : "expected YAML, found a mark of a conflict that Git left",
    hint: isFence
      ? "leave the lines with ``` out"
      : "keep one of the two sides, and leave the lines with <<<<<<<, ======= and >>>>>>> out",
  };
}

function byCode({ code, pos, message }: YAMLError, text: string): SyntaxProblem | undefined {
  const [offset] = pos;
  const word = /^[^\s,\]}]+/.exec(text.slice(offset))?.[0] ?? "";
  const rest = /^.*/.exec(text.slice(offset))![0].trim();
  switch (code) {
    case "TAB_AS_INDENT":
      return { offset, message: "tabs cannot indent YAML: use spaces", hint: "two spaces for each level" };
    case "MULTIPLE_DOCS":
      return {
        offset,
        message: "expected one document, found another one after '---'",
        hint: "leave `---` out; inventories in several files are merged: `-i hosts.yaml -i mesh.yaml`",
      };
    case "BAD_ALIAS":
      return {
        offset,
        message: "'*' without quotes begins a YAML alias",
        hint: 'put quotes around it: "*"',
      };
    case "BAD_SCALAR_START":
      return {
        offset,
        message: `text that begins with ${text[offset]} needs quotes`,
        hint: `put quotes around it: "${word}"`,
      };
    case "BAD_DQ_ESCAPE":
      return {
        offset,
        message: `'${text.slice(offset, offset + 2)}' means nothing within double quotes`,
        hint: "write \\\\ for a backslash, or use single quotes",
      };
    case "MULTILINE_IMPLICIT_KEY":
      return {
        offset,
        message: `expected a key with a colon behind it, found '${rest}'`,
        hint:
          missingColon(rest) ?? (/^[\w-]+$/.test(rest) ? `a key ends with a colon: \`${rest}:\`` : undefined),
      };
    case "BLOCK_AS_IMPLICIT_KEY":
      return {
        offset,
        message: "invalid YAML: a second ': ' on the same line, or a line indented too far",
        hint: "put quotes around a value that holds ': '; keys of one map begin in the same column",
      };
    case "BLOCK_IN_FLOW":
      return {
        offset,
        message: "invalid YAML: a second ': ' before the next comma",
        hint: "a comma stands between two keys in braces: `{ address: 10.0.0.1, country: DE }`",
      };
    case "BAD_INDENT":
      return indented(offset, text);
    case "UNEXPECTED_TOKEN": {
      const before = /[^\s,{}[\]]+$/.exec(text.slice(0, offset))?.[0];
      if (message.includes("flow-seq-start") && before !== undefined) {
        const hint = `put quotes around it: "${before}${word}${text[offset + word.length] === "]" ? "]" : ""}"`;
        return { offset, message: "a bracket within braces begins a list of YAML's", hint };
      }
      const closing = /"([}\]])"$/.exec(message)?.[1];
      return closing === undefined
        ? undefined
        : {
            offset,
            message: `this ${closing} closes nothing`,
            hint: "leave it out, or open the brackets before it",
          };
    }
    default:
      return undefined;
  }
}

/** A line that begins in another column than its neighbours, or a list among keys. */
function indented(at: number, text: string): SyntaxProblem | undefined {
  const before = text.slice(0, at).split("\n");
  const start = at - before.at(-1)!.length;
  const here = text.slice(start).split("\n", 1)[0]!;
  const above = before.slice(0, -1).findLast((line) => /^\s*[^\s#]/.test(line));
  if (above === undefined) return undefined;
  const width = (line: string) => line.length - line.trimStart().length;
  const offset = start + width(here);
  const isItem = (line: string) => /^\s*- /.test(line);
  if (isItem(here) !== isItem(above))
    return {
      offset,
      message: "an item of a list, '- …', and a key stand side by side",
      hint: "keys have no dash: `kvm-01: { address: 10.0.0.1 }`; the items of a list all have one",
    };
  return {
    offset,
    message: `this line begins with ${blanks(width(here))}, and the one above with ${blanks(width(above))}`,
    hint: "keys of one map begin in the same column, and keys within a key two further to the right",
  };
}

function blanks(count: number): string {
  return count === 0 ? "no blank" : `${count} blank${count === 1 ? "" : "s"}`;
}

/** A blank before the line's first word that YAML takes for a letter. */
function strangeBlank(text: string, offset: number): SyntaxProblem | undefined {
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  const [, plain, blank] = /^( *)([^\S\t\r\n ])/.exec(text.slice(start)) ?? [];
  if (plain === undefined || blank === undefined) return undefined;
  const code = blank.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
  return {
    offset: start + plain.length,
    message: `U+${code}, which only looks like a blank, cannot indent YAML: use spaces`,
    hint: "two spaces for each level",
  };
}

/** Where a map or a list in brackets begins that does not end, or where a comment begins that hides its end. */
function openBracket(error: YAMLError, document: Document.Parsed, text: string): SyntaxProblem | undefined {
  if (!["BAD_INDENT", "MISSING_CHAR"].includes(error.code) || !/\bend with a/.test(error.message))
    return undefined;
  let open: number | undefined;
  visit(document, {
    Node: (_, node) => {
      if (!isCollection(node) || node.flow !== true || !node.range) return;
      const [start, end] = node.range;
      const closing = text[start] === "{" ? "}" : "]";
      if (end <= error.pos[0] + 1 && text[end - 1] !== closing && start < error.pos[0]) open = start;
    },
  });
  if (open === undefined) return undefined;
  const closing = text[open] === "{" ? "}" : "]";
  const [, ahead, hidden] = /^([^\n]*?\s)(#[^\n]*)/.exec(text.slice(open)) ?? [];
  if (ahead !== undefined && hidden?.includes(closing))
    return {
      offset: open + ahead.length,
      message: `the comment that begins here hides the ${closing} behind it`,
      hint: "end the brackets before the comment, or put quotes around a value that holds #",
    };
  return {
    offset: open,
    message: `the ${text[open]} that begins here is not closed by a ${closing}`,
    hint: `write ${closing} behind its last value`,
  };
}

/** Where the first quoted text begins that goes on until there. */
function openQuote(document: Document.Parsed, end: number): number | undefined {
  let offset: number | undefined;
  visit(document, {
    Scalar: (_, { type, range }) => {
      if (type?.startsWith("QUOTE_") && range && range[1] >= end - 1) offset ??= range[0];
    },
  });
  return offset;
}

/** A quote that the next one, lines below, ends where nobody meant it to. */
function farQuote(document: Document.Parsed, end: number, text: string): SyntaxProblem | undefined {
  const lineStart = text.lastIndexOf("\n", end - 1) + 1;
  let offset: number | undefined;
  visit(document, {
    Scalar: (_, { type, range }) => {
      if (
        type?.startsWith("QUOTE_") &&
        range &&
        range[0] < lineStart &&
        range[1] > lineStart &&
        range[1] <= end
      )
        offset = range[0];
    },
  });
  return offset === undefined
    ? undefined
    : {
        offset,
        message: `the quote that begins here, ${text[offset]}, is not closed in its line`,
        hint: `end the value with ${text[offset]}, or leave both quotes out`,
      };
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
