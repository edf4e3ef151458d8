import type { ServiceEntry } from "./schema.ts";

/** Each name of a service's `dns` with its port; without those that have none. */
export function dnsNames({ names, port }: Pick<NonNullable<ServiceEntry["dns"]>, "names" | "port">) {
  return names.flatMap((name) => {
    const [host = "", own] = name.split(":");
    const found = own === undefined ? port : Number(own);
    return found === undefined ? [] : [{ host: host.toLowerCase(), port: found }];
  });
}
