import { isIP } from "node:net";
import {
  type GivenText,
  inventoryName,
  type Named,
  type NamedHost,
  placeIn,
  wrongText,
} from "./named-host.ts";
import { entryOf, type Placed, placedValue } from "./yaml-nodes.ts";

/** Attributes by which the providers name a machine's address among the others, best first. */
const PRIVATE = [
  "private_ip",
  "private_ip_address",
  "ipv4_address_private",
  "internal_ip",
  "access_ip_v4",
  "network_ip",
];
const PUBLIC = [
  "public_ip",
  "public_ip_address",
  "ipv4_address",
  "ip_address",
  "ip",
  "address",
  "ansible_host",
  "ipv6_address",
];
const NAMES = ["name", "hostname", "host", "id"];

interface Found {
  readonly name: string;
  readonly offset: number;
  readonly inner?: string | undefined;
  readonly outer?: string | undefined;
}

/** Hosts of what `terraform output -json` prints: outputs that hold addresses, by name or as lists. Throws InvalidFiles. */
export function terraformHosts(given: GivenText): Named {
  const root = placedValue(given);
  const isOutput =
    root.is === "map" && root.entries.every(({ value }) => entryOf(value, "value") !== undefined);
  if (!isOutput)
    throw wrongText(
      given,
      root.offset,
      "expected what `terraform output -json` prints: a map of outputs, each with its 'value'",
    );
  const notes: string[] = [];
  const machines = new Map<string, Found>();
  const owners = new Map<string, string>();
  const lengths = new Map<string, { readonly output: string; readonly length: number }>();
  for (const { key, value } of root.entries) {
    if (entryOf(value, "sensitive")?.text === "true") {
      notes.push(`output ${key} is sensitive and not looked into`);
      continue;
    }
    const isPublic = /public|external/i.test(key);
    const found = hostsIn(key, entryOf(value, "value")!);
    const length = entryOf(value, "value")!.items.length;
    const other = lengths.get(stemOf(key));
    if (length > 0 && found.length > 0) {
      if (other !== undefined && other.length !== length) {
        notes.push(
          `output ${key} is left out: its list has ${length} and that of ${other.output} ${other.length}, and which belong together cannot be told`,
        );
        continue;
      }
      lengths.set(stemOf(key), { output: key, length });
    }
    for (const host of found) {
      const name = inventoryName(host.name);
      if (name === undefined) throw wrongText(given, host.offset, `'${host.name}' is no name for a host`);
      // The same addresses again, in a list beside the map.
      if ((owners.get(host.inner ?? host.outer!) ?? name) !== name) continue;
      const before = machines.get(name);
      const isInner = !isPublic && host.inner === undefined;
      const now = isInner ? { inner: host.outer, outer: undefined } : host;
      const differs = (["inner", "outer"] as const).find(
        (which) => before?.[which] !== undefined && now[which] !== undefined && before[which] !== now[which],
      );
      if (differs !== undefined)
        notes.push(
          `${now[differs]} of output ${key} is left out: ${name} has the address ${before![differs]} already`,
        );
      const machine = {
        name,
        offset: before?.offset ?? host.offset,
        inner: before?.inner ?? now.inner,
        outer: before?.outer ?? now.outer,
      };
      machines.set(name, machine);
      for (const address of [machine.inner, machine.outer])
        if (address !== undefined && !owners.has(address)) owners.set(address, name);
    }
  }
  if (machines.size === 0)
    throw wrongText(
      given,
      0,
      "no output holds the address of a host: an output like { kvm-01 = IP, … } would",
    );
  const hosts = [...machines].map(([name, { offset, inner, outer }]): NamedHost => {
    const address = [inner, outer].find((each) => each !== undefined && isIP(each) !== 0);
    return {
      name,
      ssh: { host: outer ?? inner! },
      ...(address === undefined ? {} : { address }),
      from: placeIn(given, offset),
    };
  });
  return { hosts, groups: new Map(), notes };
}

/** What hosts of an output are called that has no names for them: private_ips and public_ips tell of the same ones. */
function stemOf(output: string): string {
  return (
    output.replace(
      /(?:^|[_-])(?:(?:private|public|internal|external)[_-])?(?:(?:ipv[46][_-]?)?(?:ips?|address(?:es)?)|ipv[46])$/i,
      "",
    ) || "host"
  );
}

function hostsIn(output: string, value: Placed): readonly Found[] {
  const isMeant = (text: string) => isIP(text) !== 0 || (namesHosts(output) && isHostName(text));
  if (value.is === "text")
    return isMeant(value.text)
      ? [
          {
            name: isIP(value.text) === 0 ? value.text : stemOf(output),
            offset: value.offset,
            outer: value.text,
          },
        ]
      : [];
  if (value.is === "list") {
    const width = Math.max(2, `${value.items.length}`.length);
    return value.items.flatMap((item, at): readonly Found[] => {
      if (item.is === "map") return machineOf(undefined, item);
      if (!isMeant(item.text)) return [];
      const numbered = `${stemOf(output)}-${`${at + 1}`.padStart(width, "0")}`;
      return [{ name: isIP(item.text) === 0 ? item.text : numbered, offset: item.offset, outer: item.text }];
    });
  }
  if (value.is !== "map") return [];
  const itself = machineOf(undefined, value);
  if (itself.length > 0) return itself;
  return value.entries.flatMap(({ key, offset, value: each }): readonly Found[] => {
    if (each.is === "map") return machineOf(key, { ...each, offset });
    return isMeant(each.text) ? [{ name: key, offset, outer: each.text }] : [];
  });
}

/** A map of one machine's attributes. */
function machineOf(key: string | undefined, value: Placed): readonly Found[] {
  const first = (names: readonly string[], fits: (text: string) => boolean) =>
    names.map((name) => entryOf(value, name)?.text).find((text) => text !== undefined && fits(text));
  const isAddress = (text: string) => isIP(text) !== 0 || isHostName(text);
  const [inner, outer] = [first(PRIVATE, isAddress), first(PUBLIC, isAddress)];
  const name = key ?? first(NAMES, (text) => text !== "");
  if (name === undefined || (inner === undefined && outer === undefined)) return [];
  return [{ name, offset: value.offset, inner, outer: outer === inner ? undefined : outer }];
}

/** Whether an output's name says that names in it are those of hosts: server_names, but not server_type or dns_servers. */
function namesHosts(output: string): boolean {
  return (
    /host|fqdn|dns|addr|server/i.test(output) &&
    !/endpoint|(?:name|dns|ntp)[_-]?servers?$|(?:type|image|version|size|flavou?r|class|arn|urls?|zones?|domain|suffix)$/i.test(
      output,
    )
  );
}

/** A name with dots as DNS has them, and not that of a service which the provider runs. */
function isHostName(text: string): boolean {
  return /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.(?:[a-z]{2,}|xn--[a-z0-9-]+)$/i.test(text) && !MANAGED.test(text);
}

/** Names of load balancers, databases, caches, buckets and the like. */
const MANAGED =
  /(?:(?<!\.compute(?:-\d+)?)\.amazonaws\.com(?:\.cn)?|\.cloudfront\.net|\.awsglobalaccelerator\.com|\.awsdns-\d+\.[a-z.]+|\.windows\.net|\.azurewebsites\.net|\.azure-api\.net|\.azurefd\.net|(?<!\.cloudapp)\.azure\.com|\.azure-dns\.[a-z]+|\.googleapis\.com|\.run\.app|\.appspot\.com|\.ondigitalocean\.com|\.digitaloceanspaces\.com)$/i;
