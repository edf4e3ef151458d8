import { ConfigurationError } from "../errors.ts";

/** One hop of a ProxyJump. */
export interface Hop {
  readonly host: string;
  readonly user: string | undefined;
  readonly port: number | undefined;
}

/** "user@first:2222,ssh://second" in the order the hops are taken. Throws ConfigurationError. */
export function parseProxyJump(text: string): Hop[] {
  return text.split(",").map((part) => {
    const hop = /^(?:ssh:\/\/)?(?:([^@]+)@)?(\[[^\]]+\]|[^:]+)(?::(\d{1,5}))?\/?$/.exec(part.trim());
    if (hop?.[2] === undefined)
      throw new ConfigurationError(`ProxyJump cannot be understood: ${JSON.stringify(text)}`);
    return {
      host: hop[2].replace(/^\[(.*)\]$/, "$1"),
      user: hop[1],
      port: hop[3] === undefined ? undefined : Number(hop[3]),
    };
  });
}

/** The inverse of parseProxyJump. */
export function formatProxyJump(hops: readonly Hop[]): string {
  return hops
    .map(({ host, user, port }) => {
      const name = host.includes(":") ? `[${host}]` : host;
      return `${user === undefined ? "" : `${user}@`}${name}${port === undefined ? "" : `:${port}`}`;
    })
    .join(",");
}
