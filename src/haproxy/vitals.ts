import type { Vital, VitalServer } from "../contract/step.ts";
import { isCanary } from "./canary.ts";
import { checkWords, type ServerState } from "./server-state.ts";
import type { ServiceSettings } from "./settings.ts";

type Services = readonly Pick<ServiceSettings, "name" | "discovered" | "servers" | "downAfterMs">[];

/**
 * Each server of these services that the worker would send requests to, whatever its port: an instance that comes back on
 * another one is no loss. One in maintenance has left, and one that somebody drains by hand is no sign of ill health. Only
 * those count that are wanted now: by the inventory, or by what `listed` tells of a service that a registry tells.
 */
export function serverVitals(
  servers: readonly ServerState[],
  services: Services,
  listed: (service: string) => readonly string[] | undefined = () => undefined,
): readonly [string, Vital][] {
  return services.flatMap(({ name: service, discovered, servers: fixed }) => {
    const wanted = discovered ? listed(service) : fixed.map(({ name }) => name);
    const counted = servers.filter(
      ({ backend, name, status }) =>
        backend === service &&
        !status.startsWith("MAINT") &&
        !isCanary(name) &&
        (wanted?.includes(name) ?? true),
    );
    // Of several on one host the living are counted first: it is their number that must not shrink.
    const living = [...counted].sort((a, b) => Number(isDown(a)) - Number(isDown(b)));
    const numbers = new Map<string, number>();
    return living.map((server): [string, Vital] => {
      const first = serverVital(server.name, service);
      const number = (numbers.get(first) ?? 0) + 1;
      numbers.set(first, number);
      return number === 1
        ? [first, vitalOf(server, service)]
        : [`${first} (${number})`, vitalOf(server, service, { of: first, number })];
    });
  });
}

/** The name of what a server tells, "server api_10.0.0.2 of user-api". */
export function serverVital(server: string, service: string): string {
  return `server ${withoutPort(server)} of ${service}`;
}

/** What stays the same of an instance that gets another address, "api of user-api". */
export function instanceVital(instance: string, service: string): string {
  return `${instance} of ${service}`;
}

/** The name of what tells whether any backend of a service is registered. */
export function registrationVital(service: string): string {
  return `registration of ${service}`;
}

function withoutPort(address: string): string {
  return address.replace(/:[0-9]+$/, "");
}

function vitalServer({ name, address, status, weight }: ServerState, service: string): VitalServer {
  const [, instance] = /^(.+)_[^_]+$/.exec(name) ?? [];
  return {
    service,
    instance: instance === undefined ? undefined : instanceVital(instance, service),
    address: address === undefined ? undefined : withoutPort(address).replace(/^\[(.*)\]$/, "$1"),
    ...(status.startsWith("DRAIN") || weight === 0 ? { isSpared: true } : {}),
  };
}

function isDown({ status }: ServerState): boolean {
  return status.startsWith("DOWN");
}

function vitalOf(state: ServerState, service: string, further?: VitalServer["further"]): Vital {
  const server = { ...vitalServer(state, service), ...(further === undefined ? {} : { further }) };
  if (!isDown(state)) return { is: "well", unproven: unproven(state), server };
  const check = checkWords(state);
  return { is: "bad", because: check === undefined ? "is DOWN" : `is DOWN (${check})`, server };
}

/**
 * HAProxy sends requests to a server before its first check has passed, and to one that has begun to fail its checks: it
 * shows both with a count, "UP 1/3".
 */
function unproven(server: ServerState): string | undefined {
  const check = checkWords(server);
  // With `fall 1` there is no count.
  if (!/^(UP|DRAIN|NOLB)( \d|$)/.test(server.status)) return undefined;
  if (!/\d/.test(server.status) && check?.startsWith("INI") !== true) return undefined;
  const hasFailed = check !== undefined && !/^(INI|UNK|L\dOK)/.test(check);
  return `is ${server.status}: ${hasFailed ? `its last check failed (${check})` : "no check has passed yet"}`;
}

/** How long HAProxy may take to find a server dead by its checks, in milliseconds. */
export function shownAfterMs(services: Services): number {
  return Math.max(0, ...services.map(({ downAfterMs }) => downAfterMs));
}
