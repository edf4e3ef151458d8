import * as z from "zod";
import { maskForeignSecrets } from "./foreign-secrets.ts";
import { MASK, Secret } from "./secret.ts";

/** No other is one to HAProxy, though it may look like one. */
const BLANK = /[ \t\v\f\r]/;
const BLANKS = /[ \t\v\f\r]+/;
/** Without any of these a line is its words, which most lines are. */
const SPECIAL = /["'\\#]/;

/** Splits a line as HAProxy does: a blank parts words unless quoted or behind "\", "#" starts a comment likewise. */
export function wordsOf(line: string): string[] {
  return readWords(line).words;
}

function readWords(line: string): { readonly words: string[]; readonly isWhole: boolean } {
  if (!SPECIAL.test(line)) return { words: line.split(BLANKS).filter((word) => word !== ""), isWhole: true };
  const words: string[] = [];
  let word = "";
  let quote = "";
  let isWhole = true;
  for (let at = 0; at < line.length; at++) {
    const char = line[at]!;
    if (char === "\\" && quote !== "'" && at + 1 < line.length) {
      word += char + line[++at]!;
    } else if (quote !== "") {
      if (char === quote) quote = "";
      word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word += char;
    } else if (char === "#") {
      break;
    } else if (BLANK.test(char)) {
      if (word !== "") words.push(word);
      word = "";
    } else {
      if (char === "\\") isWhole = false;
      word += char;
    }
  }
  if (word !== "") words.push(word);
  return { words, isWhole: isWhole && quote === "" };
}

/** A text as one word of haproxy.cfg, with what is not printed as HAProxy 1.5 reads it. */
export function asWord(text: string): string {
  const named: Readonly<Record<string, string>> = { "\r": "\\r", "\n": "\\n", "\t": "\\t" };
  return text.replace(/[\s\\#"']|\p{Cc}/gu, (char) => {
    const code = char.charCodeAt(0).toString(16).padStart(2, "0");
    return named[char] ?? (/\p{Cc}/u.test(char) ? `\\x${code}` : `\\${char}`);
  });
}

/** Directives of a section that another key says, with that key. A directive's words are parted by single blanks. */
type Owned = Readonly<Record<string, string>>;

const PROCESSES = "refused: HAProxy is one process, always";

const OWNED = {
  global: {
    description: "meshctl's own: a worker tells by it which settings it has",
    maxconn: "haproxy.maxconn",
    user: "haproxy, always: expected no such line",
    group: "haproxy, always: expected no such line",
    chroot: "/var/lib/haproxy, always: expected no such line",
    "stats socket /run/haproxy/admin.sock": "meshctl's own",
    "stats timeout": "30s, always: expected no such line",
    "hard-stop-after": "haproxy.hard_stop_after",
    nbproc: "1, always: each process has a socket of its own",
  },
  defaults: {
    mode: "said by each service: mode",
    balance: "said by each service: balance",
    cookie: "refused: meshctl's services set no cookie",
    "bind-process": PROCESSES,
    maxconn: "haproxy.maxconn",
    retries: "haproxy.retries",
    "retry-on": "haproxy.retry_on",
    "timeout connect": "haproxy.timeout_connect",
    "timeout client": "haproxy.timeout_client",
    "timeout server": "haproxy.timeout_server",
  },
  frontend: {
    bind: "the service's bind and port",
    mode: "the service's mode",
    maxconn: "the service's maxconn",
    default_backend: "the service's own",
    "timeout client": "the service's timeout.client",
    "bind-process": PROCESSES,
  },
  backend: {
    mode: "the service's mode",
    balance: "the service's balance",
    server: "the service's servers",
    retries: "the service's retries",
    "bind-process": PROCESSES,
    cookie: "refused: `meshctl probe` has a cookie of its own in every HTTP service",
    "timeout connect": "the service's timeout.connect",
    "timeout server": "the service's timeout.server",
    "timeout queue": "the service's timeout.queue",
    "timeout tunnel": "the service's timeout.tunnel",
  },
  section: {
    "bind-process": PROCESSES,
    server: "a service's: a section beside the services has no servers",
    "server-template": "a service's: a section beside the services has no servers",
  },
} satisfies Record<string, Owned>;

const SECTIONS =
  /^(global|defaults|frontend|backend|listen|peers|userlist|mailers|resolvers|cache|program|ring|http-errors|log-forward|log-profile|fcgi-app|crt-store|acme|traces|dynamic-update)$/;

/** What the installer takes of a line, too. */
const PRINTED = /^[\t -~]*$/;

const LINE = "expected a line of haproxy.cfg";

/** One line as it is compared: words parted by single blanks, without a comment. A password in it is masked from then on. */
const line = (owned: Owned) =>
  z.string({ error: LINE }).transform((written, context) => {
    const problem = (message: string) => {
      context.addIssue({ code: "custom", message });
      return z.NEVER;
    };
    if (!PRINTED.test(written))
      return problem("holds a line break, or a character that is none of ASCII's printed ones");
    const { words, isWhole } = readWords(written);
    if (words.length === 0) return problem(LINE);
    if (!isWhole) return problem("ends within quotes or behind a backslash");
    if (SECTIONS.test(words[0]!))
      return problem(`'${words[0]}' begins a section: those stand under haproxy.sections`);
    const text = words.join(" ");
    const key = Object.keys(owned).find((each) => text === each || text.startsWith(`${each} `));
    if (key !== undefined) return problem(`'${key}' is ${owned[key]}`);
    hideSecrets(text);
    return text;
  });

/** Lines of one kind of section. */
export const linesOf = (kind: keyof typeof OWNED) => z.array(line(OWNED[kind]));

const TITLE = "expected a section's kind and name, like 'listen stats' or 'resolvers dns'";

/** Sections beside the services: title → lines. */
export const sectionLines = z.record(
  z
    .string()
    .regex(/^(listen|frontend|backend|peers|resolvers|userlist|mailers|cache|ring|http-errors) [\w.:-]+$/, {
      error: TITLE,
    }),
  linesOf("section"),
);

/** Words of a server line that are said elsewhere. */
const SERVER_WORDS: Owned = {
  check: "the service's check",
  inter: "the service's check.inter",
  rise: "the service's check.rise",
  fall: "the service's check.fall",
  port: "the service's check.port",
  id: "Synapse's to say",
  cookie: "Synapse's to say",
  disabled: "refused: a server that is not to be used is not listed",
};

/** Options that every server line of a service has. */
export const serverWords = z
  .string({ error: "expected options of a server line" })
  .transform((written, context) => {
    const problem = (message: string) => {
      context.addIssue({ code: "custom", message });
      return z.NEVER;
    };
    const { words, isWhole } = readWords(written);
    if (!PRINTED.test(written) || !isWhole || words.length === 0)
      return problem("expected options of a server line");
    const owned = words.find((word) => Object.hasOwn(SERVER_WORDS, word));
    if (owned !== undefined) return problem(`'${owned}' is ${SERVER_WORDS[owned]}`);
    const text = words.join(" ");
    hideSecrets(text);
    return text;
  });

/** Passwords of a line are shown nowhere: of `stats auth`, of a userlist, of a header. */
function hideSecrets(text: string): void {
  const masked = maskForeignSecrets(text);
  if (masked === text) return;
  const [before = "", behind = ""] = [masked.split(MASK)[0], masked.split(MASK).at(-1)];
  const secret = text.slice(before.length, text.length - behind.length);
  // A shorter one would mask half of what is shown.
  if (secret.length > 3) new Secret(secret);
}
