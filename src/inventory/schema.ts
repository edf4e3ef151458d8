import { isIP } from "node:net";
import * as z from "zod";
import { isEverything, parseAddressRange } from "../address-range.ts";
import { asWord, linesOf, serverWords } from "../haproxy-lines.ts";
import { durationMs, port } from "../quantities.ts";
import { Secret } from "../secret.ts";
import { countryCode } from "./country.ts";

const NAME = "expected a name of a–z, 0–9, '-' and '.', beginning with a letter or digit";
const GROUP = "expected a name of a–z, 0–9, '-', '_' and '.', beginning with a letter or digit";
const SERVICE = "expected a name of letters, digits, '-', '_' and '.', beginning with a letter or digit";
const ADDRESS = "expected an IP address";
const NETWORK = "expected an address block like 10.0.0.0/16, with no bit set behind its length";
const SERVER_OPTION = 'expected an option as a backend may write it, like ssl, "verify none" or "alpn *"';
const ZNODE = "expected an absolute ZooKeeper path like /services/user-api";
const USER = "expected a user name: letters, digits, and . _ - + @ \\ behind the first";
const SSH_HOST = "expected a host name, an IP address or an alias in ssh_config";
const REFERENCE = "expected a reference: !env NAME, !file PATH or !command [PROGRAM, ARGUMENT]";
const BALANCE = "expected a balance algorithm of HAProxy like roundrobin or leastconn";
const CHECK = "expected a request like GET /health, or false for a TCP check";

export const hostName = z.string().regex(/^[a-z0-9][a-z0-9.-]*$/, { error: NAME });
export const groupName = z.string().regex(/^[a-z0-9][a-z0-9._-]*$/, { error: GROUP });
/** Text that is shown and compared: one line, nothing that steers a terminal. */
const text = z
  .string()
  .min(1)
  .regex(/^[^\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]*$/u, {
    error: "expected one line of text without control characters",
  });
