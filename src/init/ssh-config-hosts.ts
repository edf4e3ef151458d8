import { isIP } from "node:net";
import { ConfigurationError } from "../errors.ts";
import { globMatcher } from "../inventory/pattern.ts";
import { inventoryName, type NamedHost } from "./named-host.ts";

const FROM = "~/.ssh/config";

/** Those of ssh_config's names that fit a pattern, several parted by commas; all with true. Throws ConfigurationError. */
export function sshConfigHosts(names: readonly string[], pattern: string | true): readonly NamedHost[] {
  const fits = pattern === true ? [() => true] : pattern.split(",").map((one) => globMatcher(one.trim()));
  const hosts = names
    .filter((name) => fits.some((isMeant) => isMeant(name)))
    .map((alias): NamedHost => {
      const name = inventoryName(alias);
      if (name === undefined)
        throw new ConfigurationError(`${FROM}: '${alias}' is no name for a host of an inventory`);
      return { name, ssh: { host: alias }, ...(isIP(alias) === 0 ? {} : { address: alias }), from: FROM };
    });
  if (hosts.length > 0) return hosts;
  const has = names.length === 0 ? "names no host" : `has ${names.slice(0, 8).join(", ")}`;
  throw new ConfigurationError(
    `--from-ssh-config: nothing fits${pattern === true ? "" : ` '${pattern}'`}: ${FROM} ${has}`,
  );
}
