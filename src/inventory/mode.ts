import { dnsNames } from "./dns-names.ts";
import type { ServiceEntry } from "./schema.ts";

/** Ports that are known for another protocol than HTTP (IANA's service names, and the defaults of databases and queues). */
const OTHER_PROTOCOLS: ReadonlyMap<number, string> = new Map([
  [25, "SMTP"],
  [389, "LDAP"],
  [636, "LDAP"],
  [1433, "SQL Server"],
  [1521, "Oracle"],
  [1883, "MQTT"],
  [3306, "MySQL"],
  [4222, "NATS"],
  [5432, "PostgreSQL"],
  [5671, "AMQP"],
  [5672, "AMQP"],
  [6379, "Redis"],
  [9042, "Cassandra"],
  [9092, "Kafka"],
  [11211, "memcached"],
  [26379, "Redis Sentinel"],
  [27017, "MongoDB"],
  [33060, "MySQL"],
  [61616, "OpenWire"],
]);

/**
 * Whether HAProxy is to understand a service's requests. Asked for where it cannot be known: HAProxy answers anything but
 * HTTP with a 400 in a service of mode http.
 */
export function modeOf(entry: ServiceEntry): "http" | "tcp" | { readonly unknown: string } {
  const { mode, check } = entry;
  if (mode !== undefined) return mode;
  if (check !== false && (check.mysql !== undefined || check.redis)) return "tcp";
  if (check !== false && check.port !== undefined)
    return {
      unknown: `the check is made on port ${check.port}, so it cannot be known whether it speaks HTTP`,
    };
  if (check !== false && typeof check.http === "string") return "http";
  const because =
    check === false
      ? "it has no check"
      : check.http === false || check.tcp
        ? "the check is no request"
        : wellKnown(entry);
  if (because === undefined) return "http";
  return { unknown: `${because}, so it cannot be known whether it speaks HTTP` };
}

function wellKnown({ port, servers, dns }: ServiceEntry): string | undefined {
  const theirs = [...(servers ?? []), ...(dns === undefined ? [] : dnsNames(dns))].map((each) => each.port);
  for (const each of [port, ...theirs]) {
    const protocol = OTHER_PROTOCOLS.get(each);
    if (protocol !== undefined) return `port ${each} is known for ${protocol}`;
  }
  return undefined;
}
