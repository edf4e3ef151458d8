import { isIP } from "node:net";
import { z } from "zod";
import { durationMs, port } from "../quantities.ts";
import { Secret } from "../secret.ts";

const NAME = "expected a name of a–z, 0–9, '-' and '.', beginning with a letter or digit";
const GROUP = "expected a name of a–z, 0–9, '-', '_' and '.', beginning with a letter or digit";
const SERVICE = "expected a name of a–z, 0–9, '-' and '_', beginning with a letter or digit";
const ADDRESS = "expected an IP address";
const ZNODE = "expected an absolute ZooKeeper path like /services/user-api";
const REFERENCE = "expected a reference, !env NAME or !file PATH";
const BALANCE = "expected a balance algorithm of HAProxy like roundrobin or leastconn";
const CHECK = "expected a request like GET /health, or false for a TCP check";

export const hostName = z.string().regex(/^[a-z0-9][a-z0-9.-]*$/, { error: NAME });
export const groupName = z.string().regex(/^[a-z0-9][a-z0-9._-]*$/, { error: GROUP });
const text = z.string().min(1);
const address = z.string({ error: ADDRESS }).refine((value) => isIP(value) !== 0, { error: ADDRESS });
/** A file or a list of files. */
const files = z
  .union([text, z.array(text).min(1)])
  .transform((value) => (Array.isArray(value) ? value : [value]));
const secret = z.instanceof(Secret, { error: REFERENCE });

const TIMEOUT = "expected at least 100ms (a plain number is milliseconds)";

const sshShape = {
  user: text.optional(),
  port: port.optional(),
  identity_file: files.optional(),
  known_hosts: files.optional(),
  host_keys: z.enum(["strict", "accept-new", "ask"]).optional(),
  privilege: z.enum(["auto", "root", "sudo", "doas"]).optional(),
  password: secret.optional(),
  sudo_password: secret.optional(),
  passphrase: secret.optional(),
  connect_timeout: durationMs.pipe(z.number().min(100, { error: TIMEOUT })).optional(),
};

/** `ssh:` at the top. */
export const sshSection = z.strictObject(sshShape);

/** A host's entry; parameters of steps stand beside these keys. */
export const hostEntry = z.strictObject({
  address,
  ssh: z.strictObject({ host: text.optional(), ...sshShape }).optional(),
});

const PROXY = "expected a URL like http://proxy.example:3128";

const proxy = z.union([z.string(), z.instanceof(Secret)], { error: PROXY }).transform((value, context) => {
  const written = value instanceof Secret ? value.reveal() : value;
  const url = URL.canParse(written) ? new URL(written) : null;
  const problem = (message: string) => context.addIssue({ code: "custom", message });
  if (url === null || !["http:", "https:"].includes(url.protocol)) problem(PROXY);
  else if (!(value instanceof Secret) && url.password !== "") {
    problem("a URL with a password is a secret: write it as !env NAME or !file PATH");
  }
  return value instanceof Secret ? value : new Secret(value);
});

export const networkSection = z.strictObject({ proxy: proxy.optional(), ca_file: text.optional() });

export const allowOs = z.array(text);

const check = z.strictObject({
  http: z
    .union([z.literal(false), z.string().regex(/^[A-Z]+ \/\S*$/, { error: CHECK })], { error: CHECK })
    .optional(),
  inter: durationMs.default(2000),
  rise: z.int().min(1).default(2),
  fall: z.int().min(1).default(3),
});

export const serviceEntry = z.strictObject({
  path: z
    .string()
    .regex(/^(\/(?!\.{1,2}(\/|$))[^/\s]+)+$/, { error: ZNODE })
    .optional(),
  servers: z
    .array(
      z.strictObject({
        name: z
          .string()
          .regex(/^[\w.-]+$/)
          .optional(),
        host: z.string().regex(/^[\w.:-]+$/, { error: "expected a host name or an IP address" }),
        port,
      }),
    )
    .min(1)
    .optional(),
  port,
  bind: address.default("127.0.0.1"),
  mode: z.enum(["http", "tcp"]).default("http"),
  balance: z
    .string()
    .regex(/^(roundrobin|static-rr|leastconn|first|source|uri|url_param|hdr|rdp-cookie)([ (][\w ().-]*)?$/, {
      error: BALANCE,
    })
    .default("roundrobin"),
  check: check.prefault({}),
});

export type ServiceEntry = z.output<typeof serviceEntry>;

const serviceName = z.string().regex(/^[a-z0-9][a-z0-9_-]*$/, { error: SERVICE });

export const zookeeperPorts = z
  .strictObject({
    client_port: port.default(2181),
    quorum_port: port.default(2888),
    election_port: port.default(3888),
  })
  .prefault({});

/** `mesh:` but for what each service says. */
export const meshSection = z.strictObject({
  ensemble: groupName.optional(),
  proxies: groupName.optional(),
  zookeeper: zookeeperPorts,
  services: z.record(serviceName, z.unknown()).optional(),
});
