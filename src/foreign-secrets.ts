import { MASK } from "./secret.ts";

// Files that meshctl did not write hold secrets that it knows nothing of. They are found by how files of this field
// write them: rather a value too many is masked in what is shown than one too few.

/** Names of settings, variables, properties, keys of JSON and headers whose value is a secret. */
const SECRET_NAME = new RegExp(
  [
    "[\\w.$-]{0,200}(?:password|passwd|passphrase|secret|token|credential|(?:api|access|private|signing|encryption)[_-]?key)[\\w.-]{0,64}",
    "[\\w.$-]{0,200}(?:[_.-]|\\b)(?:key|pass|pwd|pw|superdigest|sst_auth|fastopen_key)",
    // JAAS of ZooKeeper's digest login: the name is the user's.
    "user_[\\w.@-]{1,64}",
  ].join("|"),
).source;

/** Names that only speak of secrets: how long, how many, and in which file. */
const HARMLESS =
  /(?:file|path|dir|directory|location|length|count|size|policy|lifetime|interval|timeout|history|days|plugin|type|format|tokens?_?id|ssl[_-]?key)$/i;

const WORD = String.raw`(?:"(?:\\.|[^"\\])*"?|'[^']*'?|(?:\\.|[^\s"'\\,;}])+)`;

/** NAME=VALUE, NAME: VALUE, -DNAME=VALUE, "NAME": "VALUE". */
const ASSIGNMENT = new RegExp(
  String.raw`(?<![\w.$-])(["']?)(${SECRET_NAME})(["']?[ \t]{0,64}[=:][ \t]{0,64})(${WORD})`,
  "gi",
);
/** "NAME=two words": what is quoted as a whole. */
const QUOTED = new RegExp(String.raw`(["'])(${SECRET_NAME})(=)([^"'\n]+)`, "gi");
/** The same at the beginning of a line, where the value is the rest of it: "password = two words". */
const WHOLE_LINE = new RegExp(
  String.raw`^([-+ \t]*(?:export[ \t]+)?)(${SECRET_NAME})([ \t]*[=:][ \t]*)(?=\S)([^"'\s].*)$`,
  "gim",
);

/** Words behind which the next one, or the rest of the line, is a secret. */
const DIRECTIVES: readonly RegExp[] = [
  // HAProxy: stats auth, users of a userlist, variables of its own process.
  /^([-+ \t]*stats[ \t]+auth[ \t]+[^\s:]*:?)(.+)$/gim,
  new RegExp(String.raw`^([-+ \t]*user[ \t]+\S+[ \t].*?\b(?:insecure-)?password[ \t]+)(${WORD})`, "gim"),
  new RegExp(String.raw`^([-+ \t]*(?:pre)?setenv[ \t]+(?:${SECRET_NAME})[ \t]+)(.+)$`, "gim"),
  /(\b(?:set|add|replace)-header[ \t]+\S{0,64}(?:token|key|secret|password|cookie)\S{0,64}[ \t]+)(.+)$/gim,
  // netrc, Redis and others that part name and value by a blank; options of programs.
  /^([-+ \t]*(?:password|passwd|passphrase|requirepass|masterauth|secret)[ \t]+)([^\s=:].*)$/gim,
  new RegExp(String.raw`(\blogin[ \t]+\S{1,128}[ \t]+password[ \t]+)(${WORD})`, "gi"),
  new RegExp(
    String.raw`(\s--?[\w-]{0,64}(?:password|passphrase|token|secret|api-?key)[ \t]+)(${WORD})`,
    "gi",
  ),
  // HTTP: behind the name of the header, its scheme, or a condition's "-m str".
  /(authorization(?!\w|\))["']?(?:\\ |[ \t:=,"'])+(?:(?:basic|bearer|digest|negotiate|token)(?:\\ |[ \t])+)?)([^\s"'][^"'\n]*)/gi,
  /(\b(?:http_auth|basic)(?:\\ | ))((?:[A-Za-z0-9+/]{8,})=*)/g,
];

const URL_PASSWORD = /(\b[a-z][a-z0-9+.-]{0,32}:\/\/[^\s:/@"']{0,256}:)([^\s"'/]{1,512})(@)/gi;
const PRIVATE_KEY = /(-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----)([\s\S]*?)(-----END|$(?![\s\S]))/g;

/** Text of a file or a program of a host with what looks like a secret masked. Its lines stay as many as they were. */
export function maskForeignSecrets(text: string): string {
  // Names of the patterns stand in few of the texts that come by here.
  if (!HINT.test(text)) return text;
  let masked = text.replace(
    PRIVATE_KEY,
    (_, begin: string, body: string, end: string) => begin + body.replace(/[^\s+ -][^\n]*/g, MASK) + end,
  );
  for (const directive of DIRECTIVES) masked = masked.replace(directive, (_, head: string) => head + MASK);
  const keepHarmless = (all: string, head: string, name: string, is: string) =>
    HARMLESS.test(name) ? all : head + name + is + MASK;
  return masked
    .replace(QUOTED, keepHarmless)
    .replace(WHOLE_LINE, keepHarmless)
    .replace(ASSIGNMENT, (all, open: string, name: string, is: string, value: string) => {
      if (HARMLESS.test(name) || value === MASK) return all;
      const quote = /^["']/.exec(value)?.[0] ?? "";
      return `${open}${name}${is}${quote}${MASK}${quote}`;
    })
    .replace(URL_PASSWORD, (_, head: string, _password: string, at: string) => head + MASK + at);
}

const HINT = /pass|pwd|secret|token|credential|key|auth|digest|:\/\/|\bpw\b|user_|\bbasic\b|cookie/i;
