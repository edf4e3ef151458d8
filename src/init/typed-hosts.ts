import { isIP } from "node:net";
import { ConfigurationError } from "../errors.ts";
import { namesOf } from "./name-ranges.ts";
import { inventoryName, type NamedHost } from "./named-host.ts";

const EXPECTED =
  "expected [NAME=][USER@]HOST[:PORT], for example kvm-[01:03], ops@10.0.0.4 or db=10.0.0.21:2222";

/** Hosts as a person types them, parted by commas or blanks. Throws ConfigurationError. */
export function typedHosts(text: string, from = "--hosts"): readonly NamedHost[] {
  const words = text.split(/[\s,]+/).filter((word) => word !== "");
  if (words.length === 0) throw new ConfigurationError(`${from}: ${EXPECTED}, found nothing`);
  return words.flatMap((word) => {
    const names = namesOf(withoutIpv6(word));
    if (names === undefined)
      throw new ConfigurationError(
        `${from}: the range in '${word}' makes no sense: write it like kvm-[01:03]`,
      );
    return names.map((name) => typedHost(name, word, from));
  });
}

/** "[fd00::1]" is no range: it is kept as it is by other brackets until it is read. */
function withoutIpv6(word: string): string {
  return word.replace(/\[([0-9a-fA-F:.]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)\]/, (whole, address) =>
    isIP(address) === 6 ? `<${address}>` : whole,
  );
}

function typedHost(text: string, word: string, from: string): NamedHost {
  const [, name, user, address6, plain, port] =
    /^(?:([^=@-][^=@]*)=)?(?:([^@\s]+)@)?(?:<([^>]+)>|([^:<>@=]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*))(?::(\d{1,5}))?$/.exec(
      text,
    ) ?? [];
  const host = address6 ?? plain;
  if (host === undefined || host.startsWith("-") || (port !== undefined && !isPort(port)))
    throw new ConfigurationError(`${from}: ${EXPECTED}, found '${word}'`);
  const known = inventoryName(name ?? host);
  if (known === undefined) throw new ConfigurationError(`${from}: '${name ?? host}' is no name for a host`);
  return {
    name: known,
    ssh: {
      host,
      ...(user === undefined ? {} : { user }),
      ...(port === undefined ? {} : { port: Number(port) }),
    },
    ...(isIP(host) === 0 ? {} : { address: host }),
    from,
  };
}

export function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}
