import { isIP } from "node:net";
import * as z from "zod";
import { isEverything, parseAddressRange } from "../address-range.ts";
import { asWord, linesOf, serverWords } from "../haproxy-lines.ts";
import { durationMs, port } from "../quantities.ts";
import { Secret } from "../secret.ts";
import { countryCode } from "./country.ts";
import { labelRules } from "./labels.ts";
import { METHODS } from "./value-hint.ts";

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
const BALANCES = ["roundrobin", "leastconn", "static-rr", "source", "first", "random"];

/** "round-robin" and "least_conn" are names of other proxies. */
function balanceMeant(input: unknown): string {
  const plain = String(input).toLowerCase().replace(/[-_ ]/g, "");
  const meant = BALANCES.find((name) => name.replace("-", "") === plain);
  return meant === undefined ? BALANCE : `expected HAProxy's word '${meant}'`;
}
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
export const address = z
  .string({ error: ADDRESS })
  .refine((value) => isIP(value) !== 0 && !value.includes("%"), { error: ADDRESS });
/** A file or a list of files. */
const fileName = text.refine((value) => !value.startsWith("-----BEGIN "), {
  error: "is what a file holds, and not the file's path: take it out of here, and name the file",
});
const files = z
  .union([fileName, z.array(fileName).min(1)])
  .transform((value) => (Array.isArray(value) ? value : [value]));
const secret = z.instanceof(Secret, { error: REFERENCE }).refine((value) => !/[\r\n]/.test(value.reveal()), {
  error: "has more than one line, and a password has one",
});

const TIMEOUT = "expected at least 100ms (a plain number is milliseconds)";

const sshShape = {
  user: user.optional().describe("who logs in; default: as ssh_config says"),
  port: port.optional().describe("sshd's port; default: as ssh_config says, or 22"),
  identity_file: files.optional().describe("a private key's file, or a list of them"),
  known_hosts: files.optional().describe("a file of known host keys, or a list of them"),
  host_keys: z
    .enum(["strict", "accept-new", "ask"])
    .optional()
    .describe("an unknown host key is refused, added, or asked about"),
  privilege: z
    .enum(["auto", "root", "sudo", "doas"])
    .optional()
    .describe("how to become root; default: auto"),
  password: secret.optional().describe("password of the login, by reference"),
  sudo_password: secret.optional().describe("password for sudo or doas, by reference"),
  passphrase: secret.optional().describe("passphrase of the private key, by reference"),
  connect_timeout: durationMs
    .pipe(z.number().min(100, { error: TIMEOUT }))
    .optional()
    .describe("how long a connection may take to stand; default: 10s"),
  client: z
    .enum(["built-in", "openssh"])
    .optional()
    .describe(
      "openssh: the system's own ssh, for certificates, security keys and second factors; default: built-in",
    ),
};

/** `ssh:` at the top. */
export const sshSection = z.strictObject(sshShape);

