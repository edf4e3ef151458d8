import { onceEach } from "../once-each.ts";

/** What the next boot starts, as far as files tell. */
export interface BootPlan {
  /** "graphical.target". */
  readonly target: string;
  /** Every unit that the target reaches. */
  readonly units: ReadonlyMap<string, BootUnit>;
}

interface BootUnit {
  /** The unit that asks for it. */
  readonly by: string;
  /** A service that could run and does not: it has no process now. */
  readonly isIdle: boolean;
  /** Base name of its program; "" when it has none. */
  readonly program: string;
  /** Ports that its command, its script or its socket names. */
  readonly ports: readonly number[];
}

/** Of the reader's answer: the target, then name, asker, state, program and ports of each. */
export const bootPlan = onceEach((rows: readonly (readonly string[])[]): BootPlan => {
  const [[target = ""] = [], ...units] = rows;
  return {
    target,
    units: new Map(
      units.map(([name = "", by = "", state, program = "", ports = ""]) => [
        name,
        { by, isIdle: state === "idle", program, ports: ports.split(" ").filter(Boolean).map(Number) },
      ]),
    ),
  };
});

/** Programs that listen wherever their files say, by what they serve. */
const SERVERS: Readonly<Record<"http" | "database" | "registry", RegExp>> = {
  http: /^(?:nginx|apache2|apachectl|httpd|lighttpd|caddy|envoy|traefik|varnishd|squid|haproxy)$/,
  database: /^(?:mariadbd|mysqld|mysqld_safe)$/,
  registry: /^zkServer\.sh$/,
};

/** What else the next boot starts that may take one of these ports before the unit `own` does; undefined when nothing does. */
export function rivalsOf(
  plan: BootPlan,
  own: string,
  { ports, kind }: { readonly ports: readonly number[]; readonly kind: keyof typeof SERVERS },
): string | undefined {
  const rivals = [...plan.units].flatMap(([name, { isIdle, program, ports: named }]) => {
    if (name === own) return [];
    const port = named.find((each) => ports.includes(each));
    if (name.endsWith(".socket")) return port === undefined ? [] : [`${name} listens on port ${port}`];
    if (!isIdle) return [];
    if (port !== undefined) return [`${name} names port ${port}`];
    return SERVERS[kind].test(program) ? [`${name} starts ${program}`] : [];
  });
  if (rivals.length === 0) return undefined;
  return `the next boot starts what does not run now, and may take a port of ${own}: ${rivals.join("; ")}`;
}