// What OpenSSH refuses in a name on its command line, and blanks: hints show both for copying into a shell.
const user = z.string().regex(/^[\p{L}\p{N}_][\p{L}\p{N}_.@+\\-]*\$?$/u, { error: USER });
const sshHost = z.string().regex(/^[\p{L}\p{N}_:[][\p{L}\p{N}_.:%[\]-]*$/u, { error: SSH_HOST });
const address = z
  .string({ error: ADDRESS })
  .refine((value) => isIP(value) !== 0 && !value.includes("%"), { error: ADDRESS });
/** A file or a list of files. */
const files = z
  .union([text, z.array(text).min(1)])
  .transform((value) => (Array.isArray(value) ? value : [value]));
const secret = z.instanceof(Secret, { error: REFERENCE }).refine((value) => !/[\r\n]/.test(value.reveal()), {
  error: "has more than one line, and a password has one",
});

const TIMEOUT = "expected at least 100ms (a plain number is milliseconds)";

const sshShape = {
  user: user.optional(),
  port: port.optional(),
  identity_file: files.optional(),
  known_hosts: files.optional(),
  host_keys: z.enum(["strict", "accept-new", "ask"]).optional(),
  privilege: z.enum(["auto", "root", "sudo", "doas"]).optional(),
  password: secret.optional(),
  sudo_password: secret.optional(),
  passphrase: secret.optional(),
  connect_timeout: durationMs.pipe(z.number().min(100, { error: TIMEOUT })).optional(),
  client: z.enum(["built-in", "openssh"]).optional(),
};

/** `ssh:` at the top. */
export const sshSection = z.strictObject(sshShape);

/** A host's entry; parameters of steps stand beside these keys. */
export const hostEntry = z.strictObject({
  address,
  country: countryCode.optional(),
  ssh: z.strictObject({ host: sshHost.optional(), ...sshShape }).optional(),
});

const PROXY = "expected a URL like http://proxy.example:3128";

const proxy = z.union([z.string(), z.instanceof(Secret)], { error: PROXY }).transform((value, context) => {
  const written = value instanceof Secret ? value.reveal() : value;
  // The parser leaves out line breaks and blanks, the programs that are given the URL do not.
  const url = URL.canParse(written) && !/[\s\p{C}]/u.test(written) ? new URL(written) : null;
  const problem = (message: string) => context.addIssue({ code: "custom", message });
  if (url === null || !["http:", "https:"].includes(url.protocol)) problem(PROXY);
  else if (!(value instanceof Secret) && url.password !== "") {
    problem("a URL with a password is a secret: write it as !env NAME, !file PATH or !command");
  }
  return value instanceof Secret ? value : new Secret(value);
});

export const networkSection = z.strictObject({ proxy: proxy.optional(), ca_file: text.optional() });

export const allowOs = z.array(text);

/** What a URL's path may hold, less what quotes or begins a comment in haproxy.cfg (RFC 3986, 3.3). */
const HTTP_REQUEST = /^[A-Z]+ [\w/.~%!&()*+,;=:@?-]*$/;

export const httpRequest = z
  .string()
  .regex(/^[A-Z]+ \/\S*$/, { error: CHECK })
  .regex(HTTP_REQUEST, { error: "holds a character that is to be percent-encoded in a URL's path" });

const EXPECT = 'expected a status like 200, or words like "string ok", "rstatus ^[23]" or "! status 500"';

/** What the answer must be, as a line of HAProxy's. */
const expected = z.union([z.number(), z.string()], { error: EXPECT }).transform((value, context) => {
  const words = typeof value === "number" ? `status ${value}` : value.trim();
  const [, not = "", kind, pattern] =
    /^(! ?)?(status|rstatus|string|rstring) ((?!\s)(?:[ !$-&(-~])+)$/.exec(words) ?? [];
  if (kind === undefined || pattern === undefined || /\\$/.test(pattern)) {
    context.addIssue({ code: "custom", message: EXPECT });
    return z.NEVER;
  }
  return `http-check expect ${not === "" ? "" : "! "}${kind} ${pattern.replace(/(?<!\\) /g, "\\ ")}`;
});

const spoken = z
  .string()
  .regex(/^[\t\r\n -~]+$/, { error: "expected text of ASCII's printed characters, tabs and line breaks" })
  .optional();
const conversation = z.strictObject({ send: spoken, expect: spoken });

const CHECK_USER = "expected the name of a user of the database, who needs no rights and no password";

const checkShape = z.strictObject({
  http: z.union([z.literal(false), httpRequest], { error: CHECK }).optional(),
  host: z
    .string()
    .regex(/^[A-Za-z0-9][\w.:-]*$/, { error: "expected a name as in a URL, with or without a port" })
    .optional(),
  expect: expected.optional(),
  tcp: z.union([z.literal(true), conversation]).optional(),
  mysql: z
    .string({ error: CHECK_USER })
    .regex(/^[\w.-]{1,32}$/, { error: CHECK_USER })
    .optional(),
  redis: z.literal(true).optional(),
  port: port.optional(),
  inter: durationMs.default(2000),
  rise: z.int().min(1).default(2),
  fall: z.int().min(1).default(3),
});

export const checkEntry = checkShape.superRefine((check, context) => {
  const kinds = (["http", "tcp", "mysql", "redis"] as const).filter((kind) => check[kind]);
  if (kinds.length > 1)
    context.addIssue({
      code: "custom",
      path: [kinds[1]!],
      message: `is a second check beside '${kinds[0]}'`,
    });
  for (const key of ["host", "expect"] as const) {
    if (check[key] !== undefined && typeof check.http !== "string")
      context.addIssue({
        code: "custom",
        path: [key],
        message: "needs 'http', the request that it belongs to",
      });
  }
});

/** Lines of HAProxy's for a check that is no request. */
export function checkLines({ expect, tcp, mysql, redis }: z.output<typeof checkEntry>): readonly string[] {
  if (mysql !== undefined) return [`option mysql-check user ${mysql} post-41`];
  if (redis) return ["option redis-check"];
  if (typeof tcp === "object") {
    return [
      "option tcp-check",
      ...(tcp.send === undefined ? [] : [`tcp-check send ${asWord(tcp.send)}`]),
      ...(tcp.expect === undefined ? [] : [`tcp-check expect string ${asWord(tcp.expect)}`]),
    ];
  }
  return expect === undefined ? [] : [expect];
}

/** Words of a server line that Synapse writes itself. */
const SYNAPSES = ["id", "cookie"];

/** An option of HAProxy's by its name, and its one value; "*" is any. */
const serverOption = z
  .string({ error: SERVER_OPTION })
  .regex(/^[a-z][a-z0-9-]*( (\*|[\w.,:@/%+=()-]+))?$/, { error: SERVER_OPTION })
  .refine((option) => !SYNAPSES.includes(option.split(" ")[0]!), {
    error: "is Synapse's to say, and no backend's",
  });

export const serviceEntry = z.strictObject({
  path: z
    .string()
    .regex(/^(\/(?!\.{1,2}(\/|$))[^/\s\p{C}]+)+$/u, { error: ZNODE })
    .optional(),
  servers: z
    .array(
      z.strictObject({
        name: z
          .string()
          .regex(/^\w[\w.-]*$/, { error: "expected a name of letters, digits, '.', '_' and '-'" })
          .optional(),
        host: z.string().regex(/^[\w:][\w.:-]*$/, { error: "expected a host name or an IP address" }),
        port,
        backup: z.boolean().optional(),
        weight: z.int().min(0).max(256).optional(),
      }),
    )
    .min(1)
    .optional(),
  port,
  bind: z.union([address, z.array(address).min(1)]).default("127.0.0.1"),
  bind_options: serverWords.optional(),
  mode: z.enum(["http", "tcp"]).optional(),
  balance: z
    .string()
    .regex(
      /^(roundrobin|static-rr|leastconn|first|source|uri|url_param|hdr|rdp-cookie|random|hash)([ (][\w ().,-]*)?$/,
      {
        error: BALANCE,
      },
    )
    .default("roundrobin"),
  check: z.union([z.literal(false), checkEntry]).prefault({}),
  timeout: z
    .strictObject({
      connect: durationMs.optional(),
      client: durationMs.optional(),
      server: durationMs.optional(),
      queue: durationMs.optional(),
      tunnel: durationMs.optional(),
    })
    .optional(),
  maxconn: z.int().min(1).max(1_000_000).optional(),
  retries: z.int().min(0).max(100).optional(),
  lines: z
    .strictObject({
      frontend: linesOf("frontend").default([]),
      backend: linesOf("backend").default([]),
      server: serverWords.optional(),
    })
    .optional(),
  fail_fast: z.boolean().optional(),
  server_options_allowed: z.array(serverOption).optional(),
});

export type ServiceEntry = z.output<typeof serviceEntry>;

const serviceName = z.string().regex(/^[A-Za-z0-9][\w.-]*$/, { error: SERVICE });

export const zookeeperPorts = z
  .strictObject({
    client_port: port.default(2181),
    quorum_port: port.default(2888),
    election_port: port.default(3888),
  })
  .prefault({});

/** `mesh.networks`: where backends may be. */
export const meshNetworks = z
  .array(
    z
      .string({ error: NETWORK })
      .refine((value) => value.includes("/") && typeof parseAddressRange(value) === "object", {
        error: NETWORK,
      }),
  )
  .min(1, { error: "expected at least one address block, or no such key: backends may come from anywhere" });

const SOURCE = "expected an IP address, or a network like 10.9.0.0/16";

const source = z.string({ error: SOURCE }).transform((text, context) => {
  const range = parseAddressRange(text);
  const problem = (message: string) => context.addIssue({ code: "custom", message });
  if (range === undefined) problem(SOURCE);
  else if (range === "crooked") problem("is no network: bits are set behind its length");
  else if (isEverything(range)) problem("lets everybody in: leave mesh.firewall off instead");
  return text;
});

/** `mesh.firewall` as a map. */
export const firewallEntry = z.strictObject({ also: z.array(source).default([]) });

/** `mesh:` but for what each service says. */
export const meshSection = z.strictObject({
  ensemble: groupName.optional(),
  proxies: groupName.optional(),
  zookeeper: zookeeperPorts,
  fail_fast: z.boolean().optional(),
  networks: meshNetworks.optional(),
  // Read by itself: it may be a word or a map.
  firewall: z.unknown().optional(),
  services: z.record(serviceName, z.unknown()).optional(),
  service_watcher: z.record(serviceName, z.unknown()).optional(),
});
