import { InvalidArgumentError } from "commander";
import type { HostName } from "../contract/inventory-view.ts";
import { ConfigurationError } from "../errors.ts";

/** One of several parts of the hosts, counted from 1. */
export interface Shard {
  readonly at: number;
  readonly of: number;
}

export function shardText({ at, of }: Shard): string {
  return `${at}/${of}`;
}

/**
 * Throws ConfigurationError where a part is not among those that are given, as typed: what is not there would count as well
 * as what is as wanted.
 */
export function requireEveryShard(given: readonly string[]): void {
  for (const shard of new Set(given)) {
    const of = Number(shard.split("/")[1]);
    const all = Array.from({ length: of }, (_, at) => shardText({ at: at + 1, of }));
    const missing = all.filter((each) => !given.includes(each));
    if (missing.length > 0)
      throw new ConfigurationError(
        `shard ${missing.join(", ")} is missing: join the reports of all shards at once`,
      );
  }
}

/** As typed: "2/8". */
export function parseShard(text: string): Shard {
  const [, at, of] = /^(\d{1,4})\/(\d{1,4})$/.exec(text) ?? [];
  const shard = { at: Number(at), of: Number(of) };
  if (at === undefined || shard.at < 1 || shard.at > shard.of)
    throw new InvalidArgumentError("expected which part of how many, like 2/8");
  return shard;
}

/**
 * The hosts of a shard, in their order. Every host is in exactly one; neighbours are in different ones, so that each has some
 * of all kinds. Throws ConfigurationError where it would be empty: that nothing is wrong with nothing proves nothing.
 */
export function shardOf(hosts: readonly HostName[], { at, of }: Shard): readonly HostName[] {
  if (at > hosts.length)
    throw new ConfigurationError(
      `--shard ${at}/${of}: there are ${hosts.length} hosts, so ${of} parts are too many: say --shard N/${hosts.length} at most`,
    );
  return hosts.filter((_, index) => index % of === at - 1);
}