/** A host's entry; parameters of steps stand beside these keys. */
export const hostEntry = z.strictObject({
  address: address.describe("IP address on the mesh, by which the other hosts reach it"),
  country: countryCode.optional().describe("where the host stands, by ISO 3166-1"),
  ssh: z
    .strictObject({
      host: sshHost
        .optional()
        .describe(
          "where to connect to, when it is not the mesh address: a name, an IP address or an alias in ssh_config",
        ),
      ...sshShape,
    })
    .optional()
    .describe("how to reach this host, where it differs from `ssh` at the top"),
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

export const networkSection = z.strictObject({
  proxy: proxy
    .optional()
    .describe(
      "URL of the proxy by which hosts reach package registries; by reference when it holds a password",
    ),
  ca_file: text.optional().describe("PEM file of certificates that the hosts must trust for downloads"),
});

export const allowOs = z
  .array(text)
  .describe("releases let in although they are not supported, like sid or ubuntu 24.04");

/** What a URL's path may hold, less what quotes or begins a comment in haproxy.cfg (RFC 3986, 3.3). */
const HTTP_REQUEST = /^[A-Z]+ [\w/.~%!&()*+,;=:@?-]*$/;

export const httpRequest = z
  .string()
  .regex(/^[A-Z]+ \/\S*$/, { error: CHECK })
  .refine((text) => METHODS.includes(text.split(" ")[0]!), { error: CHECK })
  .regex(HTTP_REQUEST, { error: "holds a character that is to be percent-encoded in a URL's path" });

const EXPECT = 'expected a status like 200, or words like "string ok", "rstatus ^[23]" or "! status 500"';

/** What the answer must be, as a line of HAProxy's. */
const expected = z.union([z.number(), z.string()], { error: EXPECT }).transform((value, context) => {
  const words = typeof value === "number" ? `status ${value}` : value.trim();
  const [, not = "", kind, pattern] =
    /^(! ?)?(status|rstatus|string|rstring) ((?!\s)(?:[ !$-&(-~])+)$/.exec(words) ?? [];
  const isNoStatus = kind === "status" && /^\d+$/.test(pattern ?? "") && !/^[1-5]\d\d$/.test(pattern ?? "");
  if (kind === undefined || pattern === undefined || /\\$/.test(pattern) || isNoStatus) {
    context.addIssue({ code: "custom", message: EXPECT });
    return z.NEVER;
  }
  return `http-check expect ${not === "" ? "" : "! "}${kind} ${pattern.replace(/(?<!\\) /g, "\\ ")}`;
});

const spoken = z
  .string()
  .regex(/^[\t\r\n -~]+$/, { error: "expected text of ASCII's printed characters, tabs and line breaks" })
  .optional();
const conversation = z.strictObject({
  send: spoken.describe("text that HAProxy sends"),
  expect: spoken.describe("text that the answer must hold"),
});

const CHECK_USER = "expected the name of a user of the database, who needs no rights and no password";

const checkShape = z.strictObject({
  http: z
    .union([z.literal(false), httpRequest], { error: CHECK })
    .optional()
    .describe("the request, like GET /health; false: only connect"),
  host: z
    .string()
    .regex(/^[A-Za-z0-9][\w.:-]*$/, { error: "expected a name as in a URL, with or without a port" })
    .optional()
    .describe("asks by HTTP/1.1, with this Host"),
  expect: expected
    .optional()
    .describe('what a good answer is: 200, "string ok", "rstatus ^[23]"; default: 2xx and 3xx'),
  tcp: z
    .union([z.literal(true), conversation])
    .optional()
    .describe("only connect, or what to send and expect"),
  mysql: z
    .string({ error: CHECK_USER })
    .regex(/^[\w.-]{1,32}$/, { error: CHECK_USER })
    .optional()
    .describe("a user of the database without password and rights, for the check's login"),
  redis: z.literal(true).optional().describe("asks Redis for PONG"),
  port: port.optional().describe("where the check is made, when not where the server is"),
  inter: durationMs.prefault("2s").describe("pause between checks"),
  rise: z.int().min(1).default(2).describe("good checks after which a server is UP"),
  fall: z.int().min(1).default(3).describe("failed checks after which it is DOWN"),
});

export const checkEntry = checkShape.superRefine((check, context) => {
  const kinds = (["http", "tcp", "mysql", "redis"] as const).filter((kind) => check[kind]);
  if (kinds.length > 1)
    context.addIssue({
      code: "custom",
      path: [kinds[1]!],
      message: `is a second check beside '${kinds[0]}': leave one of the two out`,
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

const PERCENT = "expected a share of the servers, from 0% to 100%";

/** "50%" → 50; a bare 0 is off. */
export const share = z
  .union([z.literal(0), z.string().regex(/^(100|[1-9]?\d) ?%$/, { error: PERCENT })], { error: PERCENT })
  .transform((value) => Number.parseInt(`${value}`, 10));

const DNS_HOST = "expected a whole name like api.example.com, and no address";
const DNS_NAME =
  "expected a whole name like api.example.com, perhaps with a port of its own, api.example.com:8081";
/** With a dot in it. A name that ends in a number is an address to the C library. */
const WHOLE_NAME =
  /(?=[^:]{1,253}(?::|$))(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)+(?!\d+(?::|$))[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?/
    .source;
const INTERVAL = "expected 1s to 30s";

/** `dns` of a service: names whose addresses are its servers. */
export const dnsEntry = z.strictObject({
  names: z
    .array(
      z
        .string({ error: DNS_NAME })
        .regex(new RegExp(`^${WHOLE_NAME}(?::[1-9]\\d{0,4})?$`), { error: DNS_NAME }),
    )
    .min(1)
    .describe("whole names, whose addresses are the servers; search domains do not count"),
  port: port.optional().describe("port of the servers, where a name says none"),
  nameserver: address
    .optional()
    .describe("IP address of the server that the proxies ask; default: as their /etc/resolv.conf says"),
  interval: durationMs
    .pipe(z.number().min(1000, { error: INTERVAL }).max(30_000, { error: INTERVAL }))
    .default(5000)
    .describe("how often the proxies ask, 1s to 30s"),
});

/** The same in Synapse's words. What it calls a server has no place: HAProxy's servers are called by their address. */
export const dnsServers = z
  .array(
    z.strictObject({
      name: z.string().optional(),
      host: z.string({ error: DNS_HOST }).regex(new RegExp(`^${WHOLE_NAME}$`), { error: DNS_HOST }),
      port,
    }),
  )
  .min(1);

export const serviceEntry = z.strictObject({
  path: z
    .string()
    .regex(/^(\/(?!\.{1,2}(\/|$))[^/\s\p{C}]+)+$/u, { error: ZNODE })
    .optional()
    .describe("path in ZooKeeper whose children are the live servers"),
  dns: dnsEntry.optional().describe("names in DNS whose addresses are the live servers"),
  labels: labelRules
    .optional()
    .describe("which of the backends at a path that services share are its own; {}: all of them"),
  when_empty: z
    .enum(["keep_last", "serve_none"])
    .optional()
    .describe("servers of a path that lists no backend: the last ones, or none; default: the watcher step's"),
  keep_servers: z
    .boolean()
    .optional()
    .describe("serves its `servers` beside those that ZooKeeper lists, not only while it lists none"),
  servers: z
    .array(
      z.strictObject({
        name: z
          .string()
          .regex(/^\w[\w.-]*$/, { error: "expected a name of letters, digits, '.', '_' and '-'" })
          .optional()
          .describe("its name in HAProxy; default: host and port"),
        host: z
          .string()
          .regex(/^[\w:][\w.:-]*$/, { error: "expected a host name or an IP address" })
          .describe("host name or IP address"),
        port: port.describe("TCP port"),
        backup: z.boolean().optional().describe("gets requests only while no other server is up"),
        weight: z.int().min(0).max(256).optional().describe("share of the requests, 0–256"),
      }),
    )
    .min(1)
    .optional()
    .describe("fixed servers; beside a `path` they stand in while ZooKeeper lists none"),
  port: port.describe("port of the front end on every proxy"),
  bind: z
    .union([address, z.array(address).min(1)])
    .default("127.0.0.1")
    .describe("address of the front end, or a list of them"),
  bind_options: serverWords.optional().describe("options of the front end's bind line, like ssl crt FILE"),
  mode: z.enum(["http", "tcp"]).optional().describe("http or tcp; needed where the check is no HTTP request"),
  balance: z
    .string()
    .regex(
      /^(roundrobin|static-rr|leastconn|first|source|uri|url_param|hdr|rdp-cookie|random|hash)([ (][\w ().,-]*)?$/,
      {
        error: ({ input }) => balanceMeant(input),
      },
    )
    .default("roundrobin")
    .describe("HAProxy's algorithm with its arguments"),
  check: z
    .union([z.literal(false), checkEntry])
    .prefault({})
    .describe("how HAProxy tells a dead server; false: no check, a dead server stays in"),
  timeout: z
    .strictObject({
      connect: durationMs.optional().describe("for a connection to a server to stand"),
      client: durationMs.optional().describe("how long the client may be silent"),
      server: durationMs.optional().describe("how long the server may be silent"),
      queue: durationMs.optional().describe("how long a request may wait for a server"),
      tunnel: durationMs.optional().describe("how long both may be silent once the connection is a tunnel"),
    })
    .optional()
    .describe("its own time limits, instead of the haproxy step's"),
  maxconn: z.int().min(1).max(1_000_000).optional().describe("connections that its front end takes at once"),
  retries: z.int().min(0).max(100).optional().describe("further attempts to connect to a server"),
  lines: z
    .strictObject({
      frontend: linesOf("frontend").default([]).describe("of the front end"),
      backend: linesOf("backend").default([]).describe("of the back end"),
      server: serverWords.optional().describe("options of every server line"),
    })
    .optional()
    .describe("further lines of HAProxy's, which have no key of their own"),
  fail_fast: z
    .boolean()
    .optional()
    .describe("takes a server that freezes or vanishes out within about a second; default: true"),
  panic_threshold: share
    .optional()
    .describe(
      "while fewer of its servers are up by their checks, requests go to all of them; 0 turns it off; default: 50%",
    ),
  server_options_allowed: z
    .array(serverOption)
    .optional()
    .describe(
      "options that a backend may set beyond the usual ones: an option's name with its one value, or with *",
    ),
});

export type ServiceEntry = z.output<typeof serviceEntry>;

const serviceName = z.string().regex(/^[A-Za-z0-9][\w.-]*$/, { error: SERVICE });

const zookeeperShape = {
  client_port: port.default(2181).describe("for proxies and registrars"),
  quorum_port: port.default(2888).describe("for followers, at the leader"),
  election_port: port.default(3888).describe("for elections between members"),
};

/** The ports of `mesh.zookeeper`, whatever else it says. */
export const zookeeperPorts = z.object(zookeeperShape).prefault({});

/** ZooKeeper keeps digests without salt, and old ones show them to everybody: a short password would be guessed. */
const LEAST_PASSWORD = 16;

const AUTH_USER = "expected letters, digits, '.', '_' and '-'";

/** `mesh.zookeeper.auth`: who may register backends. */
export const zookeeperAuth = z.strictObject({
  user: z
    .string({ error: AUTH_USER })
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, { error: AUTH_USER })
    .default("meshctl")
    .describe("the account that alone may register backends"),
  password: secret
    .refine((value) => value.reveal().length >= LEAST_PASSWORD, {
      error: `has fewer than ${LEAST_PASSWORD} characters, and can be guessed by what ZooKeeper shows of it`,
    })
    .describe("by reference, 16 characters or more"),
});

const zookeeperSection = z
  .strictObject({
    ...zookeeperShape,
    auth: zookeeperAuth.optional().describe("who may register backends; default: any client"),
  })
  .prefault({})
  .describe("ports of the ensemble, and who may register");

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

/** "; did you mean 10.0.0.0/8?", of IPv4 alone. */
function networkMeant(text: string): string {
  const [address = "", length = ""] = text.split("/");
  const parts = address.split(".").map(Number);
  if (parts.length !== 4) return "";
  const bits = Number(length);
  const kept = parts.map((part, at) => part & (0xff << Math.max(0, Math.min(8, 8 - (bits - 8 * at)))) & 0xff);
  return `; did you mean ${kept.join(".")}/${bits}?`;
}

const source = z.string({ error: SOURCE }).transform((text, context) => {
  const range = parseAddressRange(text);
  const problem = (message: string) => context.addIssue({ code: "custom", message });
  if (range === undefined) problem(SOURCE);
  else if (range === "crooked") problem(`is no network: bits are set behind its length${networkMeant(text)}`);
  else if (isEverything(range)) problem("lets everybody in: leave mesh.firewall off instead");
  return text;
});

/** `mesh.firewall` as a map. */
export const firewallEntry = z.strictObject({
  also: z
    .array(source)
    .default([])
    .describe("further addresses and networks that may be clients of ZooKeeper"),
});

/** `mesh:` but for what each service says. */
export const meshSection = z.strictObject({
  ensemble: groupName.optional().describe("group of the ZooKeeper ensemble's members"),
  proxies: groupName.optional().describe("group of the hosts with a local proxy"),
  zookeeper: zookeeperSection,
  fail_fast: z.boolean().optional().describe("for every service that does not say otherwise; default: true"),
  panic_threshold: share.optional().describe("for every service that does not say otherwise; default: 50%"),
  networks: meshNetworks
    .optional()
    .describe(
      "address blocks where backends may be; default: anywhere but loopback, link-local and the like",
    ),
  // Read by itself: it may be a word or a map.
  firewall: z.unknown().optional(),
  services: z.record(serviceName, z.unknown()).optional(),
  service_watcher: z.record(serviceName, z.unknown()).optional(),
});
