/** A value and the line that gives it. */
interface Property {
  readonly value: string;
  readonly line: number;
}

/** A file of `key=value` lines as ZooKeeper reads it (java.util.Properties): the last line of a key wins. */
export type Properties = ReadonlyMap<string, Property>;

export function parseProperties(text: string): Properties {
  const properties = new Map<string, Property>();
  for (const [index, written] of text.split("\n").entries()) {
    const line = written.trim();
    const [key] = /^[^#!=:\s][^=:\s]*/.exec(line) ?? [];
    if (key === undefined) continue;
    const value = line.slice(key.length).trimStart().replace(/^[=:]/, "").trimStart();
    properties.set(key, { value, line: index + 1 });
  }
  return properties;
}

/** Members by id: "ADDRESS:QUORUM:ELECTION", with ":observer" behind it for one that does not vote. */
export type Servers = ReadonlyMap<number, string>;

/** The `server.N` lines. The client port that ZooKeeper ≥ 3.5 may add behind ";" says nothing of membership. */
export function serversOf(properties: Properties): Servers {
  const servers = new Map<number, string>();
  for (const [key, { value }] of properties) {
    const [, id] = /^server\.(\d+)$/.exec(key) ?? [];
    if (id === undefined) continue;
    servers.set(Number(id), value.split(";", 1)[0]!.replace(/:participant$/, ""));
  }
  return new Map([...servers].sort(([a], [b]) => a - b));
}

export function sameServers(some: Servers, others: Servers): boolean {
  return some.size === others.size && [...some].every(([id, server]) => others.get(id) === server);
}

/** "1=10.0.0.2 2=10.0.0.3 at 2888, 3888"; "alone" when there are none. */
export function showServers(servers: Servers): string {
  if (servers.size === 0) return "alone";
  const parsed = [...servers].map(([id, server]) => {
    const [, address = server, quorum, election] = /^(.+):(\d+):(\d+)$/.exec(server) ?? [];
    return { id, server, address, ports: `${quorum}, ${election}` };
  });
  const { ports } = parsed[0]!;
  return parsed.every((each) => each.ports === ports && each.address !== each.server)
    ? `${parsed.map(({ id, address }) => `${id}=${address}`).join(" ")} at ${ports}`
    : parsed.map(({ id, server }) => `${id}=${server}`).join(" ");
}
