/** A value and the line that gives it. */
interface Property {
  readonly value: string;
  readonly line: number;
}

/** A file of `key=value` lines as ZooKeeper reads it (java.util.Properties): the last line of a key wins. */
export type Properties = ReadonlyMap<string, Property>;

export function parseProperties(text: string): Properties {
  const properties = new Map<string, Property>();
  for (const { line, text: logical } of logicalLines(text)) {
    const [key] = /^(?:\\.|[^\\=:\s])*/.exec(logical)!;
    const value = logical.slice(key.length).trimStart().replace(/^[=:]/, "");
    // Java keeps blanks at the end, and ZooKeeper takes them away (QuorumPeerConfig.parseProperties()).
    properties.set(unescaped(key).trim(), { value: unescaped(value.trimStart()).trim(), line });
  }
  return properties;
}

/** Lines joined where one ends with a backslash, without comments; each with the number of its first. */
function logicalLines(text: string): readonly { readonly line: number; readonly text: string }[] {
  const found: { line: number; text: string }[] = [];
  let begun: { line: number; text: string } | undefined;
  for (const [index, written] of text.split(/\r\n|\r|\n/).entries()) {
    const line = written.trimStart();
    if (begun === undefined && (line === "" || /^[#!]/.test(line))) continue;
    const whole = begun ?? { line: index + 1, text: "" };
    // An even number of backslashes are themselves.
    const goesOn = /\\*$/.exec(line)![0].length % 2 === 1;
    whole.text += goesOn ? line.slice(0, -1) : line;
    begun = goesOn ? whole : undefined;
    if (!goesOn) found.push(whole);
  }
  return begun === undefined ? found : [...found, begun];
}

const ESCAPES: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", f: "\f" };

function unescaped(text: string): string {
  return text.replace(/\\(?:u([0-9a-fA-F]{4})|(.))/gs, (_, code: string | undefined, mark: string) =>
    code === undefined ? (ESCAPES[mark] ?? mark) : String.fromCharCode(Number.parseInt(code, 16)),
  );
}

/** zoo.cfg with the members of the file that it leaves them to: then its own `server.N` lines count for nothing. */
export function withDynamic(properties: Properties, dynamic: string | undefined): Properties {
  if (dynamic === undefined) return properties;
  const isMember = (key: string) => /^server\./.test(key);
  return new Map([
    ...[...properties].filter(([key]) => !isMember(key)),
    ...[...parseProperties(dynamic)].filter(([key]) => isMember(key)),
  ]);
}

/** Members by id: "ADDRESS:QUORUM:ELECTION", with ":observer" behind it for one that does not vote. */
export type Servers = ReadonlyMap<number, string>;

/** The `server.N` lines. The client port that ZooKeeper ≥ 3.5 may add behind ";" says nothing of membership. */
export function serversOf(properties: Properties): Servers {
  const servers = new Map<number, string>();
  for (const [key, { value }] of properties) {
    const [, id] = /^server\.(\d+)$/.exec(key) ?? [];
    if (id === undefined) continue;
    const [server = ""] = value.split(";", 1);
    const role = /\s*:\s*(participant|observer)\s*$/i.exec(server);
    const isObserver = role?.[1]?.toLowerCase() === "observer";
    servers.set(Number(id), `${server.slice(0, role?.index).trim()}${isObserver ? ":observer" : ""}`);
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
